"""The catalog in PostgreSQL, saved and brought back by pg_dump and pg_restore."""

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from api.backup.errors import FailedProgramError, MissingProgramError, NotEmptyError
from api.db import AWAY, Database
from api.errors import CatalogUnavailableError

FILE = "catalog.dump"


class PostgresCatalog:
    """The database at a `postgresql://` address."""

    kind = "PostgreSQL"

    def __init__(self, address: str) -> None:
        url = make_url(address).set(drivername="postgresql")
        self._address = address
        self._password = str(url.password or "")
        # Without the password, for the list of processes shows it to everybody.
        self._shown = url.set(password=None).render_as_string()

    def save(self, folder: Path) -> None:
        """A dump of one instant, while others write. Raises BackupError."""
        self._run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", folder)

    def check_empty(self) -> None:
        """Raises NotEmptyError; CatalogUnavailableError where the database is away."""
        database = Database(self._address)
        try:
            if inspect(database.engine).get_table_names():
                raise NotEmptyError(self._shown)
        except AWAY as error:
            raise CatalogUnavailableError() from error
        finally:
            database.close()

    def restore(self, folder: Path) -> None:
        """All tables in one transaction. Raises BackupError."""
        self._run("pg_restore", "--single-transaction", "--no-owner", "--no-privileges", folder)

    def _run(self, program: str, *arguments: str | Path) -> None:
        *options, folder = arguments
        path = shutil.which(program)
        if path is None:
            raise MissingProgramError(program)
        file = ["--file", f"{folder}/{FILE}"] if program == "pg_dump" else [f"{folder}/{FILE}"]
        done = subprocess.run(  # noqa: S603
            [path, *map(str, options), "--dbname", self._shown, *file],
            env={**os.environ, **({"PGPASSWORD": self._password} if self._password else {})},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise FailedProgramError(program, done.stderr)
