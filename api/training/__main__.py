"""`python -m api.training FOLDER`: train on a folder and write a model package (`make train`)."""

import argparse
import dataclasses
import os
import sys
import time
from pathlib import Path

from api.errors import ProblemError
from api.progress import terminal
from api.settings import PROJECT
from api.training.recipe import Recipe


def main() -> int:
    arguments = _arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from api.training.build import build_package  # noqa: PLC0415  (after the log level is set)
    from api.training.corpus import read_corpus  # noqa: PLC0415

    started = time.monotonic()
    recipe = dataclasses.replace(Recipe(), epochs=arguments.epochs, seed=arguments.seed)
    try:
        with terminal() as progress:
            corpus = read_corpus(arguments.folder, progress)
            manifest = build_package(corpus, recipe, arguments.out, progress)
    except ProblemError as error:
        print(error.detail, file=sys.stderr)
        return 1
    scores = manifest.metrics["test_by_photograph"]
    low, high = scores["accuracy_interval_95"]
    print(
        f"{manifest.version} in {arguments.out}, {time.monotonic() - started:.0f} s.\n"
        f"On {scores['photographs']} photographs that it has not seen ({scores['files']} files): "
        f"{scores['accuracy']:.1%} right (95 % interval {low:.1%} to {high:.1%}), "
        f"calibration error {scores['expected_calibration_error']:.1%}."
    )
    return 0


def _arguments() -> argparse.Namespace:
    defaults = Recipe()
    parser = argparse.ArgumentParser(prog="python -m api.training", description=__doc__)
    parser.add_argument("folder", type=Path, help="class folders, or a folder above them")
    parser.add_argument("--out", type=Path, default=PROJECT / "models" / "default")
    parser.add_argument("--epochs", type=int, default=defaults.epochs)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
