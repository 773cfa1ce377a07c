"""The API's address as people and hosting platforms write it."""

import pytest
from settings import Settings


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("http://127.0.0.1:9000/", "http://127.0.0.1:9000"),
        ("https://ripeline.example", "https://ripeline.example"),
        ("ripeline-api:8000", "http://ripeline-api:8000"),
        ("", "http://127.0.0.1:8000"),
    ],
)
def test_the_address_is_completed(
    monkeypatch: pytest.MonkeyPatch, written: str, address: str
) -> None:
    monkeypatch.setenv("RIPELINE_API_URL", written)

    assert Settings().api_url == address
