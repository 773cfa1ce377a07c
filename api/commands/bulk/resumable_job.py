"""An unfinished job: a folder beside the output, from which a killed command resumes.

`photographs` has all paths, one JSON string per line; `job.json`, written after it, describes the
job; `rows/` has the finished parts, Parquet files that are written atomically and in order, so that
the job resumes at the first one missing.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel

from api.core.errors import ProblemError
from api.core.progress import Progress
from api.storage.blobs import Blobs

SPEC = "job.json"
PATHS = "photographs"
PARTS = "rows"
# A job is only resumed if these fields of its spec are the same. In words, for the error.
COMPARED = {
    "source": "folder of photographs",
    "model_version": "model",
    "thresholds": "line between fresh and rotten",
    "grades": "choice of what to grade",
}


class OtherJobError(ProblemError):
    code = "other-job"

    def __init__(self, folder: Path, what: str, before: str, now: str) -> None:
        super().__init__(
            f"{folder} holds the parts of a job with another {what}: {before}, not {now}. "
            f"Run it with the same one to resume, or remove {folder} to start over."
        )


class JobSpec(BaseModel):
    """What `job.json` holds. `thresholds` is empty in jobs from before there were freshness levels.
    `grades` says what is graded.

    `left_out` counts the files that are not photos, by the end of their names.
    """

    source: str
    model_version: str
    thresholds: str = ""
    grades: str = "photos"
    rows_a_part: int
    photographs: int = 0
    left_out: Mapping[str, int] = {}


class ResumableJob:
    """A job on disk, of which the first `parts_done` parts are finished."""

    def __init__(self, folder: Path, spec: JobSpec) -> None:
        self._paths = folder / PATHS
        self._blobs = _blobs(folder)
        self.spec = spec
        self.parts_done = sum(1 for _ in self._blobs.keys(PARTS))

    @classmethod
    def resume(cls, folder: Path, spec: JobSpec) -> "ResumableJob | None":
        """The job in `folder`, or None. Raises OtherJobError if it is not the job of `spec`."""
        blobs = _blobs(folder)
        if not blobs.exists(SPEC):
            return None
        saved = JobSpec.model_validate_json(blobs.get(SPEC))
        for name, what in COMPARED.items():
            before, now = getattr(saved, name), getattr(spec, name)
            if before != now:
                raise OtherJobError(folder, what, before or "none of any kind", now)
        return cls(folder, saved)

    @classmethod
    def create(
        cls,
        folder: Path,
        spec: JobSpec,
        paths: Iterable[str],
        progress: Progress,
        left_out: Mapping[str, int],
    ) -> "ResumableJob":
        """A new job that grades `paths`, which are never all in memory. Raises OSError.

        `left_out` is read once `paths` has ended.
        """
        # Parts without a spec are left by a command that was killed while it removed its job.
        _blobs(folder).delete_folder(PARTS)
        count = 0
        with (folder / PATHS).open("w", encoding="ascii") as listing:
            for count, path in enumerate(paths, start=1):
                listing.write(f"{json.dumps(path)}\n")
                if count % 1000 == 0:  # The total is unknown.
                    progress("Looking for photographs", count, count)
        progress("Looking for photographs", count, count)
        spec = spec.model_copy(update={"photographs": count, "left_out": dict(left_out)})
        _blobs(folder).put(SPEC, spec.model_dump_json(indent=2).encode())
        return cls(folder, spec)

    @property
    def rows_done(self) -> int:
        return min(self.parts_done * self.spec.rows_a_part, self.spec.photographs)

    def remaining(self, batch_size: int) -> Iterator[list[str]]:
        """Batches of the paths that are in no part yet."""
        with self._paths.open(encoding="ascii") as listing:
            rest = islice(listing, self.rows_done, None)
            while lines := list(islice(rest, batch_size)):
                yield [json.loads(line) for line in lines]

    def write_part(self, rows: pa.Table) -> None:
        """Write the next part. Raises OSError."""
        sink = pa.BufferOutputStream()
        pq.write_table(rows.combine_chunks(), sink)
        self._blobs.put(_part_key(self.parts_done), sink.getvalue().to_pybytes())
        self.parts_done += 1

    def read_parts(self) -> Iterator[pa.Table]:
        """The finished parts, in order."""
        for number in range(self.parts_done):
            yield pq.read_table(pa.BufferReader(self._blobs.get(_part_key(number))))


def _blobs(folder: Path) -> Blobs:
    return Blobs(str(folder.resolve()))  # Writes atomically, and to disk.


def _part_key(number: int) -> str:
    return f"{PARTS}/{number:09}.parquet"
