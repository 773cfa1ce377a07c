"""What can be wrong with a job of bulk scoring, each with the way out."""

from pathlib import Path

from api.errors import ProblemError


class SourceError(ProblemError):
    code = "source-away"

    @classmethod
    def of(cls, address: str, error: Exception) -> "SourceError":
        """Made here, and not by `__init__`, for it goes from one process to another."""
        return cls(
            f"{address} cannot be read ({type(error).__name__}: {error}). Nothing is lost: put it "
            "right and run the same command again, which goes on where this one was."
        )


class NoFolderError(ProblemError):
    code = "no-folder"

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} is no folder of photographs. Name one, or s3://bucket/prefix.")


class NoPhotographsError(ProblemError):
    code = "no-photographs"

    def __init__(self, address: str, endings: tuple[str, ...]) -> None:
        super().__init__(
            f"There is no photograph in {address} nor in its folders: no name ends in one of "
            f"{', '.join(endings)}."
        )


class BadOutputError(ProblemError):
    code = "bad-output"


class OutputExistsError(BadOutputError):
    def __init__(self, out: Path) -> None:
        super().__init__(f"{out} is there already. Remove it, or name another file by --out.")


class UnwritableError(BadOutputError):
    def __init__(self, out: Path, error: OSError) -> None:
        super().__init__(
            f"{out} cannot be written: {error.strerror or error}. What is done so far is kept: the "
            "same command goes on from there once this is put right."
        )


class BusyError(ProblemError):
    code = "busy"

    def __init__(self, out: Path) -> None:
        super().__init__(f"Another process is writing {out}. Wait for it, or name another --out.")


class OtherJobError(ProblemError):
    code = "other-job"

    def __init__(self, folder: Path, what: str, before: str, now: str) -> None:
        super().__init__(
            f"{folder} holds the parts of a job with another {what}: {before}, and not {now}. "
            f"Say so again to go on with it, or remove {folder} to begin anew."
        )


class BadModelError(ProblemError):
    code = "bad-model"


class DyingWorkersError(ProblemError):
    code = "dying-workers"

    def __init__(self) -> None:
        super().__init__(
            "The processes that grade die as soon as they start; often there is too little memory. "
            "Run the same command with fewer: --processes 1."
        )


class ClusterError(ProblemError):
    code = "cluster-away"
