"""What the shipped model may cost: bytes, parameters, and multiply-adds of its graphs. A new recipe
that needs more has to raise these limits, in a change that somebody reviews.
"""

from math import prod
from pathlib import Path

import pytest
from ai_edge_litert.interpreter import Interpreter

from api.model.package import BACKBONE, DETECTOR, Package, load_package
from api.settings import PROJECT

MAX_PACKAGE_BYTES = 20_000_000
MAX_GRADER_PARAMETERS = 3_700_000
MAX_DETECTOR_PARAMETERS = 1_700_000
# For one photo: the grader needs 196 million at 160 px, the detector 350 million at its size.
MAX_GRADER_MULTIPLY_ADDS = 215_000_000
MAX_DETECTOR_MULTIPLY_ADDS = 385_000_000
# All other operations together make up a few percent of these.
CONVOLUTION, DEPTHWISE = "CONV_2D", "DEPTHWISE_CONV_2D"
# These multiply too, but no graph has them yet.
UNCOUNTED = {"FULLY_CONNECTED", "BATCH_MATMUL", "TRANSPOSE_CONV", "CONV_3D"}


@pytest.fixture(scope="module")
def package() -> Package:
    return load_package(PROJECT / "models" / "default")


def multiply_adds(graph: Path) -> int:
    """The multiply-adds for one input, from the shapes of the convolutions' weights and results."""
    interpreter = Interpreter(model_path=str(graph))
    shapes = {one["index"]: one["shape"].tolist() for one in interpreter.get_tensor_details()}
    total = 0
    for operation in interpreter._get_ops_details():
        weights, result = operation["inputs"][1:2], operation["outputs"][0]
        assert operation["op_name"] not in UNCOUNTED
        if operation["op_name"] == CONVOLUTION:
            # Weights are [filters, height, width, channels].
            total += prod(shapes[result]) * prod(shapes[weights[0]][1:])
        elif operation["op_name"] == DEPTHWISE:
            # Weights are [1, height, width, channels].
            total += prod(shapes[result]) * prod(shapes[weights[0]][1:3])
    return total


def test_package_is_within_its_bytes(package: Package) -> None:
    assert sum(path.stat().st_size for path in package.folder.iterdir()) <= MAX_PACKAGE_BYTES


def test_grader_is_within_its_budget(package: Package) -> None:
    assert package.manifest.parameters <= MAX_GRADER_PARAMETERS
    assert 0 < multiply_adds(package.folder / BACKBONE) <= MAX_GRADER_MULTIPLY_ADDS


def test_detector_is_within_its_budget(package: Package) -> None:
    assert package.manifest.detector is not None
    assert package.manifest.detector.parameters <= MAX_DETECTOR_PARAMETERS
    assert 0 < multiply_adds(package.folder / DETECTOR) <= MAX_DETECTOR_MULTIPLY_ADDS
