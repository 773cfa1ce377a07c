"""What a request needs, told by its method and path alone, and what OpenAPI says of it.

Whatever is not named here is closed: a path that is new can be read with a key, and changed with
one that may change.
"""

from enum import Enum
from typing import Any

from api.core.api_keys import CHANGE, NO_SCOPE, PREDICT, ApiKeys
from api.http.problems import responses

# Asked by machines that have no key and no patience.
PROBES = frozenset({"/live", "/ready", "/health"})
FRONT = frozenset({"/", "/docs", "/docs/oauth2-redirect", "/openapi.json"})
# They are sent a photograph and leave the data and the model as they are.
GRADING = frozenset({"/predict", "/predict/batch", "/insights/augmentation"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer <key>"},
    "api-key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
# Of a body that cannot be read, and one that is too long.
BODY_STATUSES = [400, 413]


class Permission(Enum):
    """What kind of thing a request wants."""

    NOTHING = "nothing"
    GRADE = "grade"
    READ = "read"
    CHANGE = "change"


SCOPES = {Permission.GRADE: "predict", Permission.READ: "predict", Permission.CHANGE: "change"}


def permission_of(method: str, path: str) -> Permission:
    if method in SAFE_METHODS:
        return Permission.NOTHING if path in PROBES or path in FRONT else Permission.READ
    return Permission.GRADE if path in GRADING else Permission.CHANGE


def least_scope(need: Permission, keys: ApiKeys) -> int:
    """The scope that a key must have; NO_SCOPE where none is needed.

    Where there are keys that may predict and none that may change, nobody changes anything.
    """
    if need is Permission.NOTHING or keys.is_empty:
        return NO_SCOPE
    if need is Permission.CHANGE:
        return CHANGE
    if need is Permission.GRADE and not keys.guards_predictions:
        return NO_SCOPE
    return PREDICT


def describe_guard(document: dict[str, Any]) -> None:
    """Add to each operation of `document` which keys it takes, and how it may be turned away."""
    document.setdefault("components", {})["securitySchemes"] = SCHEMES
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            need = permission_of(method.upper(), path)
            statuses = _statuses(need, path)
            if scope := SCOPES.get(need):
                # An empty one: where the service has no keys, none is asked for.
                operation["security"] = [{name: [scope]} for name in SCHEMES] + [{}]
            if "requestBody" in operation:
                statuses += BODY_STATUSES
            for status, answer in responses(*statuses).items():
                operation["responses"].setdefault(str(status), answer)
            operation["responses"] = dict(sorted(operation["responses"].items()))


def _statuses(need: Permission, path: str) -> list[int]:
    turned_away = [] if need is Permission.NOTHING else [401]
    if need in (Permission.GRADE, Permission.CHANGE):
        turned_away.append(403)
    return turned_away if path in PROBES else [*turned_away, 429]
