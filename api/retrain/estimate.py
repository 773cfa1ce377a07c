"""How long a run will take, from what it has to do and from how long the last one took."""

from typing import Any

from api.retrain.service import Mode

# Measured on two cores: seconds to start and to finish, a photograph that is new, and one that the
# grader learns from (in the mode full: each view of one).
START = {"fast": 6.0, "full": 60.0}
NEW = {"fast": 0.02, "full": 0.02}
ROW = {"fast": 0.003, "full": 0.017}
# Where a package's recipe does not say: one of before there were views shows every photograph.
EPOCHS = 20
# A run that was slowed down or hurried by something else is no guide beyond this.
MOST_CORRECTION = 10.0


def expected_seconds(mode: Mode, recipe: dict[str, Any], rows: int, new: int) -> float:
    """Without knowing the machine, by a package's `recipe`.

    `rows` is how many photographs are learned from, `new` of them are new.
    """
    shown = rows
    if mode == "full":
        shown = recipe.get("views", rows) * recipe.get("epochs", EPOCHS)
    return START[mode] + NEW[mode] * new + ROW[mode] * shown


def corrected(expected: float, last: tuple[float, float] | None) -> float:
    """`expected` on this machine, where the last run took and was expected to take so much."""
    if last is None:
        return expected
    taken, then_expected = last
    factor = taken / then_expected
    return expected * min(max(factor, 1 / MOST_CORRECTION), MOST_CORRECTION)
