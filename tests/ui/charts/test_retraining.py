"""The loss curve, new photos, and candidate compared with champion by class."""

from charts.retraining import Pair, loss_curve, new_photos, recall_pairs
from charts.style import NEUTRAL, WARNING


def test_each_loss_has_a_curve_over_the_epochs() -> None:
    losses = [{"epoch": 1, "loss": 0.9, "val_loss": 0.5}, {"epoch": 2, "loss": 0.4}]

    training, validation = loss_curve(losses).data

    assert (training.name, training.x, training.y) == ("Training", (1, 2), (0.9, 0.4))
    assert (validation.name, validation.x, validation.y) == ("Validation", (1,), (0.5,))


def test_class_with_most_new_photos_is_on_top() -> None:
    figure = new_photos({"kiwi": 7, "freshapples": 1200})

    assert figure.data[0].y == ("freshapples", "kiwi")
    assert figure.data[0].text == ("1,200", "7")
    assert figure.layout.yaxis.ticktext == ("Fresh apple", "Kiwi")


def test_number_of_new_classes_is_limited() -> None:
    assert len(new_photos({f"fruit {n}": n for n in range(40)}).data[0].y) == 15


def test_class_that_got_worse_is_highlighted() -> None:
    figure = recall_pairs({"kiwi": Pair(10, 9, 8), "freshapples": Pair(20, 19, 20)})

    worse, better, candidate, champion = figure.data
    assert (worse.line.color, better.line.color) == (WARNING, NEUTRAL)
    assert (champion.name, champion.x) == ("Current", (90.0, 95.0))
    assert (candidate.name, candidate.x) == ("New", (80.0, 100.0))
    assert candidate.text[0] == "New: 80.0 % right"


def test_new_class_has_only_a_candidate_dot() -> None:
    figure = recall_pairs({"freshapples": Pair(20, 19, 20), "kiwi": Pair(8, None, 6)})

    _, candidate, champion = figure.data
    assert (champion.y, candidate.y) == (("freshapples",), ("freshapples", "kiwi"))
    assert candidate.x == (100.0, 75.0)
    assert figure.layout.yaxis.ticktext == ("Fresh apple", "Kiwi (new)")


def test_class_without_held_out_photos_has_none_right() -> None:
    assert recall_pairs({"kiwi": Pair(0, 0, 0)}).data[1].x == (0.0,)
