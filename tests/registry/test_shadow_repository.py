"""Results of shadow grading in the catalog, on each kind of database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy.orm import Session

from api.registry import repository, shadow_repository
from api.registry.shadow_repository import (
    OtherShadowError,
    ShadowGrade,
    ShadowResult,
)
from api.storage.db import Database
from api.storage.tables.predictions import PredictionRow
from api.storage.tables.shadows import ShadowRow
from tests.registry.samples import describer

CHAMPION, CANDIDATE, OTHER = "champion", "candidate", "other"
FRESH = ShadowGrade("freshapples", "fresh", 0.9)
PAST = ShadowGrade("freshapples", "past_best", 0.8)
UNKNOWN = ShadowGrade(None, None, 0.4)
THREADS = 4


@pytest.fixture(autouse=True)
def versions(database: Database) -> None:
    with database.session() as session:
        for version in (CHAMPION, CANDIDATE, OTHER):
            manifest = describer(version)({})
            repository.add_model(session, manifest, origin="fast", started_by="manual")
        repository.promote(session, CHAMPION, "first")


def results(candidates: Sequence[ShadowGrade | None], first: int = 0) -> list[ShadowResult]:
    """Results in which the version in use always says FRESH."""
    return [
        ShadowResult(f"{number:032x}", FRESH, candidate)
        for number, candidate in enumerate(candidates, first)
    ]


def start(session: Session, photos: int = 100) -> ShadowRow:
    return shadow_repository.start(session, CANDIDATE, CHAMPION, 0.1, photos)


def test_counting_ends_with_the_last_photo(database: Database) -> None:
    with database.session() as session:
        row = start(session, photos=4)
        shadow_repository.add_results(
            session, CANDIDATE, row.started_at, results([FRESH, PAST, None])
        )
        assert (row.same, row.different, row.failed, row.active) == (1, 1, 1, 1)
        more = results([FRESH, FRESH], first=3)
        shadow_repository.add_results(session, CANDIDATE, row.started_at, more)
        assert (row.same, row.different, row.failed, row.active) == (2, 1, 1, None)
        assert row.ended_by == "complete"
        shadow_repository.add_results(session, CANDIDATE, row.started_at, results([PAST], first=9))
        assert row.different == 1


def test_results_of_an_earlier_start_do_not_count(database: Database) -> None:
    with database.session() as session:
        row = start(session)
        earlier = row.started_at - timedelta(seconds=1)
        shadow_repository.add_results(session, CANDIDATE, earlier, results([FRESH]))
        assert row.same == 0


def test_processes_that_write_at_once_count_each_photo_once(database: Database) -> None:
    with database.session() as session:
        started = start(session, photos=30).started_at
    barrier = Barrier(THREADS)

    def write(number: int) -> None:
        barrier.wait()
        for k in range(5):
            with database.session() as session:
                sent = results([FRESH, PAST], first=100 * number + 10 * k)
                shadow_repository.add_results(session, CANDIDATE, started, sent)

    threads = [Thread(target=write, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        row = shadow_repository.get(session, CANDIDATE)
        assert row
        assert row.same + row.different == 30
        assert row.ended_by == "complete"
        assert sum(one.photos for one in shadow_repository.differences(session, CANDIDATE)) == (
            row.different
        )


def test_one_version_at_a_time_and_each_start_resets_the_counts(database: Database) -> None:
    with database.session() as session:
        row = start(session)
        shadow_repository.add_results(session, CANDIDATE, row.started_at, results([FRESH, PAST]))
        with pytest.raises(OtherShadowError):
            shadow_repository.start(session, OTHER, CHAMPION, 0.1, 10)
        again = start(session)
        assert (again.same, again.different) == (0, 0)
        assert shadow_repository.differences(session, CANDIDATE) == []
        shadow_repository.end(session, "stopped", OTHER)
        assert shadow_repository.active(session) is again
        repository.promote(session, OTHER, "manual")
        assert shadow_repository.active(session) is None
        assert again.ended_by == "replaced"


def test_differences_are_grouped_and_name_kept_photos(database: Database) -> None:
    with database.session() as session:
        row = start(session)
        said = results([PAST, UNKNOWN, PAST, FRESH])
        for result, blob in zip(said, ("a", None, None, "d"), strict=True):
            session.add(
                PredictionRow(
                    id=result.prediction_id,
                    created_at=datetime.now(UTC),
                    model_version=CHAMPION,
                    predicted_class="freshapples",
                    confidence=0.9,
                    recognised=True,
                    probabilities={},
                    milliseconds=1.0,
                    blob=blob,
                )
            )
        shadow_repository.add_results(session, CANDIDATE, row.started_at, said)
        session.flush()
        found = shadow_repository.differences(session, CANDIDATE)
    assert [(one.served, one.candidate, one.photos, one.examples) for one in found] == [
        (FRESH[:2], PAST[:2], 2, [said[0].prediction_id]),
        (FRESH[:2], UNKNOWN[:2], 1, []),
    ]


def test_shadow_version_is_not_pruned(database: Database) -> None:
    with database.session() as session:
        start(session)
        assert set(repository.mark_pruned(session, keep=0)) == {OTHER}
        shadow_repository.end(session, "stopped")
        assert repository.mark_pruned(session, keep=0) == [CANDIDATE]
