"""Backup of a running service, and restoring it."""

import shutil
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from api.commands.backup import service
from api.commands.backup.catalogs import PostgresCatalog, SqliteCatalog
from api.commands.backup.contents import MANIFEST, BackupError, NotEmptyError
from api.core.errors import CatalogUnavailableError
from api.registry import repository
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.processes import running_api
from tests.registry.versions import a_shipped_package, a_small_package, register_package
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import ANSWER_SECONDS, until

pytestmark = pytest.mark.slow


def configured(database_url: str, state: Path) -> Settings:
    return Settings(state_dir=state, database_url=database_url, storage_url=str(state / "blobs"))


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Overrides the shared settings: a separate state folder on each kind of database."""
    state = tmp_path / "state"
    if database_url.startswith("sqlite"):
        database_url = f"sqlite:///{state / 'catalog.db'}"
    return configured(database_url, state)


def environment(settings: Settings) -> dict[str, str]:
    return {
        "RIPELINE_STATE_DIR": str(settings.state_dir),
        "DATABASE_URL": settings.database_url,
        "STORAGE_URL": settings.storage_url,
    }


def destroy(settings: Settings) -> None:
    shutil.rmtree(settings.state_dir)
    if settings.database_url.startswith("postgresql"):
        url = make_url(settings.database_url)
        server = url.set(database="postgres").render_as_string(hide_password=False)
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {url.database} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {url.database}".encode())


def visible_state(api: httpx.Client) -> dict[str, Any]:
    """The state as seen through the API: versions, images and their bytes, predictions."""
    images = api.get("/dataset/images").raise_for_status().json()
    image_bytes = {
        image["id"]: api.get(f"/dataset/images/{image['id']}/photograph").content
        for image in images["images"]
    }
    predictions = api.get("/predictions").raise_for_status().json()
    return {
        "serving": api.get("/model-info").json()["model_info"]["version"],
        "models": api.get("/models").json(),
        "history": api.get("/models/history").json(),
        "images": images,
        "image_bytes": image_bytes,
        "predictions": predictions,
    }


def fill(settings: Settings, api: httpx.Client, folder: Path) -> None:
    """Add another champion, three images and a prediction."""
    database = Database(settings.database)
    register_package(database, Blobs(settings.storage), a_shipped_package(folder, "b"))
    database.close()
    api.post("/models/b/promote").raise_for_status()
    files = [("files", (f"{n}.png", encode(draw_fruit("freshapples", n)))) for n in range(3)]
    stored = api.post("/upload-training-data", files=files, data={"class_name": "freshapples"})
    assert stored.raise_for_status().json()["uploaded_count"] == 3
    api.post("/predict", files={"file": encode(draw_fruit("rottenbanana"))}).raise_for_status()


def test_restored_service_has_the_same_state(settings: Settings, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    with running_api(environment(settings)) as url, client(url) as api:
        fill(settings, api, tmp_path)
        until(lambda: api.get("/model-info").json()["model_info"]["version"] == "b")
        until(lambda: api.get("/predictions").json()["predictions"])
        before = visible_state(api)
        report = service.save(settings, backup)
    assert report.manifest.blobs >= 3 + 2 * 4 + 1
    destroy(settings)
    assert service.restore(settings, backup) == report
    with running_api(environment(settings)) as url, client(url) as api:
        assert visible_state(api) == before
    with pytest.raises(NotEmptyError):
        service.restore(settings, backup)


def client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, trust_env=False, timeout=ANSWER_SECONDS)


def test_killed_restore_can_be_repeated(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_state(settings, tmp_path)
    service.save(settings, tmp_path / "backup")
    destroy(settings)

    def interrupt(_store: Blobs, key: str, _data: bytes) -> None:
        raise KeyboardInterrupt(key)

    with monkeypatch.context() as patch:
        patch.setattr(Blobs, "put", interrupt)
        with pytest.raises(KeyboardInterrupt):
            service.restore(settings, tmp_path / "backup")
    service.restore(settings, tmp_path / "backup")
    assert Blobs(settings.storage).get("models/b/head.npz")


def test_wal_files_of_an_older_catalog_are_removed(tmp_path: Path) -> None:
    settings = configured(f"sqlite:///{tmp_path / 'state' / 'catalog.db'}", tmp_path / "state")
    a_state(settings, tmp_path)
    service.save(settings, tmp_path / "backup")
    catalog = tmp_path / "state" / "catalog.db"
    writer = Database(settings.database)
    with writer.session() as session:
        session.execute(text("UPDATE champion SET changed_at = '2000-01-01 00:00:00'"))
    log = catalog.with_name("catalog.db-wal").read_bytes()
    writer.close()
    catalog.unlink()
    catalog.with_name("catalog.db-wal").write_bytes(log)
    service.restore(settings, tmp_path / "backup")
    restored = Database(settings.database)
    with restored.reading() as session:
        champion = repository.champion_row(session)
    restored.close()
    assert champion is not None
    assert champion.changed_at.year > 2000


def test_backup_and_restore_overwrite_nothing(settings: Settings, tmp_path: Path) -> None:
    a_state(settings, tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_bytes(b"x")
    with pytest.raises(NotEmptyError):
        service.save(settings, tmp_path / "other")
    service.save(settings, tmp_path / "backup")
    with pytest.raises(NotEmptyError):
        service.restore(settings, tmp_path / "backup")


def test_incomplete_backup_is_refused(settings: Settings, tmp_path: Path) -> None:
    a_state(settings, tmp_path)
    service.save(settings, tmp_path / "backup")
    (tmp_path / "backup" / MANIFEST).unlink()
    destroy(settings)
    with pytest.raises(BackupError, match="not a complete backup"):
        service.restore(settings, tmp_path / "backup")


def test_backup_without_its_catalog_is_refused(settings: Settings, tmp_path: Path) -> None:
    a_state(settings, tmp_path)
    service.save(settings, tmp_path / "backup")
    for name in (SqliteCatalog.file, PostgresCatalog.file):
        (tmp_path / "backup" / name).unlink(missing_ok=True)
    before = sorted((tmp_path / "backup").rglob("*"))
    destroy(settings)
    with pytest.raises(BackupError, match="not a complete backup: catalog"):
        service.restore(settings, tmp_path / "backup")
    assert sorted((tmp_path / "backup").rglob("*")) == before
    assert not settings.state_dir.exists()


def test_restore_needs_the_same_kind_of_database(tmp_path: Path) -> None:
    saved = configured(f"sqlite:///{tmp_path / 'catalog.db'}", tmp_path / "state")
    a_state(saved, tmp_path)
    service.save(saved, tmp_path / "backup")
    other = configured("postgresql://u@127.0.0.1:9/x", tmp_path / "state")
    with pytest.raises(BackupError, match="SQLite, and DATABASE_URL names one in PostgreSQL"):
        service.restore(other, tmp_path / "backup")


def test_backup_failures_have_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = configured(f"sqlite:///{tmp_path / 'catalog.db'}", tmp_path / "state")
    with pytest.raises(BackupError, match="no catalog"):
        service.save(missing, tmp_path / "a")
    unavailable = configured("postgresql://u:secret@127.0.0.1:9/x", tmp_path / "state")
    with pytest.raises(CatalogUnavailableError):
        PostgresCatalog(unavailable.database).check_empty()
    if shutil.which("pg_dump"):
        with pytest.raises(BackupError, match="pg_dump failed") as failed:
            service.save(unavailable, tmp_path / "b")
        assert "secret" not in failed.value.detail
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match="postgresql-client"):
        service.save(unavailable, tmp_path / "c")


def a_state(settings: Settings, folder: Path) -> None:
    """A catalog with one version, and its package."""
    database = Database(settings.database)
    settings.state_dir.mkdir(exist_ok=True)
    database.upgrade()
    register_package(database, Blobs(settings.storage), a_small_package(folder, "b"), "manual")
    database.close()
