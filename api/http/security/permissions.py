"""The permission that each request needs, by method and path, and its description in OpenAPI.

Closed by default: a new path needs a key to read, and a change key for anything else.
"""

from enum import Enum
from typing import Any

from api.core.api_keys import CHANGE, NO_SCOPE, PREDICT, ApiKeys
from api.http.problems import responses

# Health checks have no keys, and no rate limit.
PROBES = frozenset({"/live", "/ready", "/health"})
PUBLIC = frozenset({"/", "/docs", "/docs/oauth2-redirect", "/openapi.json"})
# They take a photo and change neither data nor model.
GRADING = frozenset({"/predict", "/predict/batch", "/insights/augmentation"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer <key>"},
    "api-key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


class Permission(Enum):
    NONE = "none"
    GRADE = "grade"
    READ = "read"
    CHANGE = "change"


# The key scopes of OpenAPI.
SCOPES = {Permission.GRADE: "predict", Permission.READ: "predict", Permission.CHANGE: "change"}


def required_permission(method: str, path: str) -> Permission:
    if method in SAFE_METHODS:
        return Permission.NONE if path in PROBES or path in PUBLIC else Permission.READ
    return Permission.GRADE if path in GRADING else Permission.CHANGE


def required_scope(permission: Permission, keys: ApiKeys) -> int:
    """The least scope of a key; NO_SCOPE if none is needed.

    With predict keys but no change keys, nothing can be changed.
    """
    if permission is Permission.NONE or keys.is_empty:
        return NO_SCOPE
    if permission is Permission.CHANGE:
        return CHANGE
    if permission is Permission.GRADE and not keys.guards_predictions:
        return NO_SCOPE
    return PREDICT


def describe_security(document: dict[str, Any]) -> None:
    """Add keys and refusals to each operation of an OpenAPI document."""
    document.setdefault("components", {})["securitySchemes"] = SCHEMES
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            permission = required_permission(method.upper(), path)
            statuses = [] if permission is Permission.NONE else [401]
            if permission in (Permission.GRADE, Permission.CHANGE):
                statuses.append(403)
            if path not in PROBES:
                statuses.append(429)
            if "requestBody" in operation:
                statuses += [400, 413]  # It cannot be read, or is too large.
            if scope := SCOPES.get(permission):
                # The empty one: a service without keys asks for none.
                operation["security"] = [{name: [scope]} for name in SCHEMES] + [{}]
            for status, response in responses(*statuses).items():
                operation["responses"].setdefault(str(status), response)
            operation["responses"] = dict(sorted(operation["responses"].items()))
