"""Grade all photos in a folder or bucket, and write the grades to a table.

If the command is stopped or killed, run it again to resume.
"""

import argparse
import sys
import time
from collections.abc import Mapping

from api.commands.cli_args import count, finish, path
from api.core.errors import ProblemError
from api.core.freshness_levels import LevelThresholds, threshold_error

MAX_ENDINGS = 8


def main() -> int:
    arguments = _arguments()
    return finish(lambda: _score(arguments), "Run the same command again to resume.")


def _score(arguments: argparse.Namespace) -> int:
    started = time.monotonic()
    try:
        summary = _run(arguments)
    except ImportError as error:
        raise ProblemError(f"{error}. {_missing_extra(arguments)}") from error
    print(f"{summary} {time.monotonic() - started:.0f} s.")
    return 0


def _run(arguments: argparse.Namespace) -> str:
    """Returns a summary for the terminal."""
    # Imported here, so that `main` can report a missing extra.
    from api.commands.bulk.grader import ScoringJob, Thresholds  # noqa: PLC0415
    from api.commands.bulk.instance_table import instances_path  # noqa: PLC0415
    from api.commands.bulk.model import open_model, thresholds_in_use  # noqa: PLC0415
    from api.commands.bulk.score import score  # noqa: PLC0415
    from api.commands.bulk.workers import Workers  # noqa: PLC0415
    from api.core.progress import terminal  # noqa: PLC0415
    from api.settings import get_settings  # noqa: PLC0415

    settings = get_settings()
    package = open_model(settings, arguments.model)
    version = package.manifest.version
    thresholds = (
        Thresholds(arguments.thresholds)
        if arguments.thresholds
        else thresholds_in_use(settings, version)
    )
    job = ScoringJob(
        package,
        arguments.source,
        settings.max_body_bytes,
        settings.max_pixels,
        thresholds,
        arguments.instances,
        settings.engine,
    )
    if arguments.ray:
        from api.commands.bulk.on_ray import Cluster  # noqa: PLC0415  (needs Ray)

        graders: Cluster | Workers = Cluster(job, arguments.ray)
    else:
        graders = Workers(job, arguments.processes or settings.inference_threads)
    with graders, terminal() as progress:
        report = score(job, arguments.out, graders.grade, progress, arguments.rows_a_part)
    fruits = ""
    if job.instances:
        fruits = f" {instances_path(arguments.out)} has the {report.fruits} fruits in them."
    resumed = f" ({report.resumed} of them graded by an earlier run)" if report.resumed else ""
    return (
        f"{arguments.out} has {report.photographs} photographs{resumed}, {report.errors} of them "
        f"with an error. They were graded by version {version} with these freshness thresholds: "
        f"{thresholds}.{fruits}{_left_out(report.left_out)}"
    )


def _left_out(counts: Mapping[str, int]) -> str:
    """A sentence on the files that are not photos; empty if there are none."""
    if not counts:
        return ""
    endings = ", ".join(sorted(counts, key=lambda ending: -counts[ending])[:MAX_ENDINGS])
    return f" Files skipped because they are not photos: {sum(counts.values())} ({endings})."


def _missing_extra(arguments: argparse.Namespace) -> str:
    if arguments.ray:
        return "Grading on a cluster requires the extra 'cluster' (requirements/cluster.txt)."
    return "Bulk scoring requires the extras 'serve' and 'bulk' (requirements.txt)."


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m api.commands.bulk", description=__doc__)
    parser.add_argument("source", help="folder of photos, or an address such as s3://bucket/prefix")
    parser.add_argument(
        "--out", type=path, required=True, help="table to write: a .parquet or .csv file"
    )
    parser.add_argument(
        "--model",
        default="champion",
        help="model to grade with: 'champion' (the current version of the catalog), 'default' "
        "(the package in RIPELINE_MODEL_DIR), the folder of a package, or a stored version "
        "(default: champion)",
    )
    parser.add_argument(
        "--instances",
        action="store_true",
        help="also grade each fruit in a photo, and write the fruits to a second table beside the "
        "first",
    )
    parser.add_argument(
        "--processes", type=count, help="number of processes (default: one per core)"
    )
    parser.add_argument(
        "--rows-a-part",
        type=count,
        default=2000,
        help="number of rows per part; at most one part is lost if the command is killed "
        "(default: 2000)",
    )
    parser.add_argument("--ray", metavar="ADDRESS", help="grade on the Ray cluster at this address")
    parser.add_argument(
        "--rotten-below",
        type=float,
        help="freshness score, 0 to 1, below which any fruit is rotten; requires --fresh-from",
    )
    parser.add_argument(
        "--fresh-from",
        type=float,
        help="freshness score from which any fruit is fresh; between the two it is past its best "
        "(default: the thresholds that the service uses for this version, including those of "
        "single fruits)",
    )
    arguments = parser.parse_args()
    below, fresh = arguments.rotten_below, arguments.fresh_from
    if (below is None) != (fresh is None):
        parser.error("--rotten-below and --fresh-from go together; give both or neither")
    if below is not None and (problem := threshold_error(below, fresh)):
        parser.error(problem)
    arguments.thresholds = None if below is None else LevelThresholds(below, fresh)
    return arguments


if __name__ == "__main__":
    sys.exit(main())
