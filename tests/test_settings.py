"""Every setting is described where people look for it."""

import pytest

from api.settings import PROJECT, Settings


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_of_the_service_is_described(field: str) -> None:
    alias = Settings.model_fields[field].validation_alias
    names = getattr(alias, "choices", None) or [f"RIPELINE_{field.upper()}"]
    assert f"`{names[0]}`" in (PROJECT / "docs" / "SETTINGS.md").read_text()
