"""Why a photo could not be read when a run last tried to."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("images", sa.Column("unreadable", sa.String(length=40), nullable=True))
