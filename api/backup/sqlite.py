"""The catalog in SQLite, saved and brought back by SQLite's own online backup."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from api.backup.errors import BackupError, NotEmptyError

FILE = "catalog.db"


class SqliteCatalog:
    """The database at a `sqlite:///` address."""

    kind = "SQLite"

    def __init__(self, address: str) -> None:
        self._path = Path(make_url(address).database or "")

    def save(self, folder: Path) -> None:
        """A copy of one instant, while others write. Raises BackupError."""
        if not self._path.is_file():
            raise BackupError(f"There is no catalog at {self._path}, so nothing to save.")
        with (
            closing(sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(folder / FILE)) as copy,
        ):
            live.backup(copy)

    def check_empty(self) -> None:
        """Raises NotEmptyError."""
        if self._path.exists():
            raise NotEmptyError(str(self._path))

    def restore(self, folder: Path) -> None:
        """There is a catalog when this returns, and none before."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in ("-wal", "-shm"):  # Of a database that was deleted without them.
            Path(f"{self._path}{leftover}").unlink(missing_ok=True)
        temporary = self._path.with_name(f".{self._path.name}.restoring")
        temporary.unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(folder / FILE)) as saved,
            closing(sqlite3.connect(temporary)) as copy,
        ):
            saved.backup(copy)
        temporary.replace(self._path)
