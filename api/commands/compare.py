"""The command line of the comparison: `make compare`."""

import argparse
import json
from pathlib import Path
from typing import Any

from api.core.progress import terminal
from api.settings import PROJECT
from api.training.recipe import Recipe


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Add `compare` to the commands of `python -m api.commands.training`."""
    parser = commands.add_parser(
        "compare", parents=[shared], help="measure all architectures, and input sizes"
    )
    parser.add_argument("--architectures", nargs="+", help="only these")
    parser.add_argument(
        "--weights",
        dest="weights_of",
        type=_weights_of,
        action="append",
        default=[],
        metavar="ARCHITECTURE=WEIGHTS",
        help="imagenet, none, or a .weights.h5 file; may be said more than once",
    )
    parser.add_argument("--sizes", type=int, nargs="*", help="input sizes of the curve")
    parser.add_argument(
        "--frozen-curve", action="store_true", help="fit the head alone over input sizes: faster"
    )
    parser.add_argument(
        "--without-imagenet-where-missing",
        action="store_true",
        help="start from nothing where ImageNet weights cannot be downloaded",
    )
    parser.add_argument("--out", type=Path, default=PROJECT / "docs" / "comparison.json")
    parser.add_argument("--cache", type=Path, default=PROJECT / ".cache" / "comparison")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace, recipe: Recipe) -> list[str]:
    """Compare, write the figures, and say each row in a line."""
    from api.evaluation.compare_architectures import (  # noqa: PLC0415
        INPUT_SIZES,
        ComparisonPlan,
        compare_architectures,
    )
    from api.training.corpus import read_corpus  # noqa: PLC0415

    plan = ComparisonPlan.of(
        recipe,
        arguments.architectures,
        dict(arguments.weights_of),
        INPUT_SIZES if arguments.sizes is None else arguments.sizes,
        arguments.frozen_curve,
    )
    with terminal() as progress:
        corpus = read_corpus(arguments.folder, progress, arguments.skip)
        without_imagenet = arguments.without_imagenet_where_missing
        figures = compare_architectures(
            corpus, plan, arguments.cache, without_imagenet, progress
        )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    rows = [*figures["architectures"], *figures["input_sizes"]]
    return [*map(_line, rows), f"All figures are in {arguments.out}."]


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['architecture']} at {row['input_size']} px, weights {row['weights']}, "
        f"{row['training']}: {row['accuracy']:.2%} right, F1 {row['macro_f1']:.3f}, "
        f"{row['megabytes']:.1f} MB, {row['milliseconds']:.1f} ms."
    )


def _weights_of(text: str) -> tuple[str, str]:
    name, separator, weights = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form ARCHITECTURE=WEIGHTS")
    return name, weights
