"""Renders LOAD_TEST_RESULTS.md: the targets on each processor side by side, then all
measurements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.load_test import TOGETHER, LoadTestRow
from benchmarks.memory import FIRST
from benchmarks.results import Report, Results
from benchmarks.servers import BENTOML, KERAS_BASELINE, LITSERVE, OURS
from benchmarks.speed import FEW, MANY, Row

# Allowed growth of memory after the first thousand predictions.
MAX_GROWTH = 1.05
MOST_USERS = "100"


@dataclass(frozen=True)
class Target:
    """A promised bound on a metric, and the measurement."""

    metric: str
    bound: str
    measured: str
    met: bool


def render(reports: Sequence[Report]) -> str:
    """The whole document."""
    parts = [
        "# Load test results",
        "One report for each processor and engine that `make bench` ran on. Unless stated "
        "otherwise, the server has one core and the load generator the other. The bare loop only "
        "decodes and grades. Figures are medians over rounds that measure all servers in turn; "
        "ratios are taken within a round. Absolute figures hold only for the machine named.",
        "## Targets",
        _targets_table(reports),
        *(part for report in reports for part in _report(report)),
    ]
    return "\n\n".join(parts) + "\n"


def _report(report: Report) -> list[str]:
    return [
        f"## {report.title}",
        f"Machine: {report.machine}.  \nDate: {report.date}.  \nCommand: `{report.command}`.",
        *_sections(report.results),
    ]


def _targets_table(reports: Sequence[Report]) -> str:
    """A row for each target, a column for each report; cells without a measurement are empty."""
    measured = [{one.metric: one for one in targets(report.results)} for report in reports]
    bounds = {one.metric: one.bound for column in measured for one in column.values()}
    return _table(
        ("metric", "target", *(report.title for report in reports)),
        [
            (metric, bound, *(_verdict(column.get(metric)) for column in measured))
            for metric, bound in bounds.items()
        ],
    )


def _verdict(target: Target | None) -> str:
    if target is None:
        return ""
    return target.measured if target.met else f"{target.measured}, **missed**"


def targets(results: Results) -> list[Target]:
    """The targets of the parts that were measured."""
    found: list[Target] = []

    def add(metric: str, value: float, bound: float, unit: str, minimum: bool = True) -> None:
        met = value >= bound if minimum else value <= bound
        word = "at least" if minimum else "at most"
        found.append(Target(metric, f"{word} {bound:g}{unit}", f"{value:.3g}{unit}", met))

    for users, rows, peers_bound in ((MANY, results.small, 1.5), (FEW, results.few, 1.3)):
        if not rows:
            continue
        by_name = {row.name: row for row in rows}
        ours = by_name[OURS.name]
        add(f"`/predict` on one core against the bare loop, {users} users", ours.ratio, 0.85, "")
        for peer in (LITSERVE.name, BENTOML.name):
            if peer in by_name:
                ratio = ours.per_second / by_name[peer].per_second
                metric = f"against {peer}, same model, same core, {users} users"
                add(metric, ratio, peers_bound, " times")
        if users == FEW and LITSERVE.name in by_name:
            longer = ours.p95 / by_name[LITSERVE.name].p95
            add(f"p95 against LitServe, {users} users", longer, 1, " times", minimum=False)
    if results.floods:
        ours_100, keras_100 = (_predict(results.floods, one.name) for one in (OURS, KERAS_BASELINE))
        faster = ours_100.per_second / keras_100.per_second
        add(f"against keras.Model.predict, {MOST_USERS} users: requests/s", faster, 10, " times")
        sooner = keras_100.p95 / ours_100.p95
        add(f"against keras.Model.predict, {MOST_USERS} users: p95 shorter", sooner, 20, " times")
        failed = sum(row.failed for row in results.floods if row.scenario != KERAS_BASELINE.name)
        add("failed requests in the Locust runs", failed, 0, "", minimum=False)
    if results.batch:
        add("batch on two cores against two bare loops", results.batch.ratio, 0.9, "")
    if results.large:
        add("12-megapixel JPEG against decoding it in full", results.large.ratio, 3, " times")
    if results.instances:
        ratio = results.instances.ratio
        add("five fruits in a photo against a plain prediction", ratio, 8, " times", minimum=False)
    if results.retraining:
        ratio = results.retraining.ratio
        add("p95 during a full retraining, against idle", ratio, 2, " times", minimum=False)
    if results.starting:
        add("start to first prediction", results.starting.first, 2, " s", minimum=False)
    if results.memory:
        held = results.memory.resident
        add(f"memory after {FIRST:,} predictions", held[FIRST], 320, " MB", minimum=False)
        most = max(held)
        grown = held[most] / held[FIRST]
        add(f"memory after {most:,} against {FIRST:,}", grown, MAX_GROWTH, " times", minimum=False)
    return found


def _predict(rows: Iterable[LoadTestRow], scenario: str) -> LoadTestRow:
    return next(
        row
        for row in rows
        if (row.scenario, row.users, row.endpoint) == (scenario, MOST_USERS, "/predict")
    )


def _sections(results: Results) -> list[str]:
    sections: list[str] = []
    small, medium = "224 x 224, as in the public dataset", "640 x 480, as from a messaging app"
    for size, users, rows in (
        (small, MANY, results.small),
        (small, FEW, results.few),
        (medium, MANY, results.medium),
    ):
        if rows:
            title = f"### `/predict` on one core, {users} users: a JPEG of {size}"
            sections += [title, _speeds(rows)]
    if results.batch:
        it = results.batch
        sections += [
            "### Batch on two cores",
            f"{it.batch:.0f} images/s; two bare loops: {it.loops:.0f}. The first result came after "
            f"{it.first_line * 1000:.0f} ms.",
        ]
    if results.large:
        big = results.large
        sections += [
            "### A 12-megapixel photo",
            f"{big.megabytes:.1f} MB, on one core: {big.ours:.0f} ms; with Pillow decoding it in "
            f"full: {big.full:.0f} ms.",
        ]
    if results.instances:
        five = results.instances
        sections += [
            "### Five fruits in a photo",
            f"640 x 480, on one core: {five.instances:.1f} ms to find and grade each fruit, "
            f"{five.plain:.1f} ms to grade the photo as a whole.",
        ]
    if results.floods:
        sections += ["### Locust", _floods(results.floods)]
    if results.retraining:
        idle, busy = results.retraining.idle, results.retraining.busy
        sections += [
            "### During a full retraining",
            f"API and worker share both cores; {results.retraining.predictions} predictions. Idle: "
            f"p50 {idle[0]:.1f} ms, p95 {idle[1]:.1f} ms. During training: p50 "
            f"{busy[0]:.1f} ms, p95 {busy[1]:.1f} ms.",
        ]
    if results.starting:
        startup = results.starting
        sections += [
            "### Startup",
            f"First prediction after {startup.first:.2f} s with an empty state folder, "
            f"{startup.later:.2f} s with the catalog of an earlier start.",
        ]
    if results.memory:
        held = results.memory.resident
        rows_of = [(f"{count:,}", f"{value:.0f}") for count, value in sorted(held.items())]
        sections += ["### Memory", _table(("predictions", "resident MB"), rows_of)]
        if results.memory.peak is not None:
            sections.append(
                f"Medians since the number before; at most {results.memory.peak:.0f} MB."
            )
    return sections


def _speeds(rows: Iterable[Row]) -> str:
    return _table(
        ("", "requests/s", "ratio", "CPU ms", "CPU ratio", "p95 ms"),
        [
            (
                *(row.name, f"{row.per_second:.1f}", f"{row.ratio:.3f}"),
                *(f"{row.cpu_milliseconds:.2f}", f"{row.cpu_ratio:.3f}"),
                f"{row.p95:.1f}" if row.p95 else "",
            )
            for row in rows
        ],
    )


def _floods(rows: Iterable[LoadTestRow]) -> str:
    heads = ("scenario", "users", "endpoint", "requests", "success", "median ms", "p95", "p99")
    return _table(
        (*heads, "maximum", "requests/s"),
        [
            (
                *(row.scenario, row.users, row.endpoint.replace(TOGETHER, "all")),
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
