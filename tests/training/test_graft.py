import numpy as np
from PIL import Image, ImageDraw

from api.training.graft import graft
from api.training.surroundings import CANVAS

RED = (210, 20, 30)
BROWN = (70, 55, 45)


def studio(colour: tuple[int, int, int] = RED) -> Image.Image:
    image = Image.new("RGB", (CANVAS, CANVAS), "white")
    ImageDraw.Draw(image).ellipse((40, 40, 180, 180), fill=colour)
    return image


def cut(colour: tuple[int, int, int]) -> Image.Image:
    image = Image.new("RGBA", (140, 140))
    ImageDraw.Draw(image).ellipse((0, 0, 139, 139), fill=(*colour, 255))
    return image


def grafted(
    image: Image.Image, others: list[Image.Image], rotten: bool = True
) -> list[Image.Image]:
    found = [graft(image, others, np.random.default_rng(seed), rotten) for seed in range(20)]
    return [picture for picture in found if picture]


def test_a_part_of_the_fruit_turns_rotten_and_nothing_else_changes() -> None:
    sound = np.asarray(studio())
    pictures = grafted(studio(), [cut(BROWN)])
    assert len(pictures) > 10
    for picture in pictures:
        pixels = np.asarray(picture)
        brown = (pixels == BROWN).all(axis=2)
        red = (pixels == RED).all(axis=2)
        assert 0.02 < brown.sum() / (brown.sum() + red.sum()) < 0.98
        background = (sound == 255).all(axis=2)
        assert (pixels[background] == 255).all()


def test_skin_that_has_as_much_colour_is_no_rot() -> None:
    assert grafted(studio(), [cut(RED)]) == []
    assert grafted(studio(BROWN), [cut(BROWN)]) == []
    assert len(grafted(studio(), [cut(RED)], rotten=False)) > 10


def test_the_black_corners_of_a_turned_copy_are_no_fruit() -> None:
    turned = studio().rotate(30, fillcolor="black")
    black = (np.asarray(turned) == 0).all(axis=2)
    for picture in grafted(turned, [cut(BROWN)]):
        assert (np.asarray(picture)[black] == 0).all()


def test_without_a_white_background_or_a_rotten_fruit_there_is_none() -> None:
    rng = np.random.default_rng(0)
    assert graft(Image.new("RGB", (80, 80), (90, 60, 30)), [cut(BROWN)], rng, True) is None
    assert graft(studio(), [], rng, True) is None


def test_the_same_generator_state_gives_the_same_picture() -> None:
    first, second = (grafted(studio(), [cut(BROWN)])[0] for _ in range(2))
    assert first.tobytes() == second.tobytes()
