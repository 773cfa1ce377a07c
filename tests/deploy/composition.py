"""Reads docker-compose.yml as Compose does: first variables, then services."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values

from api.settings import PROJECT

COMPOSE = PROJECT / "docker-compose.yml"
EXAMPLE = PROJECT / ".env.example"
FULL = PROJECT / "deploy" / "full.env"
# ${NAME}, ${NAME:-default}, ${NAME-default}, ${NAME:?what to do}.
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<operator>:-|-|:\?)(?P<argument>[^}]*))?\}")
# A different value for each name, like random secrets.
SECRET = "test-value-of-{name}"  # noqa: S105


def variables(*, full: bool) -> dict[str, str]:
    """The variables in the .env of `make env`, followed by deploy/full.env for the full profile."""
    known: dict[str, str] = {}
    for path in (EXAMPLE, FULL) if full else (EXAMPLE,):
        for name, value in dotenv_values(path, interpolate=False).items():
            known[name] = expand(value or "", known)
            if not known[name] and path == EXAMPLE:
                known[name] = SECRET.format(name=name.lower().replace("_", "-"))
    return known


def composition(known: Mapping[str, str]) -> dict[str, Any]:
    """The whole file, with its variables expanded."""
    expanded: dict[str, Any] = _expanded(yaml.safe_load(COMPOSE.read_text()), known)
    return expanded


def services(known: Mapping[str, str], *, full: bool) -> dict[str, dict[str, Any]]:
    """The services of the profile."""
    every: dict[str, dict[str, Any]] = composition(known)["services"]
    return {name: one for name, one in every.items() if full or "profiles" not in one}


def expand(text: str, known: Mapping[str, str]) -> str:
    """Expand the variables. Raises KeyError if a required one is missing."""

    def value(match: re.Match[str]) -> str:
        name, operator, argument = match["name"], match["operator"], match["argument"] or ""
        if operator == ":?" and not known.get(name):
            raise KeyError(f"{name}: {argument}")
        if operator == ":-":
            return known.get(name) or argument
        return known.get(name, argument)

    return VARIABLE.sub(value, text)


def fill_template(template: Path, values: Mapping[str, str]) -> str:
    """The template filled with `values` as by nginx's image; unknown names stay."""
    text = template.read_text()
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def _expanded(node: Any, known: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _expanded(value, known) for key, value in node.items()}
    if isinstance(node, list):
        return [_expanded(value, known) for value in node]
    return expand(node, known) if isinstance(node, str) else node
