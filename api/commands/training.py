"""The command line of training: train, measure, crossvalidate, compare."""

import argparse
import dataclasses
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from api.commands import compare
from api.commands.cli_args import count, path
from api.core.errors import ProblemError
from api.core.progress import terminal
from api.settings import PROJECT
from api.training.recipe import Recipe


def main() -> int:
    arguments = _arguments()
    # TensorFlow reads it when it is imported, which the commands do.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    started = time.monotonic()
    try:
        lines = arguments.command(arguments, _recipe(arguments))
    except ProblemError as error:
        print(error.detail, file=sys.stderr)
        return 1
    print("\n".join([*lines, f"{time.monotonic() - started:.0f} s."]))
    return 0


def _train(arguments: argparse.Namespace, recipe: Recipe) -> list[str]:
    from api.evaluation.build import build_package  # noqa: PLC0415
    from api.evaluation.tracking import record  # noqa: PLC0415
    from api.training.corpus import read_corpus  # noqa: PLC0415

    with terminal() as progress:
        corpus = read_corpus(arguments.folder, progress, arguments.skip)
        manifest = build_package(corpus, recipe, arguments.out, progress)
    scores = manifest.metrics["test_by_photograph"]
    tracked = record(arguments.out, manifest)
    return [f"{manifest.version} in {arguments.out}.", _accuracy(scores), tracked]


def _measure(arguments: argparse.Namespace, _recipe: Recipe) -> list[str]:
    from api.evaluation.build import remeasure_package  # noqa: PLC0415
    from api.model.package import BadPackageError, load_package  # noqa: PLC0415
    from api.training.corpus import read_corpus  # noqa: PLC0415

    try:
        package = load_package(arguments.package)
    except BadPackageError as error:
        raise ProblemError(str(error)) from None
    with terminal() as progress:
        corpus = read_corpus(arguments.folder, progress, arguments.skip)
        manifest = remeasure_package(package, corpus, progress)
    return [_accuracy(manifest.metrics["test_by_photograph"]), f"Written to {arguments.package}."]


def _crossvalidate(arguments: argparse.Namespace, recipe: Recipe) -> list[str]:
    from api.evaluation.cross_validation import crossvalidate  # noqa: PLC0415
    from api.evaluation.summary import summary_lines  # noqa: PLC0415
    from api.training.corpus import read_corpus  # noqa: PLC0415

    with terminal() as progress:
        corpus = read_corpus(arguments.folder, progress, arguments.skip)
        figures = crossvalidate(corpus, recipe, arguments.cache, progress, arguments.only)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return [*summary_lines(figures), f"All figures are in {arguments.out}."]


def _accuracy(scores: dict[str, Any]) -> str:
    low, high = scores["accuracy_interval_95"]
    return (
        f"{scores['accuracy']:.2%} of {scores['files']} files of {scores['photographs']} "
        f"photographs right (95 % interval {low:.2%} to {high:.2%}; {scores['split']}); "
        f"calibration error {scores['expected_calibration_error']:.2%}."
    )


def _recipe(arguments: argparse.Namespace) -> Recipe:
    """The default recipe with what was said on the command line."""
    given = vars(arguments).keys() & Recipe().as_dict().keys()
    return dataclasses.replace(Recipe(), **{name: getattr(arguments, name) for name in given})


def _arguments() -> argparse.Namespace:
    defaults = Recipe()
    photographs = argparse.ArgumentParser(add_help=False)
    photographs.add_argument("folder", type=path, help="class folders, or a folder above them")
    photographs.add_argument(
        "--skip",
        action="append",
        default=[],
        metavar="NAME",
        help="leave out folders of this name; may be said more than once",
    )
    shared = argparse.ArgumentParser(add_help=False, parents=[photographs])
    shared.add_argument("--epochs", type=count, default=defaults.epochs)
    shared.add_argument("--seed", type=int, default=defaults.seed)
    shared.add_argument(
        "--input-size", type=count, default=defaults.input_size, help="side in pixels"
    )
    shared.add_argument("--batch-size", type=count, default=defaults.batch_size)
    shared.add_argument("--learning-rate", type=float, default=defaults.learning_rate)
    network = argparse.ArgumentParser(add_help=False)
    network.add_argument(
        "--architecture", default=defaults.architecture, help="a name that is none lists them all"
    )
    network.add_argument(
        "--weights", default=defaults.weights, help="imagenet, none, or a .weights.h5 file"
    )

    parser = argparse.ArgumentParser(prog="python -m api.commands.training", description=__doc__)
    commands = parser.add_subparsers(required=True)
    train = commands.add_parser("train", parents=[shared, network], help="write a model package")
    train.add_argument("--out", type=Path, default=PROJECT / "models" / "default")
    train.set_defaults(command=_train)
    again = commands.add_parser(
        "measure",
        parents=[photographs],
        help="measure a package again on the photographs that it was made from",
    )
    again.add_argument("--package", type=Path, default=PROJECT / "models" / "default")
    again.set_defaults(command=_measure)
    folds = commands.add_parser(
        "crossvalidate",
        parents=[shared, network],
        help="measure the recipe on photographs held out",
    )
    folds.add_argument("--out", type=Path, default=PROJECT / "docs" / "crossvalidation.json")
    folds.add_argument("--cache", type=Path, default=PROJECT / ".cache" / "crossvalidation")
    folds.add_argument(
        "--only",
        choices=("sources", "folds", "supplied"),
        help="measure one part; parts that were measured before stand beside it",
    )
    folds.set_defaults(command=_crossvalidate)
    compare.add(commands, shared)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
