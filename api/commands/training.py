"""Train models and fruit detectors, and measure them."""

import argparse
import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from api.commands.cli_args import finish
from api.commands.training_arguments import recipe_of, training_parser
from api.core.errors import ProblemError
from api.core.progress import terminal
from api.training.recipe import Recipe

if TYPE_CHECKING:
    from api.model.package import Package

# Each command imports what it needs: that is slow, and `--help` can do without.


def main() -> int:
    arguments = training_parser().parse_args()
    # TensorFlow reads this on import.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return finish(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    started = time.monotonic()
    for name in {"out", "package"} & vars(arguments).keys():
        _check_writable(getattr(arguments, name).parent)
    lines = COMMANDS[arguments.command](arguments, recipe_of(arguments))
    print("\n".join([*lines, f"{time.monotonic() - started:.0f} s."]))
    return 0


def _check_writable(folder: Path) -> None:
    """Training takes hours, and its result is written last. Raises OSError."""
    while not folder.exists():
        folder = folder.parent
    with TemporaryFile(dir=folder):
        pass


def _train(arguments: argparse.Namespace, recipe: Recipe) -> list[str]:
    from api.evaluation.build import build_package, measure_detector  # noqa: PLC0415
    from api.evaluation.compare_models import compare_with_itself  # noqa: PLC0415
    from api.evaluation.tracking import record  # noqa: PLC0415
    from api.model.package import load_package  # noqa: PLC0415
    from api.registry.promotion_gate import judge_first  # noqa: PLC0415
    from api.training.corpus import read_corpus  # noqa: PLC0415
    from api.training.detection.recipe import DetectorRecipe  # noqa: PLC0415
    from api.training.detection.train import NoPlacesError, train_detector  # noqa: PLC0415

    notes = []
    with terminal() as progress:
        corpus = read_corpus(arguments.folder, progress, arguments.skip)
        scenes = DetectorRecipe()
        try:
            detector = train_detector(scenes, corpus, progress)
        except NoPlacesError as error:
            detector, notes = None, [f"The package has no detector. {error.detail}"]
        manifest = build_package(
            corpus,
            recipe,
            arguments.out,
            progress,
            detector=detector,
            scenes=scenes if detector else None,
        )
        if detector:
            manifest = measure_detector(load_package(arguments.out), corpus, progress)
    accuracy = _accuracy_line(manifest.metrics["test_by_photograph"])
    verdict = judge_first(compare_with_itself(load_package(arguments.out)))
    warnings = [] if verdict.promote else ["Not ready to serve:", *verdict.reasons]
    tracked = record(arguments.out, manifest)
    return [
        f"Wrote version {manifest.version} to {arguments.out}.",
        accuracy,
        *notes,
        *warnings,
        tracked,
    ]


def _detector(arguments: argparse.Namespace, _recipe: Recipe) -> list[str]:
    from api.evaluation.build import measure_detector, with_detector  # noqa: PLC0415
    from api.model.engines.litert import LiteRTBackbone  # noqa: PLC0415
    from api.training.corpus import read_corpus  # noqa: PLC0415
    from api.training.detection.recipe import DetectorRecipe  # noqa: PLC0415
    from api.training.detection.several import fit_several  # noqa: PLC0415
    from api.training.detection.train import train_detector  # noqa: PLC0415

    package = _read_package(arguments.package)
    recipe = DetectorRecipe()
    if arguments.steps:
        recipe = dataclasses.replace(recipe, steps=arguments.steps)
    with terminal() as progress:
        corpus = read_corpus(arguments.folder, progress, arguments.skip)
        detector = train_detector(recipe, corpus, progress)
        backbone, size = LiteRTBackbone(package.backbone), package.manifest.input_size
        several = fit_several(recipe, corpus, backbone, size, progress)
        with_detector(package, detector, several, package.folder)
        manifest = measure_detector(_read_package(arguments.package), corpus, progress)
    return [
        f"Wrote version {manifest.version} to {arguments.package}: the same grader with a new "
        "detector."
    ]


