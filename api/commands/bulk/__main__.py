"""Grade a folder or a bucket of photographs into one table.

Run again after it was stopped or killed, it goes on where it was.
"""

import argparse
import sys
import time
from typing import TYPE_CHECKING

from api.commands.cli_args import count, path
from api.core.errors import ProblemError
from api.core.freshness_levels import LevelThresholds, problem_of

if TYPE_CHECKING:
    from api.commands.bulk.grader import ScoringJob
    from api.commands.bulk.on_ray import Cluster
    from api.commands.bulk.workers import Workers


def main() -> int:
    arguments = _arguments()
    started = time.monotonic()
    try:
        line = _run(arguments)
    except ProblemError as error:
        print(error.detail, file=sys.stderr)
        return 1
    except ImportError as error:
        print(f"{error}. {_missing(arguments)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Run the same command again to go on.", file=sys.stderr)
        return 130
    print(f"{line} {time.monotonic() - started:.0f} s.")
    return 0


def _run(arguments: argparse.Namespace) -> str:
    """Does what was asked, and says what came of it."""
    # Imported here, where a missing extra can be told.
    from api.commands.bulk.grader import ScoringJob  # noqa: PLC0415
    from api.commands.bulk.model import chosen_package  # noqa: PLC0415
    from api.commands.bulk.score import score  # noqa: PLC0415
    from api.core.progress import terminal  # noqa: PLC0415
    from api.settings import get_settings  # noqa: PLC0415

    settings = get_settings()
    package = chosen_package(settings, arguments.model)
    work = ScoringJob(
        package,
        arguments.source,
        settings.max_body_bytes,
        settings.max_pixels,
        _thresholds(arguments),
    )
    processes = arguments.processes or settings.inference_threads
    with _graders(work, processes, arguments.ray) as graders, terminal() as progress:
        report = score(work, arguments.out, graders.grade, progress, arguments.rows_a_part)
    before = f" ({report.before} of them by an earlier command)" if report.before else ""
    return (
        f"{arguments.out} has {report.photographs} photographs{before}, {report.errors} of them "
        f"with an error, by version {package.manifest.version}."
    )


def _graders(work: "ScoringJob", processes: int, ray_address: str | None) -> "Cluster | Workers":
    if ray_address:
        from api.commands.bulk.on_ray import Cluster  # noqa: PLC0415

        return Cluster(work, ray_address)
    from api.commands.bulk.workers import Workers  # noqa: PLC0415

    return Workers(work, processes)


def _missing(arguments: argparse.Namespace) -> str:
    if arguments.ray:
        return "Grading on a cluster needs the extra 'cluster': requirements/cluster.txt has it."
    return "Bulk scoring needs the extras 'serve' and 'bulk': requirements.txt has them."


def _thresholds(arguments: argparse.Namespace) -> LevelThresholds | None:
    """Those that were asked for, and `_arguments` has verified."""
    if arguments.rotten_below is None:
        return None
    return LevelThresholds(arguments.rotten_below, arguments.fresh_from)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m api.commands.bulk", description=__doc__)
    parser.add_argument("source", help="a folder, or an address such as s3://bucket/prefix")
    parser.add_argument("--out", type=path, required=True, help="a .parquet or .csv file")
    parser.add_argument(
        "--model",
        default="champion",
        help="'champion' of the catalog, 'default' (RIPELINE_MODEL_DIR), a package's folder, or a "
        "stored version",
    )
    parser.add_argument("--processes", type=count, help="as many as cores, if left out")
    parser.add_argument(
        "--rows-a-part", type=count, default=2000, help="so much a kill can lose (2000)"
    )
    parser.add_argument("--ray", metavar="ADDRESS", help="grade on this Ray cluster instead")
    parser.add_argument(
        "--rotten-below",
        type=float,
        help="a freshness score, 0 to 1: what lies below is rotten (with --fresh-from)",
    )
    parser.add_argument(
        "--fresh-from",
        type=float,
        help="from this score on it is fresh, and past its best before (the model's own, if both "
        "are left out)",
    )
    arguments = parser.parse_args()
    below, fresh = arguments.rotten_below, arguments.fresh_from
    if (below is None) != (fresh is None):
        parser.error("--rotten-below and --fresh-from go together: give both")
    if below is not None and (problem := problem_of(below, fresh)):
        parser.error(problem)
    return arguments


if __name__ == "__main__":
    sys.exit(main())
