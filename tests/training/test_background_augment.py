import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from api.training.background_augment import (
    CANVAS,
    WHITE,
    SceneAssets,
    background_mask,
    replace_background,
    segment,
)
from tests.synthetic_images import draw_fruit

RED, GREEN = (200, 30, 30), (10, 190, 60)
WOOD = (90, 60, 30)
# Paper under a lamp, in the shade, and bluish paper.
PAPERS = [(255, 255, 255), (190, 188, 180), (130, 132, 140)]
NEIGHBOUR = Image.new("RGBA", (60, 60), (30, 30, 200, 255))
BACKGROUND: NDArray[np.uint8] = np.full((50, 80, 3), GREEN, np.uint8)


def fruit_on(ground: tuple[int, int, int]) -> Image.Image:
    image = Image.new("RGB", (CANVAS, CANVAS), ground)
    image.paste(RED, (70, 70, 150, 150))
    return image


def with_new_background(
    image: Image.Image, seed: int, assets: SceneAssets | None = None
) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    result = replace_background(
        image, rng, assets or SceneAssets(), background=True, neighbours=False
    )
    return np.asarray(result)


def with_neighbours(image: Image.Image, seed: int) -> NDArray[np.uint8]:
    """The image with neighbours on a white background."""
    rng, assets = np.random.default_rng(seed), SceneAssets([NEIGHBOUR], [BACKGROUND])
    return np.asarray(replace_background(image, rng, assets, background=False, neighbours=True))


def matches(
    pixels: NDArray[np.uint8], colour: tuple[int, int, int], by: int = 0
) -> NDArray[np.bool_]:
    distance: NDArray[np.int64] = np.abs(pixels.astype(np.int64) - np.array(colour)).max(axis=2)
    return distance <= by


@pytest.mark.parametrize("paper", PAPERS)
def test_mask_covers_the_paper_but_not_the_fruit(paper: tuple[int, int, int]) -> None:
    outside = background_mask(np.asarray(fruit_on(paper)))
    assert outside is not None
    assert not outside[70:150, 70:150].any()
    assert outside.sum() == CANVAS**2 - 80**2


def test_grey_skin_inside_the_fruit_is_not_background() -> None:
    image = fruit_on(PAPERS[1])
    image.paste(PAPERS[1], (100, 100, 120, 120))
    outside = background_mask(np.asarray(image))
    assert outside is not None
    assert not outside[70:150, 70:150].any()


@pytest.mark.parametrize("ground", [WOOD, (60, 60, 60), (230, 150, 90)])
def test_wooden_dark_and_coloured_backgrounds_have_no_mask(
    ground: tuple[int, int, int],
) -> None:
    assert background_mask(np.asarray(fruit_on(ground))) is None


def test_blank_image_and_close_up_have_no_mask() -> None:
    assert background_mask(np.full((CANVAS, CANVAS, 3), 255, np.uint8)) is None
    close = np.full((CANVAS, CANVAS, 3), RED, np.uint8)
    close[:3] = close[-3:] = close[:, :3] = close[:, -3:] = 255
    assert background_mask(close) is None


@pytest.mark.parametrize("ground_share", [0.55, 0.6, 0.65, 0.9])
def test_mask_is_what_regions_of_scipy_reach_the_border(ground_share: float) -> None:
    """On noise, with long and winding paths; the border is free, as on paper."""
    ground = np.random.default_rng(0).random((CANVAS, CANVAS)) < ground_share
    ground[:2] = ground[-2:] = ground[:, :2] = ground[:, -2:] = True
    pixels: NDArray[np.uint8] = np.where(ground[..., None], 255, RED).astype(np.uint8)
    regions, _ = ndimage.label(ground)
    outside = background_mask(pixels)
    assert outside is not None
    assert np.array_equal(outside, regions == regions[0, 0])


def test_cutout_has_a_soft_edge_as_by_scipy() -> None:
    image = fruit_on(PAPERS[0])
    outside = background_mask(np.asarray(image))
    cutout = segment(image)
    assert outside is not None
    assert cutout is not None
    soft = ndimage.uniform_filter(outside.astype(np.float32), 5)
    alpha = ((1 - soft) * 255).astype(np.uint8)
    shown = Image.fromarray(alpha)
    assert np.array_equal(
        np.asarray(cutout.getchannel("A")), np.asarray(shown.crop(shown.getbbox()))
    )


