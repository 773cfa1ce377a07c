"""The classes of a run, and its expected duration."""

import pytest

from api.retraining import plan
from api.retraining.plan import (
    Photo,
    TooFewClassesError,
    TooFewOfClassError,
    UnknownClassesError,
    select_classes,
)


def photos(*class_names: str, count: int = 8, split: str = "train") -> set[Photo]:
    return {(name, f"{name}/{k}", split) for name in class_names for k in range(count)}


def test_select_classes() -> None:
    known, everything = ("pear", "apple"), photos("apple", "pear", "fig", "plum")
    selection = select_classes(known, everything, None)
    assert selection.classes == ("pear", "apple", "fig", "plum")
    assert selection.left_out == {}
    assert select_classes(known, everything, ["plum", "apple"]).classes == ("apple", "plum")
    with pytest.raises(UnknownClassesError, match=r"of kiwi\. There are some of: apple, fig, pear"):
        select_classes(known, everything, ["plum", "kiwi"])
    with pytest.raises(TooFewClassesError, match="1 "):
        select_classes(known, everything, ["plum"])


def test_class_that_is_too_small_is_left_out_unless_requested() -> None:
    known = ("apple", "pear", "quince")
    few = photos("plum", count=7)
    one_group = {("fig", "fig/one", "train"), ("fig", "fig/one", "train")}
    held_out = photos("kiwi", split="test")
    given = photos("apple", "pear") | few | one_group | held_out
    selection = select_classes(known, given, None)
    assert selection.classes == ("apple", "pear")
    # All photos of quince were removed.
    assert selection.left_out == {"quince": 0, "fig": 1, "kiwi": 8, "plum": 7}
    with pytest.raises(TooFewOfClassError, match=r"plum \(7\): each class needs at least 8"):
        select_classes(known, given, ["apple", "plum"])
    with pytest.raises(TooFewOfClassError, match=r"fig \(1\), kiwi \(8\)"):
        select_classes(known, given, ["fig", "apple", "kiwi"])
    with pytest.raises(TooFewClassesError, match=r"1 \(apple\)\. Left out.* plum \(7\)"):
        select_classes(("apple",), photos("apple") | few, None)


def test_epochs_affect_only_full_runs() -> None:
    one, ten = {"epochs": 1}, {"epochs": 10}
    assert plan.expected_seconds("fast", one, 500, 10) == plan.expected_seconds(
        "fast", ten, 500, 10
    )
    longer = plan.expected_seconds("full", ten, 500, 10)
    added = longer - plan.expected_seconds("full", one, 500, 10)
    assert added == pytest.approx(9 * 500 * plan.SECONDS_PER_VIEW["full"])
    assert plan.expected_seconds("full", {}, 500, 10) > longer


def test_full_run_duration_depends_on_views_per_epoch() -> None:
    recipe = {"epochs": 3, "views": 1600}
    few, many = (plan.expected_seconds("full", recipe, rows, 10) for rows in (100, 9000))
    assert few == many
    more = plan.expected_seconds("full", {**recipe, "views": 2600}, 100, 10)
    assert more - few == pytest.approx(3 * 1000 * plan.SECONDS_PER_VIEW["full"])
