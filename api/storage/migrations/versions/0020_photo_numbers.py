"""Numbers in the order in which photos were added, so that those added since are found quickly."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    for table in ("images", "boxed_photos"):
        # 0 is enough for the photos of older catalogs: no process is between two reads of them.
        column = sa.Column("number", sa.Integer(), nullable=False, server_default="0")
        op.add_column(table, column)
        op.create_index(op.f(f"ix_{table}_number"), table, ["number"])
    counter = op.create_table(
        "photo_counter",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo_counter")),
        sa.CheckConstraint("id = 1", name=op.f("one_photo_counter")),
    )
    op.bulk_insert(counter, [{"id": 1, "value": 0}])
