"""The monitoring summary of the last hours."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from api.monitoring.summary import MAX_SLICES, WIDTHS, Summary, summarise
from api.registry.repository import promote
from api.storage.db import Database
from api.storage.tables.models import ModelRow
from tests.predictions.samples import a_prediction

AT = datetime(2026, 11, 21, 12, 34, 56, tzinfo=UTC)


def summary(database: Database, hours: float) -> Summary:
    with database.reading() as session:
        return summarise(session, hours, AT)


def test_predictions_are_counted_in_time_slices(database: Database) -> None:
    for minutes, name, confidence, recognised in (
        (1, "pears", 0.9, True),
        (2, "pears", 0.5, False),
        (3, "plums", 0.7, True),
        (90, "plums", 0.8, True),
        (25 * 60, "plums", 0.1, True),
    ):
        a_prediction(
            database,
            created_at=AT - timedelta(minutes=minutes, seconds=0.75),
            predicted_class=name,
            confidence=confidence,
            recognised=recognised,
            milliseconds=float(minutes),
        )
    result = summary(database, 24)
    assert result.predictions == 4
    assert result.slice_seconds == 900
    busy = {item.start: item for item in result.slices if item.count}
    newest = busy[datetime(2026, 11, 21, 12, 30, tzinfo=UTC)]
    assert (newest.count, newest.unrecognised) == (3, 1)
    # Unrecognised photos count as no fruit.
    assert newest.by_class == {"pears": 1, "plums": 1}
    assert newest.mean_confidence == pytest.approx(0.7)
    assert busy[datetime(2026, 11, 21, 11, 0, tzinfo=UTC)].count == 1
    assert result.latency is not None
    assert (result.latency.sample_size, result.latency.p50_ms) == (4, 2.5)


def test_slices_have_no_gaps(database: Database) -> None:
    result = summary(database, 24)
    starts = [item.start for item in result.slices]
    assert starts[0] <= result.since < starts[1]
    assert starts[-1] <= AT < starts[-1] + timedelta(seconds=result.slice_seconds)
    steps = {later - earlier for earlier, later in pairwise(starts)}
    assert steps == {timedelta(seconds=result.slice_seconds)}
    assert (result.predictions, result.latency) == (0, None)
    assert all(item.mean_confidence is None for item in result.slices)


def test_predictions_with_a_future_date_belong_to_no_period_yet(database: Database) -> None:
    """They were recorded while a clock was ahead."""
    a_prediction(database, created_at=AT - timedelta(minutes=1), milliseconds=1.0)
    for days in (1, 3650):
        a_prediction(database, created_at=AT + timedelta(days=days), milliseconds=9.0)
    result = summary(database, 24)
    assert result.predictions == 1
    assert len(result.slices) <= MAX_SLICES + 1
    assert result.latency is not None
    assert (result.latency.sample_size, result.latency.p50_ms) == (1, 1.0)


@pytest.mark.parametrize("hours", [0.01, 1, 24, 24 * 7, 24 * 365])
def test_number_of_slices_is_bounded(database: Database, hours: float) -> None:
    assert 1 <= len(summary(database, hours).slices) <= MAX_SLICES + 1


def test_longest_period_fits_the_widest_slice() -> None:
    assert 24 * 365 * 3600 / WIDTHS[-1] <= MAX_SLICES


def test_summary_lists_model_changes(database: Database) -> None:
    with database.session() as session:
        for version in ("v1", "v2"):
            session.add(ModelRow(version=version, origin="fast", started_by="manual", manifest={}))
        session.flush()
        promote(session, "v1", "first")
        promote(session, "v2", "gate")
    changes = summary(database, 1).model_changes
    assert [(change.version, change.replaced, change.kind) for change in changes] == [
        ("v2", "v1", "gate"),
        ("v1", None, "first"),
    ]
