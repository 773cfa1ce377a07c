"""Two processes that promote the first champion at the same moment, on PostgreSQL.

There is no row to lock yet. On SQLite, a transaction that may write waits for the other one anyway.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy.orm import Session

from api.registry import repository, service
from api.registry.repository import Kind
from api.storage.db import Database
from tests.postgres import fresh_database
from tests.registry.samples import describer

MANIFESTS = {version: describer(version)({}) for version in ("a", "b")}


@pytest.fixture
def two_versions(postgres: str, migrated_postgres: str) -> Iterator[Database]:
    database = Database(fresh_database(postgres, migrated_postgres))
    with database.session() as session:
        for manifest in MANIFESTS.values():
            repository.add_model(session, manifest, origin="fast", started_by="manual")
    yield database
    database.close()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make two transactions both see that there is no champion before they continue."""
    both, check = Barrier(2, timeout=60), repository.check_promotable
    waited = set()

    def check_when_both_do(session: Session, version: str) -> None:
        check(session, version)
        if id(session) not in waited:
            waited.add(id(session))
            both.wait()

    monkeypatch.setattr(repository, "check_promotable", check_when_both_do)


def promote(database: Database, version: str, kind: Kind) -> tuple[str, str | None]:
    """The promoted version and the previous one, as returned to the caller."""
    with database.session() as session:
        promotion = repository.promote(session, version, kind)
        return promotion.version, promotion.replaced


def history(database: Database) -> list[tuple[str, str | None, str]]:
    """The promotions, oldest first."""
    with database.reading() as session:
        rows = repository.history(session)
    return [(row.version, row.replaced, row.kind) for row in reversed(rows)]


def champion(database: Database) -> str | None:
    with database.reading() as session:
        return repository.champion_version(session)


@pytest.mark.usefixtures("at_once")
def test_one_after_the_other_is_the_champion(two_versions: Database) -> None:
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(promote, [two_versions] * 2, "ab", ["manual"] * 2))
    (first, before), (last, replaced) = sorted(told, key=lambda one: one[1] is not None)
    assert (before, replaced, {first, last}) == (None, first, {"a", "b"})
    assert history(two_versions) == [(first, None, "manual"), (last, first, "manual")]
    assert champion(two_versions) == last


@pytest.mark.usefixtures("at_once")
def test_same_version_is_promoted_once(two_versions: Database) -> None:
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(promote, [two_versions] * 2, "aa", ["manual"] * 2))
    assert told == [("a", None)] * 2
    assert history(two_versions) == [("a", None, "manual")]


def test_shipped_version_does_not_replace_one_that_a_person_promoted(
    two_versions: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = repository.check_promotable

    def check_while_b_is_promoted(session: Session, version: str) -> None:
        check(session, version)
        if version == "a" and champion(two_versions) is None:
            promote(two_versions, "b", "manual")

    monkeypatch.setattr(repository, "check_promotable", check_while_b_is_promoted)
    service._add_shipped(two_versions, MANIFESTS["a"])
    assert champion(two_versions) == "b"
    assert history(two_versions) == [("b", None, "manual")]
