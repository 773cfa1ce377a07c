"""API keys: which ones are accepted, and their scopes."""

import hmac

import pytest
from pydantic import SecretStr, ValidationError

from api.core.api_keys import CHANGE, NO_SCOPE, PREDICT, ApiKeys, KeyScope, parse_keys
from api.settings import Settings

PREDICT_KEY = "predict-0f3a9c1b7e5d2846"
CHANGE_KEY = "change-91be04c7d6a3f258"


def api_keys() -> ApiKeys:
    return ApiKeys([SecretStr(PREDICT_KEY)], [SecretStr(CHANGE_KEY)])


def test_known_keys_have_their_scope_and_others_none() -> None:
    assert api_keys().scope_of(PREDICT_KEY) == PREDICT
    assert api_keys().scope_of(CHANGE_KEY) == CHANGE
    for other in ("", PREDICT_KEY[:-1], f"{PREDICT_KEY} ", PREDICT_KEY.upper(), "ÿ" * 24):
        assert api_keys().scope_of(other) == NO_SCOPE


def test_key_in_both_lists_has_the_change_scope() -> None:
    both = [SecretStr(CHANGE_KEY)]
    assert ApiKeys(both, both).scope_of(CHANGE_KEY) == CHANGE


def test_key_in_data_and_models_lists_has_the_change_scope() -> None:
    one = [SecretStr(CHANGE_KEY)]
    assert ApiKeys(data=one).scope_of(CHANGE_KEY) == KeyScope.DATA
    assert ApiKeys(models=one).scope_of(CHANGE_KEY) == KeyScope.MODELS
    assert ApiKeys(data=one, models=one).scope_of(CHANGE_KEY) == CHANGE
    assert not ApiKeys(data=one).is_empty


def test_every_key_is_compared_even_after_a_match(monkeypatch: pytest.MonkeyPatch) -> None:
    compared, compare_digest = [], hmac.compare_digest

    def recording(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return compare_digest(one, other)

    monkeypatch.setattr(hmac, "compare_digest", recording)
    api_keys().scope_of(PREDICT_KEY)
    api_keys().scope_of("unknown")
    assert len(compared) == 4


def test_keys_are_separated_by_commas() -> None:
    keys = parse_keys(f" {PREDICT_KEY}, {CHANGE_KEY},")
    assert [key.get_secret_value() for key in keys] == [PREDICT_KEY, CHANGE_KEY]


@pytest.mark.parametrize(
    "key",
    [
        "a8f03c9e21b47d6",  # One character too short.
        "changeme-5f0a9b3c2d1e",
        "your-api-key-0123456789",
        "aaaaaaaaaaaaaaaaaaaaaaaa",
        "abababababababababababab",
        "mit leerzeichen 0123456",
        "schlüssel-0f3a9c1b7e5d",
    ],
)
def test_weak_key_is_rejected_without_showing_it(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("RIPELINE_CHANGE_KEYS", f"{CHANGE_KEY},{key}")
    with pytest.raises(ValidationError) as raised:
        Settings()
    message = str(raised.value)
    assert "key 2" in message
    assert key not in message
    assert CHANGE_KEY not in message


def test_settings_do_not_show_their_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIPELINE_CHANGE_KEYS", CHANGE_KEY)
    monkeypatch.setenv("RIPELINE_PREDICT_KEYS", PREDICT_KEY)
    monkeypatch.setenv("DATABASE_URL", "postgresql://ripe:db-password@127.0.0.1/catalog")
    settings = Settings()
    text = f"{settings} {settings!r} {settings.change_keys}"
    assert settings.change_keys[0].get_secret_value() == CHANGE_KEY
    assert not any(secret in text for secret in (CHANGE_KEY, PREDICT_KEY, "db-password"))
