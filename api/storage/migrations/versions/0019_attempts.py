"""How many runs of a trigger in a row had no result."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column(
        "triggers", sa.Column("attempts", sa.Integer(), nullable=False, server_default="0")
    )
