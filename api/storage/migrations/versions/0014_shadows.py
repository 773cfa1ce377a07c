"""Shadow versions, which grade photos beside the one in use, and their grades."""

import sqlalchemy as sa
from alembic import op

from api.storage.db import UtcDateTime

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "shadows",
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("beside", sa.String(length=80), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("photos", sa.Integer(), nullable=False),
        sa.Column("active", sa.Integer(), nullable=True),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("same", "different", "failed")
        ),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=10), nullable=True),
        sa.CheckConstraint("active = 1", name="active_is_one_or_null"),
        sa.ForeignKeyConstraint(
            ["version"], ["models.version"], name=op.f("fk_shadows_version"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_shadows")),
        sa.UniqueConstraint("active", name=op.f("uq_shadows_active")),
    )
    op.create_index(op.f("ix_shadows_started_at"), "shadows", ["started_at"])
    op.create_table(
        "shadow_grades",
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("prediction_id", sa.String(length=32), nullable=False),
        sa.Column("same", sa.Boolean(), nullable=False),
        sa.Column("served_class", sa.String(length=80), nullable=True),
        sa.Column("served_level", sa.String(length=10), nullable=True),
        sa.Column("served_confidence", sa.Double(), nullable=False),
        sa.Column("class_name", sa.String(length=80), nullable=True),
        sa.Column("level", sa.String(length=10), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version"],
            ["shadows.version"],
            name=op.f("fk_shadow_grades_version"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version", "prediction_id", name=op.f("pk_shadow_grades")),
    )