@pytest.mark.parametrize("paper", PAPERS)
def test_background_is_replaced_and_fruit_is_kept(paper: tuple[int, int, int]) -> None:
    kept = whole = 0
    for seed in range(30):
        result = with_new_background(fruit_on(paper), seed)
        inside = matches(result[75:145, 75:145], RED, by=1)
        kept += bool(inside.all())
        # Shrunk fruit is smaller but complete.
        whole += matches(result, RED, by=1).sum() >= 20**2
        ground = ~matches(result, RED, by=60)
        assert matches(result, paper)[ground].mean() < 0.1
    assert 10 < kept < 30
    assert whole == 30


def test_new_background_keeps_the_shadow() -> None:
    image = fruit_on((250, 250, 250))
    image.paste((235, 235, 235), (70, 150, 150, 190))
    results = [
        with_new_background(image, seed, SceneAssets((), [BACKGROUND])) for seed in range(40)
    ]
    photographed = [pixels for pixels in results if matches(pixels[:60], GREEN, by=2).all()]
    # Leaves out shrunk fruit and procedural backgrounds.
    unshrunk = [p for p in photographed if matches(p[80:140, 80:140], RED, by=1).all()]
    assert len(unshrunk) >= 5
    for pixels in unshrunk:
        shadow = pixels[160:180, 80:140].mean(axis=(0, 1))
        assert shadow == pytest.approx(np.array(GREEN) * 235 / 250, abs=1.5)


def test_half_of_the_new_backgrounds_are_photos_if_available() -> None:
    assets = SceneAssets((), [BACKGROUND])
    shows_photo = [
        matches(with_new_background(fruit_on(PAPERS[0]), seed, assets)[:20], GREEN, by=2).mean()
        > 0.9
        for seed in range(60)
    ]
    assert 18 < sum(shows_photo) < 42
    procedural = [with_new_background(fruit_on(PAPERS[0]), seed)[:20] for seed in range(9)]
    assert not any(matches(pixels, GREEN, by=2).any() for pixels in procedural)


def test_background_photo_of_one_pixel_width_is_usable() -> None:
    thin = SceneAssets((), [np.full((300, 1, 3), GREEN, np.uint8)])
    backgrounds = [with_new_background(fruit_on(PAPERS[0]), seed, thin)[:9] for seed in range(9)]
    assert any(matches(pixels, GREEN, by=2).all() for pixels in backgrounds)


def test_image_without_mask_is_unchanged() -> None:
    image = fruit_on(WOOD)
    assert np.array_equal(with_new_background(image, 1), np.asarray(image))


def test_segment_cuts_out_fruit_on_paper_only() -> None:
    for paper in PAPERS:
        fruit = segment(fruit_on(paper))
        assert fruit is not None
        assert fruit.mode == "RGBA"
        assert all(80 <= side <= 90 for side in fruit.size)
        assert fruit.getpixel((fruit.width // 2, fruit.height // 2)) == (*RED, 255)
        assert np.asarray(fruit)[0, 0, 3] < 128
    assert segment(Image.new("RGB", (50, 50), WOOD)) is None
    cut_off = fruit_on(PAPERS[0])
    cut_off.paste(RED, (150, 70, CANVAS, 150))
    assert segment(cut_off) is None


def test_neighbours_do_not_cover_the_centre() -> None:
    for seed in range(20):
        result = with_neighbours(fruit_on(PAPERS[1]), seed)
        blue = matches(result, (30, 30, 200), by=3)
        assert 0.005 < blue.mean() < 0.8
        assert matches(result[108:112, 108:112], RED).all()
        assert not matches(result, GREEN, by=9).any()


def test_neighbours_without_mask_are_at_the_edge() -> None:
    image = Image.new("RGB", (CANVAS, CANVAS), WOOD)
    result = with_neighbours(image, 3)
    assert matches(result, (30, 30, 200)).any()
    assert matches(result, WOOD).any()


def test_drawn_fruit_gets_a_deterministic_background() -> None:
    image = draw_fruit("freshapples", seed=1).resize((CANVAS, CANVAS))
    assert with_new_background(image, 0).shape == (CANVAS, CANVAS, 3)
    assert np.array_equal(with_new_background(image, 0), with_new_background(image, 0))
    assert (with_new_background(image, 0)[:9].min(axis=2) < WHITE).mean() > 0.9
