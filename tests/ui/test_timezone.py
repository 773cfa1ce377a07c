"""Times in the browser's time zone."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import timezone

MOMENT = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "offset", "expected"),
    [
        ("Europe/Berlin", -60, datetime(2026, 7, 2, 0, 30)),
        ("Nowhere/Land", -60, datetime(2026, 7, 1, 23, 30)),
        ("../etc/passwd", 300, datetime(2026, 7, 1, 17, 30)),
        (None, None, datetime(2026, 7, 1, 22, 30)),
    ],
)
def test_time_is_in_the_time_zone_of_the_browser(
    monkeypatch: pytest.MonkeyPatch, zone: str | None, offset: int | None, expected: datetime
) -> None:
    context = SimpleNamespace(timezone=zone, timezone_offset=offset)
    monkeypatch.setattr(timezone, "st", SimpleNamespace(context=context))

    assert timezone.local(MOMENT) == expected
