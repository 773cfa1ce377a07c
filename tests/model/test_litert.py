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
    images = rng.integers(0, 256, (8, 1, size, size, 3), dtype=np.uint8)
    expected = [LiteRTBackbone(package.backbone)(image) for image in images]
    shared = LiteRTBackbone(package.backbone)
    with ThreadPoolExecutor(8) as pool:
        concurrent = list(pool.map(shared, list(images) * 8))
    for k, feature_map in enumerate(concurrent):
        assert np.array_equal(feature_map, expected[k % 8])


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
    assert {id(reference()) for reference in interpreters} == {id(idle) for idle in backbone._idle}
    del backbone
    assert [reference() for reference in interpreters] == [None, None]


def test_released_backbone_holds_no_interpreter_and_works(settings: Settings) -> None:
    package = load_package(settings.model_dir)
    size = package.manifest.input_size
    image = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    backbone = LiteRTBackbone(package.backbone)
    before = backbone(image)
    [interpreter] = [weakref.ref(interpreter) for interpreter in backbone._idle]
    backbone.release()
    assert interpreter() is None
    assert np.array_equal(backbone(image), before)


def test_batch_gives_bit_identical_feature_maps(settings: Settings) -> None:
    package = load_package(settings.model_dir)
    size = package.manifest.input_size
    images = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), dtype=np.uint8)
    backbone = LiteRTBackbone(package.backbone, warm=1)
    singly = np.concatenate([backbone(image[None]) for image in images])
    assert backbone.supports_batches
    assert np.array_equal(backbone(images), singly)
    assert np.array_equal(backbone(images[:2]), singly[:2])
    assert np.array_equal(backbone(images[2:]), singly[2:])
