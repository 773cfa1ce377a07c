"""Freshness in three levels: user-set thresholds and the level of each prediction."""

import sqlalchemy as sa
from alembic import op

from api.storage.db import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "freshness_thresholds",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rotten_below", sa.Double(), nullable=False),
        sa.Column("fresh_from", sa.Double(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("id = 1", name="one_pair_of_thresholds"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freshness_thresholds")),
    )
    op.add_column("predictions", sa.Column("freshness_level", sa.String(length=10), nullable=True))
