"""A range whose lower bound is above its upper one is refused instead of matching nothing."""

from itertools import product

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings

EARLY, LATE = "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"
# Names of the lower and the upper bound, and values for them.
RANGES = {("since", "until"): (EARLY, LATE), ("at_least", "below"): ("0.2", "0.8")}
# Words that can occur in the names of bounds.
BOUND_WORDS = {
    *("since", "until", "after", "before", "below", "above", "least", "most"),
    *("min", "max", "from", "to", "start", "end", "lowest", "highest"),
}


def _ranges() -> list[tuple[str, str, str]]:
    """Each path that takes a range, with the names of its bounds."""
    found = []
    for path, operations in create_app(Settings()).openapi()["paths"].items():
        named = {one["name"] for one in operations.get("get", {}).get("parameters", ())}
        found += [(path, *bounds) for bounds in RANGES if named.issuperset(bounds)]
    return found


def test_all_ranges_are_known() -> None:
    """Otherwise the tests below would miss one."""
    known = {name for bounds in RANGES for name in bounds}
    bounds = set()
    for path, operations in create_app(Settings()).openapi()["paths"].items():
        for operation in operations.values():
            bounds |= {
                one["name"]
                for one in operation.get("parameters", ())
                if set(one["name"].split("_")) & BOUND_WORDS
                # The version to return to.
                and (path, one["name"]) != ("/models/rollback", "to")
            }
    # `after` is a cursor, which has no upper bound.
    assert bounds == known | {"after"}
    assert {path for path, *_ in _ranges()} == {"/predictions", "/predictions.xlsx", "/inspections"}


@pytest.mark.parametrize(("path", "lower", "upper"), _ranges())
def test_reversed_range_is_refused(client: TestClient, path: str, lower: str, upper: str) -> None:
    low, high = RANGES[lower, upper]
    refused = client.get(path, params={lower: high, upper: low})
    assert refused.headers["content-type"] == "application/problem+json"
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (422, "reversed-range")
    assert f"`{lower}` and `{upper}`" in problem["detail"]
    fine = [{lower: a, upper: b} for a, b in product((low, high), repeat=2) if a <= b]
    for query in (*fine, {lower: high}, {upper: low}):
        assert client.get(path, params=query).status_code == 200, query
