"""Numbers in sentences."""

from api.core.formatting import percent


def test_a_share_is_a_percentage_with_a_space() -> None:
    assert percent(0.9768) == "97.7 %"
    assert percent(0.98, 0) == "98 %"
    assert percent(1) == "100.0 %"
