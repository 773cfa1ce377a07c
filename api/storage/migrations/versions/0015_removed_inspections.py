"""Inspections and their photos that were removed and can be restored for some days."""

import sqlalchemy as sa
from alembic import op

from api.storage.db import UtcDateTime

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("inspections", sa.Column("removed_at", UtcDateTime(), nullable=True))
    op.add_column("inspection_photos", sa.Column("removed_at", UtcDateTime(), nullable=True))
    op.add_column("inspection_photos", sa.Column("blob", sa.String(length=200), nullable=True))
    op.add_column("inspection_photos", sa.Column("repeated_by", sa.JSON(), nullable=True))
    is_removed = sa.text("removed_at IS NOT NULL")
    for table in ("inspections", "inspection_photos"):
        op.create_index(
            f"ix_{table}_removed",
            table,
            ["removed_at"],
            sqlite_where=is_removed,
            postgresql_where=is_removed,
        )
