import pytest
from PIL import Image

from api.core.appearance import appearance
from tests.synthetic_images import draw_fruit


@pytest.mark.parametrize(
    ("colour", "brightness", "saturation", "hue"),
    [
        ((255, 0, 0), 0.299, 1, 0),
        ((0, 255, 0), 0.587, 1, 120),
        ((100, 100, 0), 0.347, 1, 60),
        ((200, 100, 100), 0.51, 0.5, 0),
    ],
)
def test_measures_known_colours(
    colour: tuple[int, int, int], brightness: float, saturation: float, hue: float
) -> None:
    measured = appearance(Image.new("RGB", (20, 10), colour))
    assert measured.brightness == pytest.approx(brightness, abs=0.01)
    assert measured.saturation == pytest.approx(saturation, abs=0.01)
    assert measured.hue == pytest.approx(hue, abs=1)


def test_white_background_is_ignored() -> None:
    image = Image.new("RGB", (64, 64), "white")
    image.paste((30, 20, 20), (16, 16, 48, 48))
    assert appearance(image).brightness < 0.15


def test_all_white_image_counts_as_foreground() -> None:
    assert appearance(Image.new("RGB", (64, 64), "white")).brightness == pytest.approx(1)


def test_hues_around_zero_average_to_red() -> None:
    image = Image.new("RGB", (64, 64), (200, 0, 20))
    image.paste((200, 20, 0), (0, 0, 64, 32))
    assert min(appearance(image).hue, 360 - appearance(image).hue) < 2


def test_rotten_banana_is_darker_than_a_fresh_one() -> None:
    fresh, rotten = (appearance(draw_fruit(f"{kind}banana")) for kind in ("fresh", "rotten"))
    assert rotten.brightness < fresh.brightness
