"""In composed scenes, boxes surround the visible part of each fruit and nothing else."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from api.training.detection.cutouts import NONE, Cutout, cut_out, extent
from api.training.detection.recipe import DetectorRecipe
from api.training.detection.sampler import Material, SceneSampler
from api.training.detection.scenes import Composer, mirrored, random_view
from api.training.detection.targets import NO_BOXES, Scene, as_boxes
from tests.synthetic_images import draw_fruit

COLOURS = {0: (255, 0, 0), 1: (0, 255, 0), NONE: (0, 0, 255)}


def a_disc(kind: int) -> Cutout:
    image = Image.new("RGBA", (60, 60), (*COLOURS[kind], 0))
    ImageDraw.Draw(image).ellipse((0, 0, 59, 59), fill=(*COLOURS[kind], 255))
    return Cutout(image, kind)


@pytest.fixture
def composer() -> Composer:
    return Composer([a_disc(0), a_disc(1)], [a_disc(NONE)], [], 128)


def around(scene: Scene, channel: int) -> list[float]:
    """The extent of one colour, as shares of the sides."""
    pixels = np.asarray(scene.image).astype(int)
    others = [k for k in range(3) if k != channel]
    rows, columns = np.nonzero(pixels[..., channel] - pixels[..., others].max(axis=2) > 120)
    height, width = pixels.shape[:2]
    return [
        columns.min() / width,
        rows.min() / height,
        (columns.max() + 1) / width,
        (rows.max() + 1) / height,
    ]


@pytest.mark.parametrize("seed", range(6))
def test_box_is_the_extent_of_what_is_seen(composer: Composer, seed: int) -> None:
    scene = composer.arrange([a_disc(0), a_disc(1)], np.random.default_rng(seed), apart=True)
    assert list(scene.kinds) == [0, 1]
    assert len(scene.ignored) == 0
    for kind, box in zip(scene.kinds, scene.boxes, strict=True):
        assert list(box) == pytest.approx(around(scene, kind), abs=0.04)


def test_clutter_has_no_box(composer: Composer) -> None:
    rng = np.random.default_rng(1)
    scene = composer.arrange([a_disc(NONE), a_disc(0), a_disc(NONE)], rng, apart=True)
    assert list(scene.kinds) == [0]


def test_fruit_that_is_covered_is_ignored(composer: Composer) -> None:
    kinds, ignored = [], 0
    for seed in range(40):
        scene = composer.arrange([a_disc(0)] * 9, np.random.default_rng(seed))
        kinds.append(len(scene.kinds))
        ignored += len(scene.ignored)
        assert len(scene.kinds) + len(scene.ignored) <= 9
    assert max(kinds) == 9
    assert ignored > 0


def test_scene_depends_on_the_seed_only(composer: Composer) -> None:
    first, second = (composer.compose(np.random.default_rng(3)) for _ in range(2))
    assert first.image.tobytes() == second.image.tobytes()
    assert np.array_equal(first.boxes, second.boxes)


@pytest.mark.parametrize("seed", range(8))
def test_boxes_follow_the_view(composer: Composer, seed: int) -> None:
    scene = composer.arrange([a_disc(0), a_disc(1)], np.random.default_rng(2), apart=True)
    view = random_view(scene, np.random.default_rng(seed), 0.6, 0.8)
    for kind, box in zip(view.kinds, view.boxes, strict=True):
        assert list(box) == pytest.approx(around(view, kind), abs=0.05)


def test_mirroring_twice_changes_nothing() -> None:
    scene = Scene(draw_fruit("freshapples"), as_boxes([(0.1, 0.2, 0.4, 0.9)]), [0], NO_BOXES)
    turned = mirrored(scene)
    assert turned.boxes[0] == pytest.approx([0.6, 0.2, 0.9, 0.9])
    assert mirrored(turned).boxes == pytest.approx(scene.boxes)


@pytest.mark.parametrize("turn", [0, 15])
def test_fruit_on_white_is_cut_out_also_of_a_turned_copy(turn: int) -> None:
    image = draw_fruit("freshapples", seed=4, size=224).rotate(turn)
    cutout = cut_out(image, 0, False)
    assert cutout is not None
    box = extent(image)
    assert box is not None
    sides = np.array(cutout.image.size) / 224
    assert sides == pytest.approx([box[2] - box[0], box[3] - box[1]], abs=0.04)
    assert 0.25 < sides.min() <= sides.max() < 0.8


def test_round_fruit_with_a_bite_is_not_cut_out() -> None:
    """White mould may have been taken for background, and the rest may look sound."""
    image = Image.new("RGB", (200, 200), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((30, 30, 170, 170), fill=(230, 120, 20))
    draw.line((100, 35, 104, 12), fill=(80, 60, 30), width=5)
    assert cut_out(image, 0, False, is_round=True)
    draw.ellipse((110, 60, 190, 140), fill="white")
    assert cut_out(image, 0, True, is_round=True) is None
    assert cut_out(image, 0, True)


def test_photo_without_a_plain_background_is_not_cut_out() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    assert cut_out(Image.fromarray(noise), 0, None) is None
    assert extent(Image.fromarray(noise)) is None


def test_boxes_are_enough_to_compose_scenes() -> None:
    """Neither photos on a plain background nor photos without fruit are needed."""
    photo = Scene(draw_fruit("freshapples", 1), as_boxes([(0.2, 0.2, 0.8, 0.8)]), [0], NO_BOXES)
    sampler = SceneSampler(DetectorRecipe(), Material(("apple",), boxed={"phone": [photo]}))

    scenes = [sampler.draw(number) for number in range(20)]

    assert {kind for scene in scenes for kind in scene.kinds} == {0}
    assert len({scene.image.tobytes() for scene in scenes}) == len(scenes)
