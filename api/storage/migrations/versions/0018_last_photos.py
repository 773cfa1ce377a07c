"""A hash of the photos that the last run of a trigger had."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("triggers", sa.Column("last_photos", sa.String(length=64), nullable=True))
