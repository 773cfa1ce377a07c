"""If the catalog cannot be used, the shipped package serves and nothing is overwritten."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.registry.test_model_reloader import photo, running_service
from tests.small_grader import VERSION as SMALL

# Each test starts an API that checks its catalog more than once.
pytestmark = pytest.mark.slow


def filled(path: Path) -> None:
    """A catalog with several pages of predictions."""
    database = Database(f"sqlite:///{path}")
    database.upgrade()
    database.close()


def cut(path: Path) -> None:
    filled(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scribble(path: Path) -> None:
    filled(path)
    data = bytearray(path.read_bytes())
    data[5000:9000] = b"x" * 4000
    path.write_bytes(data)


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE recipes (name TEXT)")


def newer(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as catalog, catalog:
        catalog.execute("UPDATE alembic_version SET version_num = '9999'")


def lost(path: Path) -> None:
    path.write_bytes(b"")
    Blobs(str(path.parent / "blobs")).put("photographs/ab/ab.jpg", b"a photo")


UNUSABLE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "random bytes": (lambda path: path.write_bytes(bytes(range(256)) * 64), "damaged"),
    "cut short": (cut, "damaged"),
    "overwritten in the middle": (scribble, "damaged"),
    "another program's": (foreign, "belongs to something else"),
    "a newer version's": (newer, "newer one has upgraded it"),
    "emptied": (lost, "The catalog is empty"),
    "a folder": (lambda path: path.mkdir(), "cannot be opened"),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_shipped_package_serves(settings: Settings, tmp_path: Path, what: str) -> None:
    spoil, words = UNUSABLE[what]
    catalog = tmp_path / "catalog.db"
    spoil(catalog)
    before = catalog.read_bytes() if catalog.is_file() else b""
    own = settings.model_copy(update={"state_dir": tmp_path})
    with running_service(own) as client:
        assert client.get("/ready").status_code == 200
        assert client.post("/predict", files=photo()).json()["model_version"] == SMALL
        status = client.get("/status").json()
        assert words in status["catalog_problem"]
        assert str(tmp_path) not in status["catalog_problem"]
        for path in ("/models", "/dataset/images", "/runs", "/predictions"):
            response = client.get(path)
            assert (response.status_code, response.json()["code"]) == (503, "catalog-unavailable")
    assert (catalog.read_bytes() if catalog.is_file() else b"") == before
    if what == "emptied":
        assert Blobs(own.storage).exists("photographs/ab/ab.jpg")


def test_catalog_that_is_damaged_in_use_is_reported(settings: Settings, tmp_path: Path) -> None:
    own = settings.model_copy(update={"state_dir": tmp_path})
    with running_service(own) as client:
        assert client.get("/status").json()["catalog_problem"] is None
        for name in ("catalog.db", "catalog.db-wal"):
            (tmp_path / name).write_bytes(b"x" * 100_000)
        client.app.state.service.database.engine.dispose()  # type: ignore[attr-defined]
        assert client.get("/models").status_code == 503
        assert client.get("/status").json()["catalog_problem"]
        assert client.post("/predict", files=photo()).status_code == 200


def test_newer_catalog_in_postgresql(
    settings: Settings, tmp_path: Path, database: Database
) -> None:
    with database.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    url = database.engine.url.render_as_string(hide_password=False)
    own = settings.model_copy(update={"state_dir": tmp_path, "database_url": url})
    with running_service(own) as client:
        assert client.post("/predict", files=photo()).json()["model_version"] == SMALL
        assert "newer one" in client.get("/status").json()["catalog_problem"]
    with database.reading() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
