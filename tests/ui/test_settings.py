"""The API's address as people and hosting platforms write it."""

import pytest
from settings import Settings


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("http://127.0.0.1:9000/", "http://127.0.0.1:9000"),
        ("https://ripeline.example", "https://ripeline.example"),
        ("ripeline-api:8000", "http://ripeline-api:8000"),
        ("", "http://127.0.0.1:8000"),
    ],
)
def test_api_url_is_normalized(monkeypatch: pytest.MonkeyPatch, value: str, address: str) -> None:
    monkeypatch.setenv("RIPELINE_API_URL", value)

    assert Settings().api_url == address
