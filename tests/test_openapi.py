"""docs/openapi.json is up to date."""

from scripts.openapi import FILE, described


def test_committed_openapi_document_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == described(), "run: make openapi"
