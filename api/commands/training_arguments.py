"""The command line of the training commands."""

import argparse
import dataclasses
from pathlib import Path

from api.commands.cli_args import count, natural, path, positive
from api.settings import PROJECT
from api.training.recipe import Recipe


def recipe_of(arguments: argparse.Namespace) -> Recipe:
    """The default recipe with the command line's changes."""
    names = vars(arguments).keys() & Recipe().as_dict().keys()
    return dataclasses.replace(Recipe(), **{name: getattr(arguments, name) for name in names})


def _weights_of(text: str) -> tuple[str, str]:
    name, separator, weights = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} does not have the form ARCHITECTURE=WEIGHTS")
    return name, weights


def training_parser() -> argparse.ArgumentParser:
    """`command` is the name of the chosen command."""
    defaults = Recipe()
    photos = argparse.ArgumentParser(add_help=False)
    photos.add_argument(
        "folder", type=path, help="folder of class folders, directly or further below"
    )
    photos.add_argument(
        "--skip",
        action="append",
        default=[],
        metavar="NAME",
        help="skip folders with this name; may be repeated",
    )
    package = argparse.ArgumentParser(add_help=False)
    package.add_argument(
        "--package", type=Path, default=PROJECT / "models" / "default", help="folder of the package"
    )
    recipe = argparse.ArgumentParser(add_help=False, parents=[photos])
    recipe.add_argument("--epochs", type=count, default=defaults.epochs, help="number of epochs")
    recipe.add_argument("--seed", type=natural, default=defaults.seed, help="random seed")
    recipe.add_argument(
        "--input-size",
        type=count,
        default=defaults.input_size,
        help="side length of the network's input, in pixels",
    )
    recipe.add_argument(
        "--batch-size", type=count, default=defaults.batch_size, help="photos per batch"
    )
    recipe.add_argument(
        "--learning-rate", type=positive, default=defaults.learning_rate, help="learning rate"
    )
    backbone = argparse.ArgumentParser(add_help=False)
    backbone.add_argument(
        "--architecture",
        default=defaults.architecture,
        help="network architecture; an unknown name lists all of them",
    )
    backbone.add_argument(
        "--weights",
        default=defaults.weights,
        help="initial weights: imagenet, none, or a .weights.h5 file",
    )

    parser = argparse.ArgumentParser(
        prog="python -m api.commands.training",
        description="Train models and fruit detectors, and measure them.",
    )
    commands = parser.add_subparsers(dest="command", required=True)

    train = commands.add_parser(
        "train", parents=[recipe, backbone], help="train a model and write a package"
    )
    train.add_argument(
        "--out",
        type=Path,
        default=PROJECT / "models" / "default",
        help="folder of the package to write",
    )

    detector = commands.add_parser(
        "detector",
        parents=[photos, package],
        help="train a fruit detector and add it to an existing package",
    )
    detector.add_argument(
        "--steps", type=count, help="number of training steps; set a small number for a quick trial"
    )

    commands.add_parser(
        "measure",
        parents=[photos, package],
        help="measure a package again, on the photos it was made from",
    )

    detection = commands.add_parser(
        "detection",
        parents=[photos, package],
        help="measure a package's fruit detector, and the grades of the fruits it finds, on "
        "held-out photos",
    )
    detection.add_argument(
        "--out",
        type=Path,
        default=PROJECT / "docs" / "detection.json",
        help="file for the metrics",
    )

    crossvalidate = commands.add_parser(
        "crossvalidate", parents=[recipe, backbone], help="cross-validate the training recipe"
    )
    crossvalidate.add_argument(
        "--out",
        type=Path,
        default=PROJECT / "docs" / "crossvalidation.json",
        help="file for the metrics",
    )
    crossvalidate.add_argument(
        "--cache",
        type=Path,
        default=PROJECT / ".cache" / "crossvalidation",
        help="folder for intermediate results, from which an interrupted command resumes",
    )
    crossvalidate.add_argument(
        "--only",
        choices=("sources", "folds", "supplied"),
        help="measure only this part, and keep the earlier results of the others",
    )

    compare = commands.add_parser(
        "compare", parents=[recipe], help="compare architectures and input sizes"
    )
    compare.add_argument("--architectures", nargs="+", help="compare only these architectures")
    compare.add_argument(
        "--weights",
        dest="weights_of",
        type=_weights_of,
        action="append",
        default=[],
        metavar="ARCHITECTURE=WEIGHTS",
        help="initial weights of an architecture: imagenet, none, or a .weights.h5 file; may be "
        "repeated",
    )
    compare.add_argument("--sizes", type=count, nargs="*", help="input sizes to compare, in pixels")
    compare.add_argument(
        "--frozen-curve",
        action="store_true",
        help="train only the head at each input size, which is faster",
    )
    compare.add_argument(
        "--without-imagenet-where-missing",
        action="store_true",
        help="start from random weights if the ImageNet weights cannot be downloaded",
    )
    compare.add_argument(
        "--out",
        type=Path,
        default=PROJECT / "docs" / "comparison.json",
        help="file for the metrics",
    )
    compare.add_argument(
        "--cache",
        type=Path,
        default=PROJECT / ".cache" / "comparison",
        help="folder for intermediate results, from which an interrupted command resumes",
    )
    return parser
