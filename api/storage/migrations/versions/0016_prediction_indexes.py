"""Indexes of the random sample that SQLite uses too; drops the one of the time, part of another."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
REST = " AND blob IS NOT NULL AND dismissed_at IS NULL"


def upgrade() -> None:
    op.drop_index("ix_predictions_created_at", "predictions")
    op.drop_index("ix_predictions_sampled", "predictions")
    columns = ["model_version", "dismissed_at", "id", "sampled"]
    _partial("ix_predictions_sampled", columns, "")
    _partial("ix_predictions_to_ask", ["created_at", "id"], REST)


def _partial(name: str, columns: list[str], rest: str) -> None:
    op.create_index(
        name,
        "predictions",
        columns,
        sqlite_where=sa.text(f"sampled IS 1{rest}"),
        postgresql_where=sa.text(f"sampled{rest}"),
    )
