import numpy as np

from api.training.augment import AugmentRates, augment
from tests.synthetic_images import draw_fruit


def test_same_generator_state_gives_the_same_view() -> None:
    image = draw_fruit("freshapples", seed=1)
    views = [
        augment(image, 64, np.random.default_rng(5), AugmentRates(0.2, 0.5, 0.0)) for _ in range(2)
    ]
    assert np.array_equal(views[0], views[1])
    assert views[0].shape == (64, 64, 3)
    assert views[0].dtype == np.uint8


def test_views_differ() -> None:
    image = draw_fruit("freshapples", seed=1)
    rng = np.random.default_rng(0)
    views = {augment(image, 64, rng, AugmentRates(0.0, 0.5, 0.0)).tobytes() for _ in range(20)}
    assert len(views) == 20


def test_clean_views_are_only_mirrored() -> None:
    image = draw_fruit("freshbanana", seed=2)
    rng = np.random.default_rng(0)
    views = {augment(image, 64, rng, AugmentRates(1.0, 0.5, 0.0)).tobytes() for _ in range(20)}
    assert len(views) == 2
