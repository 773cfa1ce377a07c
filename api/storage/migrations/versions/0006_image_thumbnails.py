"""Thumbnails of training images, to recognise copies by their pixels."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("images", sa.Column("thumbnail", sa.LargeBinary(), nullable=True))
