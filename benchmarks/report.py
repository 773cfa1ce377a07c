"""LOAD_TEST_RESULTS.md: what was measured, on what, and how it stands to the aims."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.batch import BatchFigures
from benchmarks.floods import TOGETHER, FloodRow
from benchmarks.large import LargeFigures
from benchmarks.memory import FIRST, MemoryFigures
from benchmarks.retraining import RetrainingFigures
from benchmarks.servers import BENTOML, LITSERVE, OURS, USUAL
from benchmarks.speed import FEW, MANY, Row
from benchmarks.starting import StartFigures

# Memory that is flat grows by less than this, from the first thousand predictions to the last.
FLAT = 1.05
MOST_USERS = "100"


@dataclass(frozen=True)
class Results:
    """Whatever was measured in this run; None for a part that was left out."""

    small: list[Row] | None = None
    few: list[Row] | None = None
    medium: list[Row] | None = None
    batch: BatchFigures | None = None
    large: LargeFigures | None = None
    floods: list[FloodRow] | None = None
    retraining: RetrainingFigures | None = None
    starting: StartFigures | None = None
    memory: MemoryFigures | None = None


@dataclass(frozen=True)
class Aim:
    """A figure that was promised; `met` is for the reader, who sees both sides of it."""

    figure: str
    wanted: str
    found: str
    met: bool


def written(results: Results, machine: str, date: str, command: str, quick: bool) -> str:
    """The whole document."""
    parts = [
        "# Load test results",
        f"Machine: {machine}.  \nDate: {date}.  \nCommand: `{command}`.",
        "A quick look, with few and short rounds: for orientation, not for quoting." * quick,
        "Server on one core, load on the other; medians over rounds in which every contender took "
        "its turn, and ratios taken within a round. Absolute figures hold for this machine.",
        "## Aims",
        _table(
            ("figure", "wanted", "measured", ""),
            [
                (aim.figure, aim.wanted, aim.found, "met" if aim.met else "**missed**")
                for aim in aims(results)
            ],
        ),
        *_sections(results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def aims(results: Results) -> list[Aim]:
    """In the order of the promises; only of what was measured."""
    found: list[Aim] = []

    def add(figure: str, value: float, wanted: float, unit: str, least: bool = True) -> None:
        met = value >= wanted if least else value <= wanted
        word = "at least" if least else "at most"
        found.append(Aim(figure, f"{word} {wanted:g}{unit}", f"{value:.3g}{unit}", met))

    for users, rows in ((MANY, results.small), (FEW, results.few)):
        if not rows:
            continue
        by_name = {row.name: row for row in rows}
        ours = by_name[OURS.name]
        add(f"`/predict` on one core against the bare loop, {users} users", ours.ratio, 0.85, "")
        for peer in (LITSERVE.name, BENTOML.name):
            if peer in by_name:
                ratio = ours.per_second / by_name[peer].per_second
                add(f"against {peer}, same graph, same core, {users} users", ratio, 1.3, " times")
    if results.floods:
        ours_100, usual_100 = (_predict(results.floods, one.name) for one in (OURS, USUAL))
        faster = ours_100.per_second / usual_100.per_second
        add(f"against the usual design, {MOST_USERS} users: requests/s", faster, 10, " times")
        sooner = usual_100.p95 / ours_100.p95
        add(f"against the usual design, {MOST_USERS} users: p95 shorter", sooner, 20, " times")
        failed = sum(row.failed for row in results.floods if row.scenario != USUAL.name)
        add("failed requests in the Locust runs", failed, 0, "", least=False)
    if results.batch:
        add("batch on two cores against two bare loops", results.batch.ratio, 0.9, "")
    if results.large:
        add("12-megapixel JPEG against decoding it whole", results.large.ratio, 3, " times")
    if results.retraining:
        ratio = results.retraining.ratio
        add("p95 while a full retraining runs, against idle", ratio, 2, " times", least=False)
    if results.starting:
        add("start to first prediction", results.starting.first, 2, " s", least=False)
    if results.memory:
        held = results.memory.resident
        add(f"memory after {FIRST:,} predictions", held[FIRST], 200, " MB", least=False)
        most = max(held)
        grown = held[most] / held[FIRST]
        add(f"memory after {most:,} against {FIRST:,}", grown, FLAT, " times", least=False)
    return found


def _predict(rows: Iterable[FloodRow], scenario: str) -> FloodRow:
    return next(
        row
        for row in rows
        if (row.scenario, row.users, row.endpoint) == (scenario, MOST_USERS, "/predict")
    )


def _sections(results: Results) -> list[str]:
    said: list[str] = []
    small, medium = "224 x 224, as in the public set", "640 x 480, as through an app"
    for size, users, rows in (
        (small, MANY, results.small),
        (small, FEW, results.few),
        (medium, MANY, results.medium),
    ):
        if rows:
            title = f"## `/predict` on one core, {users} users: a JPEG of {size}"
            said += [title, _speeds(rows)]
    if results.batch:
        it = results.batch
        said += [
            "## Batch on two cores",
            f"{it.batch:.0f} photographs/s; two bare loops {it.loops:.0f}. The first line came "
            f"{it.first_line * 1000:.0f} ms after the first byte was sent.",
        ]
    if results.large:
        big = results.large
        said += [
            "## A photograph of 12 megapixels",
            f"{big.megabytes:.1f} MB, on one core: {big.ours:.0f} ms; decoded whole with Pillow "
            f"and graded {big.whole:.0f} ms.",
        ]
    if results.floods:
        said += ["## Locust", _floods(results.floods)]
    if results.retraining:
        it_idle, it_busy = results.retraining.idle, results.retraining.busy
        said += [
            "## While a full retraining runs",
            f"API and worker share both cores, {results.retraining.predictions} predictions. Idle: "
            f"p50 {it_idle[0]:.1f} ms, p95 {it_idle[1]:.1f} ms. While it trains: p50 "
            f"{it_busy[0]:.1f} ms, p95 {it_busy[1]:.1f} ms.",
        ]
    if results.starting:
        begun = results.starting
        said += [
            "## Start",
            f"To the first prediction {begun.first:.2f} s with an empty state folder, "
            f"{begun.later:.2f} s with the catalog of an earlier start.",
        ]
    if results.memory:
        held = results.memory.resident
        rows_of = [(f"{count:,}", f"{value:.0f}") for count, value in sorted(held.items())]
        said += ["## Memory", _table(("predictions", "resident MB"), rows_of)]
    return said


def _speeds(rows: Iterable[Row]) -> str:
    return _table(
        ("", "requests/s", "ratio", "processor ms", "its ratio", "p95 ms"),
        [
            (
                *(row.name, f"{row.per_second:.1f}", f"{row.ratio:.3f}"),
                *(f"{row.cpu_milliseconds:.2f}", f"{row.cpu_ratio:.3f}"),
                f"{row.p95:.1f}" if row.p95 else "",
            )
            for row in rows
        ],
    )


def _floods(rows: Iterable[FloodRow]) -> str:
    heads = ("scenario", "users", "endpoint", "requests", "success", "median ms", "p95", "p99")
    return _table(
        (*heads, "maximum", "requests/s"),
        [
            (
                *(row.scenario, row.users, row.endpoint.replace(TOGETHER, "all together")),
                *(f"{row.requests:,}", f"{row.success:.2%}", f"{row.median:.0f}"),
                *(f"{row.p95:.0f}", f"{row.p99:.0f}", f"{row.longest:.0f}"),
                f"{row.per_second:.1f}",
            )
            for row in rows
        ],
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
