"""Settings: all documented, invalid values rejected."""

import pytest
from pydantic import ValidationError

from api.core.freshness_levels import LevelThresholds
from api.settings import PROJECT, Settings


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_is_documented(field: str) -> None:
    alias = Settings.model_fields[field].validation_alias
    names = getattr(alias, "choices", None) or [f"RIPELINE_{field.upper()}"]
    assert f"`{names[0]}`" in (PROJECT / "docs" / "SETTINGS.md").read_text()


@pytest.mark.parametrize(
    ("below", "fresh", "message"),
    [
        ("0.3", "", "set both"),
        ("", "0.3", "set both"),
        ("0.6", "0.5", "must not be above the second"),
        ("0", "0.5", "between 0 and 1"),
        ("nan", "0.5", "between 0 and 1"),
        ("a third", "0.5", "valid number"),
    ],
)
def test_invalid_thresholds_are_rejected(
    below: str, fresh: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIPELINE_ROTTEN_BELOW", below)
    monkeypatch.setenv("RIPELINE_FRESH_FROM", fresh)
    with pytest.raises(ValidationError, match=message):
        Settings()


def test_thresholds_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().level_thresholds is None
    monkeypatch.setenv("RIPELINE_ROTTEN_BELOW", "0.3")
    monkeypatch.setenv("RIPELINE_FRESH_FROM", "0.7")
    assert Settings().level_thresholds == LevelThresholds(0.3, 0.7)
