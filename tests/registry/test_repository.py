"""The registry: one champion, its history, and rollbacks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from typing import TypeVar

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from api.registry import repository
from api.registry.repository import NothingToRollBackToError, PrunedModelError, UnknownModelError
from api.storage.db import Database, now
from api.storage.tables.models import ChampionRow, ModelRow
from tests.registry.samples import describer


def add(database: Database, *versions: str) -> None:
    """Add versions, oldest first."""
    for version in versions:
        with database.session() as session:
            manifest = describer(version)({})
            repository.add_model(session, manifest, origin="fast", started_by="manual")


def promote(database: Database, *versions: str) -> None:
    for version in versions:
        with database.session() as session:
            repository.promote(session, version, "manual")


def roll_back(database: Database) -> str:
    with database.session() as session:
        return repository.rollback(session).version


T = TypeVar("T")


def read(database: Database, query: Callable[[Session], T]) -> T:
    with database.reading() as session:
        return query(session)


def test_empty_registry_has_no_champion(database: Database) -> None:
    assert read(database, repository.champion_version) is None
    assert read(database, repository.list_models) == []
    assert read(database, repository.history) == []
    with pytest.raises(NothingToRollBackToError):
        roll_back(database)


def test_versions_are_listed_newest_first(database: Database) -> None:
    add(database, "b", "a", "c")
    assert [row.version for row in read(database, repository.list_models)] == ["c", "a", "b"]
    row = read(database, lambda session: repository.get_model(session, "a"))
    assert row.manifest == describer("a")({}).model_dump(mode="json")


@pytest.mark.parametrize("version", ["b", "", "../a", "a\0", "\ud800"])
def test_unknown_version_is_rejected(database: Database, version: str) -> None:
    add(database, "a")
    with pytest.raises(UnknownModelError):
        read(database, lambda session: repository.get_model(session, version))
    with pytest.raises(UnknownModelError):
        promote(database, version)
    assert read(database, repository.champion_version) is None


def test_every_promotion_is_in_the_history(database: Database) -> None:
    add(database, "a", "b")
    promote(database, "a", "b", "b", "a")
    rows = read(database, repository.history)
    assert [(row.version, row.replaced) for row in rows] == [("a", "b"), ("b", "a"), ("a", None)]
    assert read(database, repository.champion_version) == "a"
    champion = read(database, repository.champion_row)
    assert champion is not None
    assert champion.changed_at == rows[0].at


def test_promotion_is_rolled_back_with_its_transaction(database: Database) -> None:
    add(database, "a", "b")
    promote(database, "a")

    def fail() -> None:
        with database.session() as session:
            repository.promote(session, "b", "gate")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert read(database, repository.champion_version) == "a"
    assert len(read(database, repository.history)) == 1


def test_repeated_rollbacks_go_further_back(database: Database) -> None:
    add(database, "a", "b", "c", "d")
    promote(database, "a", "b", "c")
    assert roll_back(database) == "b"
    assert roll_back(database) == "a"
    with pytest.raises(NothingToRollBackToError):
        roll_back(database)
    assert read(database, repository.champion_version) == "a"
    promote(database, "d")
    assert roll_back(database) == "a"
    assert [row.kind for row in read(database, repository.history)][:2] == ["rollback", "manual"]


def test_versions_rolled_back_from_are_skipped(database: Database) -> None:
    add(database, "a", "b", "bad", "c")
    promote(database, "a", "b", "bad")
    assert roll_back(database) == "b"
    promote(database, "c")
    assert roll_back(database) == "b"
    assert roll_back(database) == "a"


def test_rollback_from_a_version_promoted_twice(database: Database) -> None:
    add(database, "a", "b")
    promote(database, "a", "b", "a")
    assert roll_back(database) == "b"
    assert roll_back(database) == "a"
    with pytest.raises(NothingToRollBackToError):
        roll_back(database)


def test_pruned_version_is_not_promoted(database: Database) -> None:
    add(database, "a", "b")
    promote(database, "a", "b")
    with database.session() as session:
        session.execute(update(ModelRow).where(ModelRow.version == "a").values(pruned_at=now()))
    with pytest.raises(PrunedModelError):
        promote(database, "a")
    with pytest.raises(PrunedModelError):
        roll_back(database)
    assert read(database, repository.champion_version) == "b"
    assert read(database, repository.available_versions) == {"b"}


def test_concurrent_promotions_are_serialised(database: Database) -> None:
    versions = [f"v{number}" for number in range(6)]
    add(database, "first", *versions)
    promote(database, "first")
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda version: promote(database, version), versions * 3))
    rows = read(database, repository.history)[::-1]
    assert read(database, lambda s: s.scalar(select(func.count()).select_from(ChampionRow))) == 1
    assert read(database, repository.champion_version) == rows[-1].version
    # Each replaced the champion of the previous promotion.
    assert [row.replaced for row in rows] == [None, *(row.version for row in rows[:-1])]


def test_pruning_keeps_the_newest_the_champion_and_the_rollback_target(database: Database) -> None:
    add(database, "old", "before", "champion", "rejected", "e", "f", "g")
    promote(database, "before", "champion")

    def mark(keep: int) -> list[str]:
        with database.session() as session:
            return repository.mark_pruned(session, keep)

    assert mark(3) == ["rejected", "old"]
    assert mark(3) == []
    assert read(database, repository.available_versions) == {"before", "champion", "e", "f", "g"}


def test_pruning_keeps_the_newest_that_passed_and_waits(database: Database) -> None:
    """Versions rejected since then push it out of the newest, but its files stay."""
    add(database, "champion")
    promote(database, "champion")
    for version, passed in (("older", True), ("waits", True), ("b", False), ("c", False)):
        with database.session() as session:
            manifest = describer(version)({}).model_copy(update={"parent": "champion"})
            verdict = {"promote": False, "passed": passed}
            repository.add_model(
                session, manifest, origin="fast", started_by="manual", verdict=verdict
            )
    assert _mark(database) == ["c", "b", "older"]
    promote(database, "waits")
    promote(database, "champion")
    assert read(database, repository.rollback_target) == "waits"
    with database.session() as session:
        repository.rollback(session)
        repository.rollback(session)
    # It has been in use, so it no longer waits.
    assert read(database, repository.champion_version) == "champion"
    assert _mark(database) == ["waits"]


@pytest.mark.parametrize("days", [400, -400])
def test_wrong_clock_does_not_change_the_order(database: Database, days: int) -> None:
    """Versions made while the clock was ahead or behind are not newer or older because of that."""
    add(database, "a", "b", "c", "d")
    wrong = update(ModelRow).where(ModelRow.version.in_(["b", "c"]))
    with database.session() as session:
        session.execute(wrong.values(created_at=now() + timedelta(days=days)))
    add(database, "e")
    assert [row.version for row in read(database, repository.list_models)] == [*"edcba"]
    with database.session() as session:
        assert repository.mark_pruned(session, keep=2) == [*"cba"]


def test_versions_of_an_older_process_are_in_their_place(database: Database) -> None:
    """It runs beside this one during an upgrade, and does not number its versions."""
    add(database, "a", "b", "c")
    with database.session() as session:
        session.add(ModelRow(version="d", origin="fast", started_by="manual", manifest={}))
    add(database, "e")
    assert [row.version for row in read(database, repository.list_models)] == [*"edcba"]


def test_pruning_waits_for_a_promotion_in_progress(database: Database) -> None:
    """Otherwise it could delete the new champion."""
    add(database, "a", "b", "c", "d")
    promote(database, "b", "c", "d")
    with ThreadPoolExecutor(1) as pool:
        with database.session() as session:
            repository.promote(session, "a", "manual")
            pruning = pool.submit(_mark, database)
            assert not wait([pruning], timeout=0.3).done
        assert "a" not in pruning.result()
    assert read(database, repository.champion_version) == "a"


def _mark(database: Database) -> list[str]:
    with database.session() as session:
        return repository.mark_pruned(session, 0)
