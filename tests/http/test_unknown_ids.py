"""Impossible ids in paths get 404, like well-formed ids that do not exist."""

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings

UNKNOWN = ("None", "null", "x" * 32, "0" * 31, "0" * 33, "A" * 32, "%00", "%ED%A0%80", "..%2f..")


def _paths() -> list[tuple[str, str]]:
    """Methods and paths of all operations without a body that identify a row by id."""
    described = create_app(Settings()).openapi()["paths"]
    return [
        (method, path)
        for path, operations in sorted(described.items())
        for method, operation in sorted(operations.items())
        if "_id}" in path and "requestBody" not in operation
    ]


@pytest.mark.parametrize(("method", "path"), _paths())
def test_id_that_cannot_exist_is_not_found(client: TestClient, method: str, path: str) -> None:
    for unknown in UNKNOWN:
        url = path.format_map(_Everywhere(unknown))
        answer = client.request(method, url)
        assert answer.status_code == 404, (url, answer.text)
        # A well-formed id that does not exist gives the same code.
        missing = client.request(method, path.format_map(_Everywhere("0" * 32)))
        code = answer.json()["code"]
        assert code in (missing.json()["code"], "not-found"), url


class _Everywhere(dict[str, str]):
    """A mapping with the same id for all parameters of a path."""

    def __init__(self, value: str) -> None:
        super().__init__()
        self._value = value

    def __missing__(self, name: str) -> str:
        return "1" if name == "number" else self._value