def _measure(arguments: argparse.Namespace, _recipe: Recipe) -> list[str]:
    from api.evaluation.build import remeasure_package  # noqa: PLC0415
    from api.training.corpus import read_corpus  # noqa: PLC0415

    package = _read_package(arguments.package)
    with terminal() as progress:
        corpus = read_corpus(arguments.folder, progress, arguments.skip)
        manifest = remeasure_package(package, corpus, progress)
    accuracy = _accuracy_line(manifest.metrics["test_by_photograph"])
    return [accuracy, f"Wrote the metrics to {arguments.package}."]


def _detection(arguments: argparse.Namespace, _recipe: Recipe) -> list[str]:
    from api.evaluation.build import measure_detector  # noqa: PLC0415
    from api.evaluation.summary import detection_lines  # noqa: PLC0415
    from api.training.corpus import read_corpus  # noqa: PLC0415

    package = _read_package(arguments.package)
    with terminal() as progress:
        corpus = read_corpus(arguments.folder, progress, arguments.skip)
        manifest = measure_detector(package, corpus, progress)
    metrics = manifest.detector.metrics if manifest.detector else {}
    written = f"Wrote the metrics to {arguments.package}."
    return [*detection_lines(metrics), _write_json(metrics, arguments.out), written]


def _crossvalidate(arguments: argparse.Namespace, recipe: Recipe) -> list[str]:
    from api.evaluation.cross_validation import crossvalidate  # noqa: PLC0415
    from api.evaluation.summary import summary_lines  # noqa: PLC0415
    from api.training.corpus import read_corpus  # noqa: PLC0415

    with terminal() as progress:
        corpus = read_corpus(arguments.folder, progress, arguments.skip)
        metrics = crossvalidate(corpus, recipe, arguments.cache, progress, arguments.only)
    return [*summary_lines(metrics), _write_json(metrics, arguments.out)]


def _compare(arguments: argparse.Namespace, recipe: Recipe) -> list[str]:
    from api.evaluation.compare_architectures import (  # noqa: PLC0415
        INPUT_SIZES,
        compare_architectures,
        plan_comparison,
    )
    from api.training.corpus import read_corpus  # noqa: PLC0415

    plan = plan_comparison(
        recipe,
        arguments.architectures,
        dict(arguments.weights_of),
        INPUT_SIZES if arguments.sizes is None else arguments.sizes,
        arguments.frozen_curve,
    )
    with terminal() as progress:
        corpus = read_corpus(arguments.folder, progress, arguments.skip)
        without_imagenet = arguments.without_imagenet_where_missing
        metrics = compare_architectures(corpus, plan, arguments.cache, without_imagenet, progress)
    rows = [*metrics["architectures"], *metrics["input_sizes"]]
    return [*map(_comparison_line, rows), _write_json(metrics, arguments.out)]


def _read_package(folder: Path) -> "Package":
    from api.model.package import BadPackageError, load_package  # noqa: PLC0415

    try:
        return load_package(folder)
    except BadPackageError as error:
        raise ProblemError(str(error)) from None


def _write_json(metrics: dict[str, Any], out: Path) -> str:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    return f"Wrote all metrics to {out}."


def _accuracy_line(metrics: dict[str, Any]) -> str:
    low, high = metrics["accuracy_interval_95"]
    return (
        f"{metrics['accuracy']:.2%} of {metrics['files']} files of {metrics['photographs']} "
        f"photographs right (95 % confidence interval {low:.2%} to {high:.2%}; "
        f"{metrics['split']}); expected calibration error "
        f"{metrics['expected_calibration_error']:.2%}."
    )


def _comparison_line(row: dict[str, Any]) -> str:
    return (
        f"{row['architecture']} at {row['input_size']} px, weights {row['weights']}, "
        f"{row['training']}: {row['accuracy']:.2%} right, F1 {row['macro_f1']:.3f}, "
        f"{row['megabytes']:.1f} MB, {row['milliseconds']:.1f} ms."
    )


COMMANDS: dict[str, Callable[[argparse.Namespace, Recipe], list[str]]] = {
    "train": _train,
    "detector": _detector,
    "measure": _measure,
    "detection": _detection,
    "crossvalidate": _crossvalidate,
    "compare": _compare,
}

if __name__ == "__main__":
    sys.exit(main())
