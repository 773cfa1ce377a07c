"""Numbers that order model versions and runs, whatever the clock says."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    for table, key in (("models", "version"), ("runs", "id")):
        column = sa.Column("number", sa.Integer(), nullable=False, server_default="0")
        op.add_column(table, column)
        rows = sa.table(table, sa.column(key), sa.column("created_at"), sa.column("number"))
        other = rows.alias()
        is_older = sa.tuple_(other.c.created_at, other.c[key]) <= sa.tuple_(
            rows.c.created_at, rows.c[key]
        )
        older = sa.select(sa.func.count()).select_from(other).where(is_older)
        op.execute(rows.update().values(number=older.scalar_subquery()))
