"""Advisory locks of PostgreSQL: one purpose does not wait for another."""

from collections.abc import Iterator

import pytest

from api.catalog import repository
from api.storage.db import Database
from api.storage.locks import restore_lock
from tests.postgres import fresh_database

pytestmark = pytest.mark.slow


@pytest.fixture
def databases(postgres: str) -> Iterator[tuple[Database, Database]]:
    """Those of two processes with the same empty database."""
    url = fresh_database(postgres)
    databases = Database(url), Database(url)
    yield databases
    for database in databases:
        database.close()


def test_process_can_open_the_catalog_while_another_adds_photos(
    databases: tuple[Database, Database],
) -> None:
    adding, opening = databases
    with adding.session() as session:
        repository.lock_images(session)
        opening.check_not_restoring()


def test_restore_keeps_others_from_opening_the_catalog_only(
    databases: tuple[Database, Database],
) -> None:
    restoring, adding = databases
    with restore_lock(restoring.engine) as is_held, adding.session() as session:
        assert is_held
        repository.lock_images(session)
