"""Thresholds of single fruits, saved with a version, and the thresholds that a grade used."""

import sqlalchemy as sa
from alembic import op

from api.storage.db import UtcDateTime

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "fruit_thresholds",
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("fruit", sa.String(length=80), nullable=False),
        sa.Column("rotten_below", sa.Double(), nullable=False),
        sa.Column("fresh_from", sa.Double(), nullable=False),
        sa.Column("costs", sa.JSON(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version"],
            ["models.version"],
            name=op.f("fk_fruit_thresholds_version"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version", "fruit", name=op.f("pk_fruit_thresholds")),
    )
    for table in ("predictions", "inspection_fruits"):
        for name in ("rotten_below", "fresh_from"):
            op.add_column(table, sa.Column(name, sa.Double(), nullable=True))
