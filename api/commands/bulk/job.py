"""An unfinished job: a folder beside the output, from which a killed command goes on.

`photographs` holds all paths, a JSON string a line; `job.json`, written after it, says what the job
is; `rows/` has the parts that are done, Parquet files that are there whole or not at all. They are
written in order, so that the first one missing is where to go on.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel

from api.core.errors import ProblemError
from api.storage.blobs import Blobs

PLAN = "job.json"
PATHS = "photographs"
ROWS = "rows"


class OtherJobError(ProblemError):
    code = "other-job"

    def __init__(self, folder: Path, what: str, before: str, now: str) -> None:
        super().__init__(
            f"{folder} holds the parts of a job with another {what}: {before}, and not {now}. "
            f"Say so again to go on with it, or remove {folder} to begin anew."
        )


class Plan(BaseModel):
    """What a job grades, by which version and freshness thresholds, and how many rows it puts into
    a part. A job without thresholds was begun before there were levels.
    """

    source: str
    model_version: str
    thresholds: str = ""
    rows_a_part: int
    photographs: int


class ResumableJob:
    """One job on disk, of which `parts` are done."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self._paths = folder / PATHS
        self._store = _store(folder)
        self.plan = plan
        self.parts = sum(1 for _ in self._store.keys(ROWS))

    @classmethod
    def standing(
        cls, folder: Path, source: str, model_version: str, thresholds: str
    ) -> "ResumableJob | None":
        """The job that is in the folder; None where none is. Raises OtherJobError."""
        store = _store(folder)
        if not store.exists(PLAN):
            return None
        plan = Plan.model_validate_json(store.get(PLAN))
        for what, before, now in (
            ("folder of photographs", plan.source, source),
            ("model", plan.model_version, model_version),
            ("line between fresh and rotten", plan.thresholds or "none of any kind", thresholds),
        ):
            if before != now:
                raise OtherJobError(folder, what, before, now)
        return cls(folder, plan)

    @classmethod
    def begin(
        cls,
        folder: Path,
        source: str,
        model_version: str,
        thresholds: str,
        *,
        rows_a_part: int,
        paths: Iterable[str],
    ) -> "ResumableJob":
        """A job that grades `paths`, which may be very many. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        count = 0
        with (folder / PATHS).open("w", encoding="ascii") as listing:
            for path in paths:
                listing.write(f"{json.dumps(path)}\n")
                count += 1
        plan = Plan(
            source=source,
            model_version=model_version,
            thresholds=thresholds,
            rows_a_part=rows_a_part,
            photographs=count,
        )
        _store(folder).put(PLAN, plan.model_dump_json(indent=2).encode())
        return cls(folder, plan)

    @property
    def rows(self) -> int:
        return min(self.parts * self.plan.rows_a_part, self.plan.photographs)

    def remaining(self, batch: int) -> Iterator[list[str]]:
        """The paths that are in no part yet, so many at once."""
        with self._paths.open(encoding="ascii") as listing:
            rest = islice(listing, self.rows, None)
            while lines := list(islice(rest, batch)):
                yield [json.loads(line) for line in lines]

    def add(self, rows: pa.Table) -> None:
        """Write the next part. Raises OSError."""
        sink = pa.BufferOutputStream()
        pq.write_table(rows.combine_chunks(), sink)
        self._store.put(_part(self.parts), sink.getvalue().to_pybytes())
        self.parts += 1

    def tables(self) -> Iterator[pa.Table]:
        """The parts that are done, in order."""
        for number in range(self.parts):
            yield pq.read_table(pa.BufferReader(self._store.get(_part(number))))


def _store(folder: Path) -> Blobs:
    return Blobs(str(folder.resolve()))  # For its writes, which are on disk when they return.


def _part(number: int) -> str:
    return f"{ROWS}/{number:09}.parquet"
