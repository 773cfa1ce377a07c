"""Accuracy from feedback."""

from datetime import timedelta

from sqlalchemy import update

from api.http.endpoints.feedback import FeedbackSummary
from api.predictions import feedback_repository
from api.storage.db import Database, now
from api.storage.tables.predictions import FeedbackRow
from tests.predictions.samples import a_prediction


def test_accuracy_overall_recent_by_class_and_by_version(database: Database) -> None:
    feedback = [("v1", "freshapples", True), ("v1", "rottenapples", False), ("v2", "pears", True)]
    rows = [a_prediction(database, model_version=version) for version, _, _ in feedback]
    with database.session() as session:
        for row, (_, label, correct) in zip(rows, feedback, strict=True):
            feedback_repository.put(session, row.id, label, correct, None)
        session.execute(
            update(FeedbackRow)
            .where(FeedbackRow.prediction_id == rows[1].id)
            .values(created_at=now() - timedelta(days=8))
        )
    with database.reading() as session:
        summary = FeedbackSummary.load(session, days=7)
    assert (summary.all.words, summary.all.correct) == (3, 2)
    assert summary.all.accuracy == 2 / 3
    assert (summary.recent.words, summary.recent.accuracy) == (2, 1.0)
    assert summary.by_class["rottenapples"].accuracy == 0
    assert (summary.by_version["v1"].words, summary.by_version["v2"].words) == (2, 1)


def test_without_feedback_there_is_no_accuracy(database: Database) -> None:
    with database.reading() as session:
        summary = FeedbackSummary.load(session, days=7)
    assert (summary.all.words, summary.all.accuracy) == (0, None)
    assert summary.by_class == {}
