"""The secret that decides the split of added photos. Photos already there keep their split."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "split_secret",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name="one_split_secret"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_split_secret")),
    )
