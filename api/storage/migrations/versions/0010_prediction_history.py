"""Batches, the fruits of a photo, and dismissed photos; indexes that searches of history use."""

import sqlalchemy as sa
from alembic import op

from api.storage.db import UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("predictions", sa.Column("batch_id", sa.String(length=32), nullable=True))
    op.add_column("predictions", sa.Column("several", sa.Boolean(), nullable=True))
    op.add_column("predictions", sa.Column("fruits", sa.Text(), nullable=True))
    op.add_column("predictions", sa.Column("dismissed_at", UtcDateTime(), nullable=True))
    _partial("ix_predictions_batch", ["batch_id", "created_at"], "batch_id IS NOT NULL")
    _partial("ix_predictions_dismissed", ["created_at"], "dismissed_at IS NOT NULL")
    searched = ["created_at", "id", "recognised", "predicted_class", "freshness_level"]
    op.create_index("ix_predictions_newest", "predictions", [*searched, "confidence", "filename"])
    ranked = ["recognised", "confidence", "id", "predicted_class", "freshness_level", "created_at"]
    op.create_index("ix_predictions_least_sure", "predictions", ranked)


def _partial(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "predictions", columns, sqlite_where=where, postgresql_where=where)
