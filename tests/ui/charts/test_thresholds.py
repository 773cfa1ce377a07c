"""A value against its threshold."""

import pytest
from charts.thresholds import threshold_bar


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        (0.0, (1.25, 0.0, 0.0)),
        (50.0, (1.25, 0.5, 0.5)),
        (150.0, (1.575, 1.5, 1.0)),
        # Far beyond, the bar is cut: the threshold stays in sight.
        (9000.0, (4.0, 4.0, 1.0)),
        (-3.0, (1.25, 0.0, 0.0)),
    ],
)
def test_the_bar_shows_the_value_as_a_share_of_the_threshold(
    value: float, parts: tuple[float, ...]
) -> None:
    figure = threshold_bar(value, 100.0)

    assert figure.data[0].x == pytest.approx(parts)
    assert figure.layout.xaxis.range == (0, pytest.approx(parts[0]))
    assert figure.layout.shapes[0].x0 == 1
