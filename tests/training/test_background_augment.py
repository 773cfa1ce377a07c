import numpy as np
from PIL import Image

from api.training.surroundings import CANVAS, WHITE, cut_out, surround
from tests.drawing import draw_fruit

RED = (200, 30, 30)


def studio() -> Image.Image:
    image = Image.new("RGB", (CANVAS, CANVAS), "white")
    image.paste(RED, (70, 70, 150, 150))
    return image


def test_the_white_background_goes_and_the_fruit_stays() -> None:
    changed = np.asarray(surround(studio(), np.random.default_rng(1), (), replaced=True))
    assert (changed[100:120, 100:120] == RED).all()
    assert (changed[:40].min(axis=2) < WHITE).mean() > 0.9


def test_a_picture_without_white_border_stays() -> None:
    image = Image.new("RGB", (CANVAS, CANVAS), (90, 60, 30))
    image.paste("white", (90, 90, 130, 130))
    changed = surround(image, np.random.default_rng(1), (), replaced=True)
    assert np.array_equal(np.asarray(changed), np.asarray(image))


def test_a_fruit_is_cut_out_of_white_alone() -> None:
    fruit = cut_out(studio())
    assert fruit is not None
    assert fruit.mode == "RGBA"
    assert all(80 <= side <= 90 for side in fruit.size)
    assert fruit.getpixel((fruit.width // 2, fruit.height // 2)) == (*RED, 255)
    assert cut_out(Image.new("RGB", (50, 50), (90, 60, 30))) is None


def test_neighbours_leave_the_fruit_in_the_middle_in_view() -> None:
    neighbour = Image.new("RGBA", (60, 60), (30, 30, 200, 255))
    for seed in range(20):
        changed = np.asarray(surround(studio(), np.random.default_rng(seed), [neighbour], False))
        blue = (changed == (30, 30, 200)).all(axis=2)
        assert 0.005 < blue.mean() < 0.8
        assert (changed[108:112, 108:112] == RED).all()


def test_neighbours_lie_on_the_edge_of_a_picture_without_background() -> None:
    image = Image.new("RGB", (CANVAS, CANVAS), (90, 60, 30))
    neighbour = Image.new("RGBA", (60, 60), (30, 30, 200, 255))
    changed = np.asarray(surround(image, np.random.default_rng(3), [neighbour], False))
    assert (changed == (30, 30, 200)).all(axis=2).any()


def test_a_drawn_fruit_can_be_surrounded() -> None:
    image = draw_fruit("freshapples", seed=1).resize((CANVAS, CANVAS))
    assert surround(image, np.random.default_rng(0), (), replaced=True).size == (CANVAS, CANVAS)
