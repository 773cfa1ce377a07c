"""Which predictions are drawn at random to ask people about, and which answers were asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("predictions", sa.Column("sampled", sa.Boolean(), nullable=True))
    op.create_index(
        "ix_predictions_sampled",
        "predictions",
        ["model_version", "created_at"],
        sqlite_where=sa.text("sampled"),
        postgresql_where=sa.text("sampled"),
    )
    op.add_column("feedback", sa.Column("asked", sa.Boolean(), nullable=True))
