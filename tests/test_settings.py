"""All settings are documented, and invalid values are rejected."""

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


def test_addresses_for_notifications_may_have_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = ["mailto://me:secret@example.org?to=a@example.org,b@example.org", "json://host/x"]
    monkeypatch.setenv("RIPELINE_NOTIFY", f"{urls[0]}, {urls[1]}")
    settings = Settings()
    assert [url.get_secret_value() for url in settings.notify] == urls
    assert "secret" not in repr(settings) + settings.model_dump_json()


@pytest.mark.parametrize("value", ["pigeon://sesame/4711", "sesame-4711", "json://host, slack://"])
def test_unknown_notification_address_is_rejected_and_not_shown(
    value: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RIPELINE_NOTIFY", value)
    with pytest.raises(ValidationError, match=r"does not know the kind of address \d") as caught:
        Settings()
    assert "sesame" not in str(caught.value) + caplog.text


@pytest.mark.parametrize("days", ["inf", "nan", "36501", "-1"])
@pytest.mark.parametrize("name", ["predicted", "inspections", "removed"])
def test_period_beyond_any_date_is_refused(
    name: str, days: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"RIPELINE_KEEP_{name.upper()}_DAYS", days)
    with pytest.raises(ValueError, match=f"keep_{name}_days"):
        Settings()
