"""Alembic's entry point: migrates over the connection given by `Database.upgrade`."""

from alembic import context

from api.storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
