"""Training photos that were removed and can be restored for some days."""

import sqlalchemy as sa
from alembic import op

from api.storage.db import UtcDateTime

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "removed_photos",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("class_name", sa.String(length=80), nullable=True),
        sa.Column("photograph", sa.String(length=200), nullable=False),
        sa.Column("split", sa.String(length=10), nullable=False),
        sa.Column("blob", sa.String(length=200), nullable=False),
        sa.Column("thumbnail", sa.LargeBinary(), nullable=True),
        sa.Column("contents", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("removed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removed_photos")),
    )
    for column in ("photograph", "removed_at"):
        op.create_index(op.f(f"ix_removed_photos_{column}"), "removed_photos", [column])
