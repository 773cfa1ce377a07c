"""What keeps a backup from being made or brought back, each with the way out."""

from pathlib import Path

from api.errors import ProblemError


class BackupError(ProblemError):
    code = "no-backup"


class NotEmptyError(BackupError):
    code = "not-empty"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is not empty, and nothing is ever overwritten. Name another, or empty it "
            "yourself."
        )


class NoBackupError(BackupError):
    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} holds no whole backup: it has no backup.json.")


class OtherKindError(BackupError):
    def __init__(self, saved: str, configured: str) -> None:
        super().__init__(
            f"The backup is of a catalog in {saved}, and DATABASE_URL names one in {configured}. "
            "A catalog is brought back into a database of its own kind."
        )


class MissingProgramError(BackupError):
    def __init__(self, program: str) -> None:
        super().__init__(
            f"{program} is not installed, by which a catalog in PostgreSQL is saved and brought "
            "back. Debian: apt-get install postgresql-client; it must not be older than the server."
        )


class FailedProgramError(BackupError):
    def __init__(self, program: str, said: str) -> None:
        super().__init__(f"{program} failed: {said.strip()}")
