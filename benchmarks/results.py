"""The measurements of a run, and the stored reports: one for each processor and engine."""

import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from api.settings import PROJECT
from benchmarks.batch import BatchFigures
from benchmarks.instances import InstanceFigures
from benchmarks.large_image import LargeImageFigures
from benchmarks.load_test import LoadTestRow
from benchmarks.memory import MemoryFigures
from benchmarks.retraining import RetrainingFigures
from benchmarks.speed import Row
from benchmarks.startup import StartupFigures

KEPT = PROJECT / "benchmarks" / "reports"


@dataclass(frozen=True)
class Results:
    """The measurements of a run; None for a part that was not run."""

    small: list[Row] | None = None
    few: list[Row] | None = None
    medium: list[Row] | None = None
    batch: BatchFigures | None = None
    large: LargeImageFigures | None = None
    instances: InstanceFigures | None = None
    floods: list[LoadTestRow] | None = None
    retraining: RetrainingFigures | None = None
    starting: StartupFigures | None = None
    memory: MemoryFigures | None = None


@dataclass(frozen=True)
class Report:
    """What was run, when and where, and the results. `machine` is a full description that includes
    `processor`."""

    processor: str
    machine: str
    engine: str
    date: str
    command: str
    results: Results

    @property
    def title(self) -> str:
        return f"{self.processor}: {self.engine}"


_AS_JSON = TypeAdapter(Report)


def keep(report: Report, folder: Path = KEPT) -> None:
    """Write the report to `folder`, replacing an earlier one for the same processor and engine."""
    folder.mkdir(exist_ok=True)
    name = re.sub(r"[^a-z0-9]+", "-", report.title.lower()).strip("-")
    (folder / f"{name}.json").write_bytes(_AS_JSON.dump_json(report, indent=1) + b"\n")


def kept_reports(folder: Path = KEPT) -> list[Report]:
    """The stored reports, by processor and engine."""
    return [_AS_JSON.validate_json(path.read_bytes()) for path in sorted(folder.glob("*.json"))]
