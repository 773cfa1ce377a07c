"""A name and a note for a model version."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    for column in ("name", "note"):
        op.add_column("models", sa.Column(column, sa.Text(), nullable=False, server_default=""))
