import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from api.model.litert import LiteRTBackbone
from api.model.package import load_package
from api.settings import Settings


def test_concurrent_calls_give_the_same_feature_maps(settings: Settings) -> None:
    """An interpreter shared by threads fails or mixes up results."""
    package = load_package(settings.model_dir)
    size = package.manifest.input_size
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (8, 1, size, size, 3), dtype=np.uint8)
    alone = [LiteRTBackbone(package.backbone)(picture) for picture in pictures]
    shared = LiteRTBackbone(package.backbone)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(shared, list(pictures) * 8))
    for k, feature_map in enumerate(together):
        assert np.array_equal(feature_map, alone[k % 8])


def test_feature_map_has_the_shape_of_the_manifest(settings: Settings) -> None:
    package = load_package(settings.model_dir)
    size = package.manifest.input_size
    feature_map = LiteRTBackbone(package.backbone)(np.zeros((1, size, size, 3), np.uint8))
    assert feature_map.shape[1:] == package.manifest.feature_shape
    assert feature_map.dtype == np.float32


def test_warm_interpreters_are_used_and_freed_with_the_backbone(settings: Settings) -> None:
    package = load_package(settings.model_dir)
    backbone = LiteRTBackbone(package.backbone, warm=2)
    interpreters = [weakref.ref(interpreter) for interpreter in backbone._idle]
    size = package.manifest.input_size
    backbone(np.zeros((1, size, size, 3), np.uint8))
    assert {id(found()) for found in interpreters} == {id(found) for found in backbone._idle}
    del backbone
    assert [found() for found in interpreters] == [None, None]


def test_batch_gives_bit_identical_feature_maps(settings: Settings) -> None:
    package = load_package(settings.model_dir)
    size = package.manifest.input_size
    pictures = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), dtype=np.uint8)
    backbone = LiteRTBackbone(package.backbone, warm=1)
    singly = np.concatenate([backbone(picture[None]) for picture in pictures])
    assert backbone.supports_batches
    assert np.array_equal(backbone(pictures), singly)
    assert np.array_equal(backbone(pictures[:2]), singly[:2])
    assert np.array_equal(backbone(pictures[2:]), singly[2:])
