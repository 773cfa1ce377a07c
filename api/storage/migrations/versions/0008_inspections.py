"""Inspections of lots, their photos, and the fruits in the photos."""

import sqlalchemy as sa
from alembic import op

from api.storage.db import UtcDateTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "inspections",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("lot", sa.String(length=120), nullable=False),
        sa.Column("supplier", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("max_rotten", sa.Double(), nullable=False),
        sa.Column("max_past_best", sa.Double(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspections")),
    )
    for column in ("created_at", "lot", "supplier"):
        op.create_index(f"ix_inspections_{column}", "inspections", [column])

    op.create_table(
        "inspection_photos",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("inspection_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("ungraded", sa.Integer(), nullable=False),
        sa.Column("same_as", sa.String(length=32), nullable=True),
        sa.Column("counted", sa.Boolean(), nullable=True),
        sa.Column("thumbnail", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["id"], ["predictions.id"], name=op.f("fk_inspection_photos_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["inspection_id"],
            ["inspections.id"],
            name=op.f("fk_inspection_photos_inspection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection_photos")),
        sa.UniqueConstraint(
            "inspection_id", "number", name=op.f("uq_inspection_photos_inspection_id")
        ),
        sa.UniqueConstraint("inspection_id", "sha256", name="uq_inspection_photos_sha256"),
    )

    op.create_table(
        "inspection_fruits",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("photo_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("x_min", sa.Double(), nullable=False),
        sa.Column("y_min", sa.Double(), nullable=False),
        sa.Column("x_max", sa.Double(), nullable=False),
        sa.Column("y_max", sa.Double(), nullable=False),
        sa.Column("predicted_class", sa.String(length=80), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("recognised", sa.Boolean(), nullable=False),
        sa.Column("freshness_score", sa.Double(), nullable=True),
        sa.Column("freshness_level", sa.String(length=10), nullable=True),
        sa.Column("said", sa.String(length=10), nullable=True),
        sa.Column("added", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["photo_id"],
            ["inspection_photos.id"],
            name=op.f("fk_inspection_fruits_photo_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection_fruits")),
        sa.UniqueConstraint("photo_id", "number", name=op.f("uq_inspection_fruits_photo_id")),
    )
