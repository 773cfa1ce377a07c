"""Promotions push a version onto the rollback stack; rollbacks pop one."""

import pytest

from api.registry.repository import rollback_stack


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([], []),
        (["a"], ["a"]),
        (["a", "b", "c"], ["a", "b", "c"]),
        (["a", "b", "c", "back to b"], ["a", "b"]),
        (["a", "b", "c", "back to b", "back to a"], ["a"]),
        (["a", "b", "c", "back to b", "d"], ["a", "b", "d"]),
        (["a", "b", "a", "back to b"], ["a", "b"]),
        (["a", "b", "a", "b", "back to a"], ["a", "b", "a"]),
        # A history with a missing row still has a champion.
        (["a", "b", "back to x"], ["x"]),
    ],
)
def test_rollback_stack(changes: list[str], expected: list[str]) -> None:
    rows = [
        (change.removeprefix("back to "), "rollback" if " " in change else "gate")
        for change in changes
    ]
    assert rollback_stack(rows) == expected
