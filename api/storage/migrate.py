"""Bringing the tables of a catalog to the shape that this version of the code declares."""

from collections.abc import Collection
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


class NewerCatalogError(Exception):
    """The catalog was upgraded by a newer version of Ripeline, whose tables this one may break."""

    def __init__(self, revisions: Collection[str]) -> None:
        super().__init__(
            f"The catalog has the revision {', '.join(revisions)}, which this version does not "
            "know: a newer one has upgraded it. Run that version or a later one, or bring back a "
            "backup from before the upgrade. Nothing was changed."
        )


def upgrade(connection: Connection, migrations: Path, revision: str) -> None:
    """Run the `migrations` of a folder up to `revision`, "head" for all of them.

    Raises NewerCatalogError.
    """
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    standing = MigrationContext.configure(connection).get_current_heads()
    if unknown := set(standing) - known:
        raise NewerCatalogError(unknown)
    command.upgrade(config, revision)
