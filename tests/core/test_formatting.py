"""Number formatting."""

from api.core.formatting import percent


def test_percent_has_a_space_before_the_sign() -> None:
    assert percent(0.9768) == "97.7 %"
    assert percent(0.98, 0) == "98 %"
    assert percent(1) == "100.0 %"
