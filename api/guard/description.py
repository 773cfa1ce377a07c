"""What the OpenAPI document says of keys and limits: for every path, by the rule that guards it."""

from typing import Any

from api.guard.needs import PROBES, Need, need_of
from api.problems import responses

SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer <key>"},
    "api-key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
# Of a body that cannot be read, and one that is too long.
BODY_STATUSES = [400, 413]
SCOPES = {Need.GRADE: "predict", Need.READ: "predict", Need.CHANGE: "change"}


def describe_guard(document: dict[str, Any]) -> None:
    """Add to each operation of `document` which keys it takes, and how it may be turned away."""
    document.setdefault("components", {})["securitySchemes"] = SCHEMES
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            need = need_of(method.upper(), path)
            statuses = _statuses(need, path)
            if scope := SCOPES.get(need):
                # An empty one: where the service has no keys, none is asked for.
                operation["security"] = [{name: [scope]} for name in SCHEMES] + [{}]
            if "requestBody" in operation:
                statuses += BODY_STATUSES
            for status, answer in responses(*statuses).items():
                operation["responses"].setdefault(str(status), answer)
            operation["responses"] = dict(sorted(operation["responses"].items()))


def _statuses(need: Need, path: str) -> list[int]:
    turned_away = [] if need is Need.NOTHING else [401]
    if need in (Need.GRADE, Need.CHANGE):
        turned_away.append(403)
    return turned_away if path in PROBES else [*turned_away, 429]
