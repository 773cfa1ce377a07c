"""Schema migrations of the catalog, run by Alembic."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from api.storage.failures import UnusableCatalogError

MIGRATIONS = Path(__file__).parent / "migrations"
# The table with the revision.
REVISIONS = "alembic_version"


class NewerCatalogError(UnusableCatalogError):
    """The catalog was upgraded by a newer version of Ripeline; this one could corrupt it."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"The catalog has the revision {revision}, which this version does not "
            "know: a newer one has upgraded it. Run that version or a later one, or restore a "
            "backup from before the upgrade. Nothing was changed."
        )


def known_revisions() -> set[str]:
    """The revisions of all migrations: the numbers their file names start with."""
    files = (MIGRATIONS / "versions").glob("[0-9]*.py")
    return {file.name.partition("_")[0] for file in files}


def newest_revision() -> str:
    """Revision of the last migration."""
    return max(known_revisions())


def current_revision(connection: Connection) -> str | None:
    """Revision of the catalog's tables; None for an empty database."""
    if not inspect(connection).has_table(REVISIONS):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def check_known(revision: str | None) -> None:
    """Raises NewerCatalogError."""
    if revision is not None and revision not in known_revisions():
        raise NewerCatalogError(revision)


def upgrade(connection: Connection, revision: str) -> None:
    """Migrate to `revision`, or "head" for the newest. Raises NewerCatalogError."""
    current = current_revision(connection)
    if current == newest_revision():
        return
    check_known(current)
    # Slow to import, and few starts need it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
