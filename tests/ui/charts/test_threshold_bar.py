"""The bar of a value against its limit."""

import re

import pytest
from charts.style import HIGHLIGHT, MUTED, RING, WARNING
from charts.threshold_bar import threshold_bar


@pytest.mark.parametrize(
    ("value", "within", "beyond", "limit"),
    [
        (0.0, "0.0%", "0.0%", "80.0%"),
        (50.0, "40.0%", "40.0%", "80.0%"),
        (150.0, "63.5%", "95.2%", "63.5%"),
        # Far beyond the threshold the bar is cut, so that the threshold stays visible.
        (9000.0, "25.0%", "100.0%", "25.0%"),
        (-3.0, "0.0%", "0.0%", "80.0%"),
    ],
)
def test_bar_shows_the_value_as_a_share_of_the_threshold(
    value: float, within: str, beyond: str, limit: str
) -> None:
    bar = threshold_bar(value, 100.0, "Drift: due above 100.")

    assert f"{HIGHLIGHT} {within}, {WARNING} {within} {beyond}, {MUTED} {beyond}" in bar
    assert f"{RING} {limit} calc({limit} + 3px)" in bar


def test_text_of_the_bar_cannot_leave_its_attribute() -> None:
    bar = threshold_bar(1.0, 2.0, '"><script>alert("x")</script>')

    assert re.findall(r"<(\w+)", bar) == ["div"]
