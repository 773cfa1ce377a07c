"""One job from its beginning, or from where it was killed, to the finished file."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from filelock import FileLock, Timeout

from api.commands.bulk import output
from api.commands.bulk.grader import ScoringJob
from api.commands.bulk.job import ResumableJob
from api.commands.bulk.output import BadOutputError
from api.core.errors import ProblemError
from api.core.imaging.decode import EXTENSIONS
from api.core.progress import Progress, silent

# A table of rows for each batch of paths, or for some of them together; in order, all the same.
Grading = Callable[[Iterable[Sequence[str]]], Iterator[pa.Table]]
# Photographs that a process gets at once. From a bucket they are read at once too.
BATCH = 32
ROWS_A_PART = 2000


class NoPhotographsError(ProblemError):
    code = "no-photographs"

    def __init__(self, address: str) -> None:
        super().__init__(
            f"There is no photograph in {address} nor in its folders: no name ends in one of "
            f"{', '.join(EXTENSIONS)}."
        )


class BusyError(ProblemError):
    code = "busy"

    def __init__(self, out: Path) -> None:
        super().__init__(f"Another process is writing {out}. Wait for it, or name another --out.")


@dataclass(frozen=True)
class Report:
    """What is in the finished file; `before` of the photographs were graded by earlier commands."""

    photographs: int
    errors: int
    before: int


def score(
    work: ScoringJob,
    out: Path,
    grading: Grading,
    progress: Progress = silent,
    rows_a_part: int = ROWS_A_PART,
) -> Report:
    """Grade all photographs of `work` into `out`, in the order of their paths.

    Raises NoPhotographsError, NoFolderError, SourceError, BadOutputError, BusyError, OtherJobError.
    """
    output.check_name(out)
    folder = parts_folder(out)
    try:
        if out.exists() and not folder.exists():
            raise BadOutputError(
                f"{out} is there already. Remove it, or name another file by --out."
            )
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock", timeout=0):
            job = _job(work, folder, progress, rows_a_part)
            report = _finish(job, work, out, grading, progress)
            shutil.rmtree(folder)
    except Timeout:
        raise BusyError(out) from None
    except OSError as error:
        raise BadOutputError(
            f"{out} cannot be written: {error.strerror or error}. What is done so far is kept. Fix "
            "this and run the same command again: it continues from there."
        ) from error
    return report


def parts_folder(out: Path) -> Path:
    """Where an unfinished job lies."""
    return out.with_name(f"{out.name}.parts")


def _job(work: ScoringJob, folder: Path, progress: Progress, rows_a_part: int) -> ResumableJob:
    """The job that is in `folder`, or a new one; where none can be, the folder goes."""
    source, version = work.source(), work.package.manifest.version
    line = work.levels
    job = ResumableJob.standing(folder, source.address, version, line)
    if job is not None:
        return job
    try:
        paths = _counted(source.photographs(), progress)
        job = ResumableJob.begin(
            folder, source.address, version, line, rows_a_part=rows_a_part, paths=paths
        )
        if not job.plan.photographs:
            raise NoPhotographsError(work.address)
    except ProblemError:
        shutil.rmtree(folder)
        raise
    return job


def _finish(
    job: ResumableJob, work: ScoringJob, out: Path, grading: Grading, progress: Progress
) -> Report:
    before, errors = job.rows, 0
    progress("Grading", before, job.plan.photographs)
    if before < job.plan.photographs:
        _grade(job, grading, progress)

    def checked() -> Iterator[pa.Table]:
        nonlocal errors
        for table in job.tables():
            errors += len(table) - table["error"].null_count
            yield table

    output.write(out, work.schema, checked())
    return Report(job.plan.photographs, errors, before)


def _grade(job: ResumableJob, grading: Grading, progress: Progress) -> None:
    """Grade what is in no part yet, and write each part as soon as it is full."""
    size, done, waiting = job.plan.rows_a_part, job.rows, list[pa.Table]()
    for table in grading(job.remaining(BATCH)):
        waiting.append(table)
        done += len(table)
        progress("Grading", done, job.plan.photographs)
        while sum(map(len, waiting)) >= size:
            rows = pa.concat_tables(waiting)
            job.add(rows.slice(0, size))
            waiting = [rows.slice(size)]
    rest = pa.concat_tables(waiting)
    if len(rest):
        job.add(rest)


def _counted(paths: Iterable[str], progress: Progress) -> Iterator[str]:
    count = 0
    for count, path in enumerate(paths, start=1):
        if count % 1000 == 0:
            progress("Looking for photographs", count, count)
        yield path
    progress("Looking for photographs", count, count)
