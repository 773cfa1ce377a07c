"""Where the line is drawn between fresh, past its best and rotten."""

from typing import Literal

from answers import Answer
from client import ApiClient

_PATH = "/freshness-thresholds"


class Own(Answer):
    """What the model was fitted to; without `fresh_from` it cannot tell the middle."""

    rotten_below: float
    fresh_from: float | None = None


class Thresholds(Answer):
    """The scores, 0 to 1, where rotten ends and fresh begins; none where there is no freshness."""

    rotten_below: float | None = None
    fresh_from: float | None = None
    set_by: Literal["user", "environment", "model"]
    model: Own | None = None


def thresholds(api: ApiClient) -> Thresholds:
    """Those that hold now."""
    return api.call(Thresholds, "GET", _PATH)


def change(api: ApiClient, rotten_below: float, fresh_from: float) -> Thresholds:
    """Draw the line elsewhere, for everybody."""
    wanted = {"rotten_below": rotten_below, "fresh_from": fresh_from}
    return api.call(Thresholds, "PUT", _PATH, json=wanted)


def reset(api: ApiClient) -> Thresholds:
    """Draw the line where it was before anybody set it."""
    return api.call(Thresholds, "DELETE", _PATH)
