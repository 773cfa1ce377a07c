"""Whether the API takes the query parameters that the app sends, by `docs/openapi.json`."""

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

OPENAPI = Path(__file__).parents[2] / "docs" / "openapi.json"


def unknown_parameters(requests: Iterable[str]) -> set[str]:
    """The requests with a query parameter that no method of their path takes.

    Paths that the API does not have are left out: tests make some up.
    """
    unknown = set()
    for request in requests:
        taken = _taken(urlsplit(request).path)
        if taken is not None and _names(request) - taken:
            unknown.add(request)
    return unknown


def _names(request: str) -> set[str]:
    return {name for name, _ in parse_qsl(urlsplit(request).query, keep_blank_values=True)}


@cache
def _taken(path: str) -> set[str] | None:
    # An exact path comes before one with a placeholder.
    for pattern, names in sorted(_patterns(), key=lambda entry: entry[0].count("[^/]+")):
        if re.fullmatch(pattern, path):
            return names
    return None


@cache
def _patterns() -> list[tuple[str, set[str]]]:
    paths = json.loads(OPENAPI.read_text())["paths"]
    return [
        (
            "[^/]+".join(map(re.escape, re.split(r"\{[^}]+\}", template))),
            {
                parameter["name"]
                for operation in operations.values()
                for parameter in operation.get("parameters", ())
                if parameter["in"] == "query"
            },
        )
        for template, operations in paths.items()
    ]
