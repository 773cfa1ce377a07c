"""Photos with boxes around their fruits, which teach the detector."""

import sqlalchemy as sa
from alembic import op

from api.storage.db import UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "boxed_photos",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=160), nullable=False),
        sa.Column("photograph", sa.String(length=200), nullable=False),
        sa.Column("split", sa.String(length=10), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("blob", sa.String(length=200), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("prediction_id", sa.String(length=32), nullable=True),
        sa.Column("unreadable", sa.String(length=40), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("thumbnail", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["prediction_id"],
            ["predictions.id"],
            name=op.f("fk_boxed_photos_prediction_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_boxed_photos")),
        sa.UniqueConstraint("prediction_id", name=op.f("uq_boxed_photos_prediction_id")),
        sa.UniqueConstraint("sha256", name=op.f("uq_boxed_photos_sha256")),
    )
    for column in ("created_at", "photograph", "split"):
        op.create_index(f"ix_boxed_photos_{column}", "boxed_photos", [column])

    op.create_table(
        "boxes",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("boxed_photo_id", sa.String(length=32), nullable=False),
        sa.Column("x_min", sa.Double(), nullable=False),
        sa.Column("y_min", sa.Double(), nullable=False),
        sa.Column("x_max", sa.Double(), nullable=False),
        sa.Column("y_max", sa.Double(), nullable=False),
        sa.Column("class_name", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(
            ["boxed_photo_id"],
            ["boxed_photos.id"],
            name=op.f("fk_boxes_boxed_photo_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_boxes")),
    )
    for column in ("boxed_photo_id", "class_name"):
        op.create_index(f"ix_boxes_{column}", "boxes", [column])
