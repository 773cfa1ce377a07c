"""What every engine must do, tested with the shipped graph."""

import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from api.model.engines.litert import LiteRTBackbone
from api.model.engines.openvino import OpenVINOBackbone
from api.model.package import Package, load_package
from api.settings import PROJECT

# Opens a graph, warmed up for this many concurrent calls.
Open = Callable[[bytes, int], Any]


@pytest.fixture(scope="module")
def package() -> Package:
    return load_package(PROJECT / "models" / "default")


@pytest.fixture(params=["litert", "openvino"])
def open_engine(request: pytest.FixtureRequest) -> Open:
    if request.param == "litert":
        return LiteRTBackbone
    return lambda graph, warm: OpenVINOBackbone(graph, 2, warm)


def images(package: Package, count: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    size = package.manifest.input_size
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def test_concurrent_calls_give_the_same_feature_maps(package: Package, open_engine: Open) -> None:
    """State shared by threads would fail or mix up results."""
    alone = open_engine(package.backbone, 0)
    photos = [image[None] for image in images(package, 8)]
    expected = [alone(photo) for photo in photos]
    shared = open_engine(package.backbone, 0)
    with ThreadPoolExecutor(8) as pool:
        concurrent = list(pool.map(shared, photos * 8))
    for k, feature_map in enumerate(concurrent):
        assert np.array_equal(feature_map, expected[k % 8])


def test_feature_map_has_the_shape_of_the_manifest(package: Package, open_engine: Open) -> None:
    feature_map = open_engine(package.backbone, 0)(images(package, 1))
    assert feature_map.shape[1:] == package.manifest.feature_shape
    assert feature_map.dtype == np.float32


def test_feature_map_outlives_the_next_call(package: Package, open_engine: Open) -> None:
    backbone = open_engine(package.backbone, 1)
    first, second = images(package, 2)
    kept = backbone(first[None])
    before = kept.copy()
    backbone(second[None])
    assert np.array_equal(kept, before)


def test_warm_networks_are_used_and_freed(package: Package, open_engine: Open) -> None:
    backbone = open_engine(package.backbone, 2)
    warm = {id(idle) for idle in backbone._idle}
    assert len(warm) == 2
    backbone(images(package, 1))
    assert {id(idle) for idle in backbone._idle} == warm


def test_burst_of_calls_leaves_no_more_networks(package: Package, open_engine: Open) -> None:
    """Each network takes memory for as long as the model is in use."""
    backbone = open_engine(package.backbone, 2)
    photo = images(package, 1)
    taken = [backbone._idle.pop() for _ in range(2)]
    backbone(photo)  # Makes a third network.
    backbone._idle.extend(taken)  # As the two calls do when they end.
    assert len(backbone._idle) == 2


def test_released_backbone_holds_nothing_and_works(package: Package, open_engine: Open) -> None:
    photo = images(package, 1)
    backbone = open_engine(package.backbone, 0)
    before = backbone(photo)
    backbone.release()
    assert not backbone._idle
    assert np.array_equal(backbone(photo), before)


def test_batch_gives_bit_identical_feature_maps(package: Package, open_engine: Open) -> None:
    photos = images(package, 3)
    backbone = open_engine(package.backbone, 1)
    singly = np.concatenate([backbone(photo[None]) for photo in photos])
    assert np.array_equal(backbone(photos), singly)
    assert np.array_equal(backbone(photos[:2]), singly[:2])
    assert np.array_equal(backbone(photos[2:]), singly[2:])


def test_bytes_that_are_not_a_graph_are_refused(open_engine: Open) -> None:
    with pytest.raises((ValueError, RuntimeError)):
        open_engine(b"no graph", 0)


def test_interpreters_are_freed_with_the_backbone(package: Package) -> None:
    backbone = LiteRTBackbone(package.backbone, warm=2)
    interpreters = [weakref.ref(interpreter) for interpreter in backbone._idle]
    del backbone
    assert [reference() for reference in interpreters] == [None, None]


def test_engines_agree(package: Package) -> None:
    photos = images(package, 4)
    reference = LiteRTBackbone(package.backbone)(photos)
    network = OpenVINOBackbone(package.backbone, 1)
    other = network(photos)
    share = (reference * other).sum() / np.linalg.norm(reference) / np.linalg.norm(other)
    assert share > (0.9999 if network.precision == "f32" else 0.99)
