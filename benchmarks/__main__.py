"""All benchmarks: `make bench`, or `make bench ARGS=--quick` with fewer and shorter rounds.

Takes about half an hour, and writes its report to LOAD_TEST_RESULTS.md beside those of other
processors. A quick or partial run is only printed. Exits with status 1 if a target is missed.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from api.model.engines.processor import processor
from api.settings import PROJECT
from benchmarks import batch, instances, large_image, load_test, memory, retraining, startup
from benchmarks.machine import CORES, describe_machine
from benchmarks.peers.grading import describe_engine
from benchmarks.plan import QUICK, Plan
from benchmarks.report import render, targets
from benchmarks.results import KEPT, Report, Results, keep, kept_reports
from benchmarks.sample_images import MEDIUM, SMALL, sample_image
from benchmarks.servers import BENCH, BENTOML, KERAS_BASELINE, LITSERVE, OURS
from benchmarks.speed import FEW, MANY, Row, compare_servers
from benchmarks.terminal import Show

RESULTS = PROJECT / "LOAD_TEST_RESULTS.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="run fewer and shorter rounds")
    parser.add_argument(
        "--only", nargs="+", choices=list(PARTS), default=list(PARTS), metavar="PART"
    )
    chosen = parser.parse_args()
    show = Show()
    if len(CORES) < 2:
        show.say("Two cores are needed: one for the server, one for the load.")
        return 1
    if not BENCH.exists():
        show.say(
            f"{BENCH.parent}, the environment of LitServe and BentoML, is missing: make bench."
        )
        return 1
    plan = QUICK if chosen.quick else Plan()
    arguments = " ".join(sys.argv[1:])
    command = f'make bench ARGS="{arguments}"' if arguments else "make bench"
    date = datetime.now(UTC).date().isoformat()
    report = Report(processor(), describe_machine(), describe_engine(), date, command, Results())
    is_whole = not chosen.quick and set(chosen.only) == set(PARTS)
    for part in (part for part in PARTS if part in chosen.only):
        results = replace(report.results, **{part: PARTS[part](plan, show)})
        report = replace(report, results=results)
        if is_whole:
            # After each part, so that nothing is lost if a later one fails.
            keep(report, KEPT)
            RESULTS.write_text(render(kept_reports(KEPT)))
    if not is_whole:
        print(render([report]))
    aims = targets(report.results)
    for target in aims:
        verdict = "met   " if target.met else "missed"
        show.say(f"{verdict} {target.metric}: {target.measured} ({target.bound})")
    if is_whole:
        show.say(f"Wrote {RESULTS}")
    return 0 if all(target.met for target in aims) else 1


def _small(plan: Plan, show: Show) -> list[Row]:
    servers = [OURS, LITSERVE, BENTOML, KERAS_BASELINE]
    return compare_servers(servers, sample_image(SMALL), MANY, plan, show)


def _few(plan: Plan, show: Show) -> list[Row]:
    return compare_servers([OURS, LITSERVE, BENTOML], sample_image(SMALL), FEW, plan, show)


def _medium(plan: Plan, show: Show) -> list[Row]:
    return compare_servers([OURS], sample_image(MEDIUM), MANY, plan, show)


# In this order; the keys are the fields of `Results`.
PARTS: dict[str, Callable[[Plan, Show], Any]] = {
    "small": _small,
    "few": _few,
    "medium": _medium,
    "batch": batch.measure,
    "large": large_image.measure,
    "instances": instances.measure,
    "starting": startup.measure,
    "retraining": retraining.measure,
    "floods": load_test.measure,
    "memory": memory.measure,
}


if __name__ == "__main__":
    sys.exit(main())
