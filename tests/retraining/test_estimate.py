"""What is expected of a run before it begins."""

import pytest

from api.retraining import planning


def test_epochs_take_time_only_where_there_are_epochs() -> None:
    one, ten = {"epochs": 1}, {"epochs": 10}
    assert planning.expected_seconds("fast", one, 500, 10) == planning.expected_seconds(
        "fast", ten, 500, 10
    )
    longer = planning.expected_seconds("full", ten, 500, 10)
    added = longer - planning.expected_seconds("full", one, 500, 10)
    assert added == pytest.approx(9 * 500 * planning.ROW["full"])
    assert planning.expected_seconds("full", {}, 500, 10) > longer


def test_an_epoch_takes_as_long_as_it_has_views() -> None:
    recipe = {"epochs": 3, "views": 1600}
    few, many = (planning.expected_seconds("full", recipe, rows, 10) for rows in (100, 9000))
    assert few == many
    more = planning.expected_seconds("full", {**recipe, "views": 2600}, 100, 10)
    assert more - few == pytest.approx(3 * 1000 * planning.ROW["full"])
