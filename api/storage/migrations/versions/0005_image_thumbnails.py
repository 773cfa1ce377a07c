"""Thumbnails of training images, to recognise copies by their pixels."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("images", sa.Column("thumbnail", sa.LargeBinary(), nullable=True))
