"""All measurements in one run: `make bench`, or `make bench ARGS=--quick` for a quick look.

It takes about half an hour and writes LOAD_TEST_RESULTS.md.
"""

import argparse
import sys
from datetime import UTC, datetime

from api.settings import PROJECT
from benchmarks import batch, floods, large, memory, retraining, starting
from benchmarks.machine import CORES, described
from benchmarks.pictures import MEDIUM, SMALL, photograph
from benchmarks.plan import QUICK, Plan
from benchmarks.report import Results, aims, written
from benchmarks.servers import BENCH, BENTOML, LITSERVE, OURS, USUAL
from benchmarks.speed import side_by_side
from benchmarks.terminal import Show

RESULTS = PROJECT / "LOAD_TEST_RESULTS.md"
PARTS = ("small", "medium", "batch", "large", "starting", "memory", "retraining", "floods")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few and short rounds")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    chosen = parser.parse_args()
    show = Show()
    if len(CORES) < 2:
        show.say("Two cores are needed: one for the server, one for the load.")
        return 1
    if not BENCH.exists():
        show.say(f"{BENCH.parent} is missing, where LitServe and BentoML are: make bench makes it.")
        return 1
    results = measured(QUICK if chosen.quick else Plan(), set(chosen.only), show)
    said = " ".join(sys.argv[1:])
    command = f'make bench ARGS="{said}"' if said else "make bench"
    date = datetime.now(UTC).date().isoformat()
    RESULTS.write_text(written(results, described(), date, command, chosen.quick))
    for aim in aims(results):
        show.say(f"{'met   ' if aim.met else 'missed'} {aim.figure}: {aim.found} ({aim.wanted})")
    show.say(f"Wrote {RESULTS}")
    return 0


def measured(plan: Plan, parts: set[str], show: Show) -> Results:
    everyone = [OURS, LITSERVE, BENTOML, USUAL]
    return Results(
        small=side_by_side(everyone, photograph(SMALL), plan, show) if "small" in parts else None,
        medium=side_by_side([OURS], photograph(MEDIUM), plan, show) if "medium" in parts else None,
        batch=batch.measure(plan, show) if "batch" in parts else None,
        large=large.measure(plan, show) if "large" in parts else None,
        starting=starting.measure(plan, show) if "starting" in parts else None,
        memory=memory.measure(plan, show) if "memory" in parts else None,
        retraining=retraining.measure(plan, show) if "retraining" in parts else None,
        floods=floods.measure(plan, show) if "floods" in parts else None,
    )


if __name__ == "__main__":
    sys.exit(main())
