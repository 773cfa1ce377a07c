"""The committed description of the API is what the service says of itself."""

from scripts.openapi import FILE, described


def test_the_committed_description_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == described(), "run: make openapi"
