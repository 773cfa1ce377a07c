"""Lesion transplants on drawn skin."""

import numpy as np
import pytest
from PIL import Image

from api.training.background_augment import CANVAS
from api.training.lesions import Skin, SkinBank

RED, BROWN, YELLOW, GREEN = (200, 30, 30), (70, 40, 20), (230, 210, 40), (30, 200, 30)


def fruit(colour: tuple[int, int, int]) -> Image.Image:
    """A square fruit on white."""
    image = Image.new("RGB", (CANVAS, CANVAS), (255, 255, 255))
    image.paste(colour, (40, 40, 184, 184))
    return image


@pytest.fixture
def bank() -> SkinBank:
    return SkinBank(
        {
            ("apple", True): [Skin.of(fruit(BROWN))],
            ("apple", False): [Skin.of(fruit(RED)), Skin.of(fruit(YELLOW))],
        }
    )


def changed(before: Image.Image, after: Image.Image) -> np.ndarray:
    """Where two images differ: bool [height, width]."""
    difference = np.abs(np.asarray(before).astype(int) - np.asarray(after).astype(int))
    result: np.ndarray = difference.max(axis=2) > 3
    return result


def test_lesion_is_on_the_fruit_only(bank: SkinBank) -> None:
    sound, count = fruit(RED), 0
    for seed in range(30):
        rotten = bank.with_lesion(sound, "apple", np.random.default_rng(seed))
        if rotten is None:  # Some patches do not fit on the donor.
            continue
        count += 1
        where = changed(sound, rotten)
        assert where.any()
        where[37:187, 37:187] = False
        assert not where.any()
    assert count >= 20


def test_lesion_is_dark_and_sound_patch_is_not(bank: SkinBank) -> None:
    sound, rng = fruit(RED), np.random.default_rng(0)
    rotten = [bank.with_lesion(sound, "apple", rng) for _ in range(10)]
    darkest = [np.asarray(one)[..., 0].min() for one in rotten if one is not None]
    assert len(darkest) >= 5
    assert max(darkest) < 140
    patched = [bank.with_sound_patch(sound, "apple", rng) for _ in range(10)]
    darkest_of_patched = [np.asarray(one)[..., 0].min() for one in patched if one is not None]
    assert len(darkest_of_patched) >= 5
    assert min(darkest_of_patched) > 110


def test_lesion_is_deterministic_by_generator(bank: SkinBank) -> None:
    def draw_lesions() -> list[Image.Image | None]:
        rng = np.random.default_rng(7)
        return [bank.with_lesion(fruit(RED), "apple", rng) for _ in range(5)]

    pairs = list(zip(draw_lesions(), draw_lesions(), strict=True))
    both = [(first, second) for first, second in pairs if first and second]
    assert both
    assert not any(changed(first, second).any() for first, second in both)


def test_rot_of_another_kind_is_the_fallback(bank: SkinBank) -> None:
    rng = np.random.default_rng(0)
    assert any(bank.with_lesion(fruit(YELLOW), "banana", rng) for _ in range(5))
    assert bank.with_sound_patch(fruit(YELLOW), "banana", rng) is None


def test_rot_of_the_same_kind_is_preferred() -> None:
    black = (5, 5, 5)
    bank = SkinBank(
        {("apple", True): [Skin.of(fruit(BROWN))], ("lime", True): [Skin.of(fruit(black))]}
    )
    lesions = [bank.with_lesion(fruit(RED), "apple", np.random.default_rng(k)) for k in range(80)]
    darkest = np.array([np.asarray(one)[..., 0].min() for one in lesions if one is not None])
    # SAME_KIND, and half of the rest.
    assert 0.65 < (darkest > 20).mean() < 0.95


@pytest.mark.slow
def test_skin_least_like_sound_fruit_is_preferred() -> None:
    """A rotten apple that is red except for a green spot."""
    partly = fruit(RED)
    partly.paste(GREEN, (80, 80, 120, 120))
    spotted = {("apple", True): [Skin.of(partly)]}

    def green(bank: SkinBank) -> float:
        """The share of lesions that show much of the spot."""
        onto = fruit(RED)
        lesions = [bank.with_lesion(onto, "apple", np.random.default_rng(k)) for k in range(200)]
        pixels = [np.asarray(one).astype(int) for one in lesions if one is not None]
        return float(
            np.mean([(lesion[..., 1] > lesion[..., 0] + 20).sum() > 200 for lesion in pixels])
        )

    alone = green(SkinBank(spotted))
    assert green(SkinBank({**spotted, ("apple", False): [Skin.of(fruit(RED))]})) > alone + 0.1


def test_without_mask_the_fruit_is_a_central_disc(
    bank: SkinBank,
) -> None:
    close = Image.new("RGB", (CANVAS, CANVAS), RED)
    y, x = np.mgrid[:CANVAS, :CANVAS] - CANVAS / 2
    outside = np.hypot(y, x) > CANVAS / 3
    lesions = [bank.with_lesion(close, "apple", np.random.default_rng(seed)) for seed in range(20)]
    changes = [changed(close, one) for one in lesions if one is not None]
    assert np.any(changes)
    assert not any(where[outside].any() for where in changes)


def test_without_donors_there_is_no_lesion() -> None:
    rng = np.random.default_rng(0)
    assert SkinBank({}).with_lesion(fruit(RED), "apple", rng) is None
    assert SkinBank({}).with_sound_patch(fruit(RED), "apple", rng) is None


def test_thin_fruit_gets_no_lesion(bank: SkinBank) -> None:
    speck = Image.new("RGB", (CANVAS, CANVAS), (255, 255, 255))
    speck.paste(RED, (12, 40, 212, 53))
    assert not Skin.of(speck).usable
    assert bank.with_lesion(speck, "apple", np.random.default_rng(0)) is None
