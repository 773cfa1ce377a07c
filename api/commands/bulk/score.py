"""Runs a scoring job, new or resumed, until its table is written."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from filelock import FileLock, Timeout

from api.commands.bulk import output
from api.commands.bulk.grader import ScoringJob
from api.commands.bulk.instance_table import instance_schema, instances_path, unnest
from api.commands.bulk.output import BadOutputError
from api.commands.bulk.resumable_job import JobSpec, ResumableJob
from api.core.errors import ProblemError
from api.core.imaging.decode import EXTENSIONS
from api.core.progress import Progress, silent

# Batches of paths to tables of their rows, in the same order; a table may cover several batches.
GradeBatches = Callable[[Iterable[Sequence[str]]], Iterator[pa.Table]]
# Paths per batch: what a process gets at once, and reads from a bucket in parallel.
BATCH_SIZE = 32
ROWS_PER_PART = 2000


class NoPhotographsError(ProblemError):
    code = "no-photographs"

    def __init__(self, address: str) -> None:
        super().__init__(
            f"There is no photograph in {address} or its folders: no name ends in one of "
            f"{', '.join(EXTENSIONS)}."
        )


class BusyError(ProblemError):
    code = "busy"

    def __init__(self, out: Path) -> None:
        super().__init__(f"Another process is writing {out}. Wait for it, or name another --out.")


@dataclass(frozen=True)
class Report:
    """Counts the rows of the finished file; earlier commands had graded `resumed` of them.

    `left_out` counts the files that are not photos, by the end of their names; `fruits` counts the
    rows of the second table.
    """

    photographs: int
    errors: int
    resumed: int
    left_out: Mapping[str, int]
    fruits: int = 0


def score(
    job: ScoringJob,
    out: Path,
    grade: GradeBatches,
    progress: Progress = silent,
    rows_per_part: int = ROWS_PER_PART,
) -> Report:
    """Grade all photos of `job` into `out`, in the order of their paths.

    Raises NoPhotographsError, NoFolderError, SourceError, BadOutputError, BusyError, OtherJobError.
    """
    output.check_format(out)
    folder = parts_folder(out)
    try:
        for path in (out, instances_path(out)) if job.instances else (out,):
            if path.exists() and not folder.exists():
                raise BadOutputError(
                    f"{path} already exists. Remove it, or name another file with --out."
                )
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock", timeout=0):
            resumable = _resume_or_create(job, folder, progress, rows_per_part)
            report = _complete(resumable, job, out, grade, progress)
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
    """The folder of the unfinished job."""
    return out.with_name(f"{out.name}.parts")


def _resume_or_create(
    job: ScoringJob, folder: Path, progress: Progress, rows_per_part: int
) -> ResumableJob:
    """Removes `folder` if no job can be created."""
    source = job.source()
    spec = JobSpec(
        source=source.address,
        model_version=job.package.manifest.version,
        thresholds=str(job.thresholds),
        grades="photos and their fruits" if job.instances else "photos",
        rows_a_part=rows_per_part,
    )
    resumable = ResumableJob.resume(folder, spec)
    if resumable is not None:
        return resumable
    try:
        resumable = ResumableJob.create(folder, spec, source.paths(), progress, source.left_out)
        if not resumable.spec.photographs:
            raise NoPhotographsError(job.address)
    except ProblemError:
        shutil.rmtree(folder)
        raise
    return resumable


def _complete(
    resumable: ResumableJob, job: ScoringJob, out: Path, grade: GradeBatches, progress: Progress
) -> Report:
    """Grade what is left, and put the parts together in `out`, with a second table beside it for
    the instances.
    """
    total, resumed = resumable.spec.photographs, resumable.rows_done
    errors = fruits = 0
    progress("Grading", resumed, total)
    if resumed < total:
        _grade_rest(resumable, grade, progress)

    def photo_rows() -> Iterator[pa.Table]:
        nonlocal errors
        for table in resumable.read_parts():
            errors += len(table) - table["error"].null_count
            yield table.select(job.photo_schema.names)

    def fruit_rows(columns: pa.Schema) -> Iterator[pa.Table]:
        nonlocal fruits
        for table in resumable.read_parts():
            rows = unnest(table, columns)
            fruits += len(rows)
            yield rows

    if job.instances:
        columns = instance_schema(job.package.manifest.classes)
        output.write_table(instances_path(out), columns, fruit_rows(columns))
    output.write_table(out, job.photo_schema, photo_rows())
    return Report(total, errors, resumed, resumable.spec.left_out, fruits)


def _grade_rest(resumable: ResumableJob, grade: GradeBatches, progress: Progress) -> None:
    """Grade what is in no part yet, and write each part once it is full."""
    size, done = resumable.spec.rows_a_part, resumable.rows_done
    unwritten: list[pa.Table] = []
    for table in grade(resumable.remaining(BATCH_SIZE)):
        unwritten.append(table)
        done += len(table)
        progress("Grading", done, resumable.spec.photographs)
        while sum(map(len, unwritten)) >= size:
            rows = pa.concat_tables(unwritten)
            resumable.write_part(rows.slice(0, size))
            unwritten = [rows.slice(size)]
    rest = pa.concat_tables(unwritten)
    if len(rest):
        resumable.write_part(rest)
