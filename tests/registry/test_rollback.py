"""Promotions go on top of what served; rollbacks take them off again."""

import pytest

from api.registry.repository import rollback_stack


@pytest.mark.parametrize(
    ("changes", "served"),
    [
        ([], []),
        (["a"], ["a"]),
        (["a", "b", "c"], ["a", "b", "c"]),
        (["a", "b", "c", "back to b"], ["a", "b"]),
        (["a", "b", "c", "back to b", "back to a"], ["a"]),
        (["a", "b", "c", "back to b", "d"], ["a", "b", "d"]),
        (["a", "b", "a", "back to b"], ["a", "b"]),
        (["a", "b", "a", "b", "back to a"], ["a", "b", "a"]),
        # A history that lost a row still has a champion.
        (["a", "b", "back to x"], ["x"]),
    ],
)
def test_what_served_before_what(changes: list[str], served: list[str]) -> None:
    rows = [
        (change.removeprefix("back to "), "rollback" if " " in change else "gate")
        for change in changes
    ]
    assert rollback_stack(rows) == served
