"""The backbone of a package, compiled by an engine that answers the package's probe as recorded."""

from collections.abc import Sequence

import numpy as np

from api.model.engines.choice import CompiledGraph, open_graph
from api.model.engines.litert import LiteRTBackbone
from api.model.package import Package
from api.model.probe import check_probe, grade_probe
from api.settings import EngineName

REFERENCE = LiteRTBackbone.name
# Largest difference of a probability between LiteRT and another engine. A drawn fruit is graded
# less surely than a photo, with a retrained head perhaps as a near tie of two classes, and then its
# probabilities differ more in bfloat16.
TOLERANCES = {"f32": 0.01, "bf16": 0.03}


def open_backbone(
    package: Package, engine: EngineName = "litert", threads: int = 0
) -> CompiledGraph:
    """The backbone, warmed up for `threads` concurrent calls, after grading the probe.

    Raises ValueError or RuntimeError for a graph that no engine can run, and ValueError if its
    grades are not finite, or not those of the manifest.
    """

    def check(backbone: CompiledGraph) -> None:
        manifest = package.manifest
        answers = grade_probe(backbone, package.head, manifest.input_size)
        recorded = manifest.probe
        if backbone.name == REFERENCE:
            if recorded is not None:
                check_probe(answers, recorded)
            return
        if recorded is None:
            reference = LiteRTBackbone(package.backbone)
            recorded = grade_probe(reference, package.head, manifest.input_size)
        _check_agreement(answers, recorded, TOLERANCES[backbone.precision])

    return open_graph(package.backbone, check, engine, threads)


def _check_agreement(
    answers: Sequence[Sequence[float]], recorded: Sequence[Sequence[float]], tolerance: float
) -> None:
    """Raises ValueError unless the classes are the same and the probabilities about the same."""
    ours, theirs = np.array(answers), np.array(recorded)
    if ours.shape != theirs.shape:
        raise ValueError("It has different classes from when it was made.")
    if (ours.argmax(axis=1) != theirs.argmax(axis=1)).any():
        raise ValueError("It gives a drawn fruit a different class.")
    difference = float(np.abs(ours - theirs).max())
    if difference > tolerance:
        raise ValueError(
            f"A probability of a drawn fruit differs by {difference:.3f}; {tolerance} is allowed."
        )
