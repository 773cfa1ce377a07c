"""What a trigger does, what triggers suggest, and which notifications were sent.

A trigger that was switched off stays off. One that was on gets the default, which only suggests: it
starts no run by itself until somebody allows it.
"""

import sqlalchemy as sa
from alembic import op

from api.storage.db import UtcDateTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("triggers", sa.Column("mode", sa.String(length=20), nullable=True))
    op.execute("UPDATE triggers SET mode = 'off' WHERE enabled IS FALSE")

    op.create_table(
        "suggestions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("trigger_name", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("active", sa.Integer(), nullable=True),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("run_id", sa.String(length=32), nullable=True),
        sa.CheckConstraint("active = 1", name="active_is_one_or_null"),
        sa.ForeignKeyConstraint(
            ["trigger_name"], ["triggers.name"], name=op.f("fk_suggestions_trigger_name")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestions")),
        sa.UniqueConstraint("trigger_name", "active", name=op.f("uq_suggestions_trigger_name")),
    )
    op.create_index("ix_suggestions_created_at", "suggestions", ["created_at"])

    op.create_table(
        "notifications",
        sa.Column("event", sa.String(length=50), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("event", name=op.f("pk_notifications")),
    )
