"""All measurements in one run: `make bench`, or `make bench ARGS=--quick` for a quick look.

It takes about half an hour and writes LOAD_TEST_RESULTS.md.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from api.settings import PROJECT
from benchmarks import batch, floods, large, memory, retraining, starting
from benchmarks.machine import CORES, described
from benchmarks.pictures import MEDIUM, SMALL, photograph
from benchmarks.plan import QUICK, Plan
from benchmarks.report import Results, aims, written
from benchmarks.servers import BENCH, BENTOML, LITSERVE, OURS, USUAL
from benchmarks.speed import FEW, MANY, Row, side_by_side
from benchmarks.terminal import Show

RESULTS = PROJECT / "LOAD_TEST_RESULTS.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few and short rounds")
    parser.add_argument(
        "--only", nargs="+", choices=list(PARTS), default=list(PARTS), metavar="PART"
    )
    chosen = parser.parse_args()
    show = Show()
    if len(CORES) < 2:
        show.say("Two cores are needed: one for the server, one for the load.")
        return 1
    if not BENCH.exists():
        show.say(f"{BENCH.parent} is missing, where LitServe and BentoML are: make bench makes it.")
        return 1
    plan = QUICK if chosen.quick else Plan()
    said = " ".join(sys.argv[1:])
    command = f'make bench ARGS="{said}"' if said else "make bench"
    date = datetime.now(UTC).date().isoformat()
    results = Results()
    for part in (part for part in PARTS if part in chosen.only):
        results = replace(results, **{part: PARTS[part](plan, show)})
        # After each: what was measured stays, should a later one fail.
        RESULTS.write_text(written(results, described(), date, command, chosen.quick))
    for aim in aims(results):
        show.say(f"{'met   ' if aim.met else 'missed'} {aim.figure}: {aim.found} ({aim.wanted})")
    show.say(f"Wrote {RESULTS}")
    return 0


def _small(plan: Plan, show: Show) -> list[Row]:
    contenders = [OURS, LITSERVE, BENTOML, USUAL]
    return side_by_side(contenders, photograph(SMALL), MANY, plan, show)


def _few(plan: Plan, show: Show) -> list[Row]:
    return side_by_side([OURS, LITSERVE, BENTOML], photograph(SMALL), FEW, plan, show)


def _medium(plan: Plan, show: Show) -> list[Row]:
    return side_by_side([OURS], photograph(MEDIUM), MANY, plan, show)


# In order, by the name of their field in `Results`.
PARTS: dict[str, Callable[[Plan, Show], Any]] = {
    "small": _small,
    "few": _few,
    "medium": _medium,
    "batch": batch.measure,
    "large": large.measure,
    "starting": starting.measure,
    "retraining": retraining.measure,
    "floods": floods.measure,
    "memory": memory.measure,
}


if __name__ == "__main__":
    sys.exit(main())
