"""No service opens the catalog while a backup is restored into it, and the other way round."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from api.catalog.service import open_catalog
from api.commands.backup import service
from api.commands.backup.contents import BackupError
from api.registry import repository
from api.settings import Settings
from api.storage import migrate
from api.storage.blobs import Blobs
from api.storage.db import UNAVAILABLE, Database
from api.storage.failures import ClosedCatalogError, EmptyCatalogError, RestoringError, describe
from api.storage.tables.models import ModelRow
from tests.commands.test_backup import a_state, client, destroy, environment
from tests.commands.test_backup import settings as settings  # noqa: PLC0414 - a fixture
from tests.processes import running_api
from tests.waiting import until

pytestmark = pytest.mark.slow
PHOTO = ("photographs/ab/ab.jpg", b"a photo")


@pytest.fixture
def backup(settings: Settings, tmp_path: Path) -> Path:
    """Of a catalog and a photo that are gone since."""
    a_state(settings, tmp_path)
    Blobs(settings.storage).put(*PHOTO)
    service.save(settings, tmp_path / "backup")
    destroy(settings)
    return tmp_path / "backup"


@pytest.fixture
def starting(settings: Settings, backup: Path) -> Iterator[Database]:
    """The database of a process that is about to start."""
    database = Database(settings.database)
    yield database
    database.close()


def _at_each_file(patch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    put = Blobs.put

    def act_and_put(store: Blobs, key: str, data: bytes) -> None:
        act()
        put(store, key, data)
        act()

    patch.setattr(Blobs, "put", act_and_put)


def test_process_that_starts_meanwhile_writes_nothing(
    settings: Settings, backup: Path, starting: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite its catalog would be replaced, with all that it had written."""
    refused = []

    def start() -> None:
        with pytest.raises(RestoringError) as error:
            open_catalog(starting, Blobs(settings.storage))
        refused.append(describe(error.value))
        with pytest.raises(RestoringError):
            starting.upgrade()
        for transaction in (starting.session, starting.reading):
            with pytest.raises(ClosedCatalogError), transaction():
                pass
        if starting.path:
            assert not starting.path.exists()

    with monkeypatch.context() as patch:
        _at_each_file(patch, start)
        service.restore(settings, backup)
    assert set(refused) == {
        "A backup is being restored into the catalog. This process uses it as soon as that is done."
    }
    open_catalog(starting, Blobs(settings.storage))
    with starting.session() as session:
        assert set(session.scalars(select(ModelRow.version))) == {"b"}
        repository.promote(session, "b", "manual")


def test_nothing_is_restored_while_a_process_makes_the_catalog(
    settings: Settings, backup: Path, starting: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade, told = migrate.upgrade, list[str]()

    def upgrade_while_restoring(*arguments: object) -> None:
        with pytest.raises(BackupError, match="just opening the catalog") as refused:
            service.restore(settings, backup)
        told.append(refused.value.detail)
        upgrade(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(migrate, "upgrade", upgrade_while_restoring)
    starting.upgrade()
    assert len(told) == 1
    assert not list(Blobs(settings.storage).keys("models"))


def test_service_that_starts_meanwhile_uses_the_catalog_afterwards(
    settings: Settings, backup: Path, starting: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    running: list[httpx.Client] = []

    def problem() -> str | None:
        found: str | None = running[0].get("/status").raise_for_status().json()["catalog_problem"]
        return found

    with ExitStack() as services:

        def start_once() -> None:
            if not running:
                url = services.enter_context(running_api(environment(settings)))
                running.append(services.enter_context(client(url)))
            assert "being restored" in str(problem())
            assert running[0].get("/ready").status_code == 200
            assert running[0].get("/models").json()["code"] == "catalog-unavailable"
            assert starting.path is None or not starting.path.exists()

        with monkeypatch.context() as patch:
            _at_each_file(patch, start_once)
            service.restore(settings, backup)
        until(lambda: problem() is None)
        versions = {row["version"] for row in running[0].get("/models").json()["models"]}
        assert "b" in versions


def test_reader_of_a_lost_catalog_leaves_no_file_in_the_way_of_a_restore(
    settings: Settings, backup: Path, starting: Database
) -> None:
    """Photos without a catalog, as after a restore that was killed."""
    blobs = Blobs(settings.storage)
    blobs.put(*PHOTO)
    with pytest.raises(EmptyCatalogError) as error:
        open_catalog(starting, blobs)
    starting.refuse_writes(error.value)
    # A service goes on, and looks for shadow versions and the like.
    with pytest.raises(UNAVAILABLE), starting.reading() as session:
        repository.champion_version(session)
    service.restore(settings, backup)
    open_catalog(starting, blobs)
