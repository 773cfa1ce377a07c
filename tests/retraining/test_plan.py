"""The classes of a run, and its expected duration."""

import pytest

from api.retraining import plan
from api.retraining.plan import TooFewClassesError, UnknownClassesError, select_classes


def test_select_classes() -> None:
    assert select_classes(("pear", "apple"), {"plum", "fig", "pear"}, None) == (
        "pear",
        "apple",
        "fig",
        "plum",
    )
    assert select_classes(("apple", "pear"), {"plum"}, ["plum", "apple"]) == ("apple", "plum")
    with pytest.raises(UnknownClassesError, match=r"of kiwi\. There are some of: apple, pear"):
        select_classes(("apple", "pear"), {"plum"}, ["plum", "kiwi"])
    with pytest.raises(TooFewClassesError, match="1 "):
        select_classes(("apple", "pear"), {"plum"}, ["plum"])


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
