"""The permission that each request needs, by method and path, and its description in OpenAPI.

Closed by default: a new path needs a key to read, and a change key for anything else.
"""

import re
from enum import Enum
from typing import Any

from api.core.api_keys import NO_SCOPE, ApiKeys, KeyScope
from api.http.problems import responses

# Health checks have no keys, and no rate limit.
PROBES = frozenset({"/live", "/ready", "/health"})
PUBLIC = frozenset({"/", "/docs", "/docs/oauth2-redirect", "/openapi.json"})
# They take a photo and change neither data nor model.
GRADING = frozenset({"/predict", "/predict/batch", "/insights/augmentation"})
# Changes of the data: uploading, labelling and removing photos, feedback, and inspections.
DATA = re.compile(
    r"POST /(upload-training-data|upload-boxed-photos|dataset/images/(relabel|remove)"
    r"|dataset/removed/restore|review-queue)"
    r"|POST /predictions/[^/]+/feedback|PUT /predictions/[^/]+/boxes"
    r"|(PUT|DELETE) /predictions/[^/]+/dismissal"
    r"|(PATCH|DELETE) /dataset/images/[^/]+"
    r"|DELETE /dataset/boxed-photos/[^/]+|PUT /dataset/boxed-photos/[^/]+/boxes"
    r"|POST /inspections(/[^/]+/(restore|photos(/[^/]+/(fruits|restore))?))?"
    r"|PATCH /inspections/[^/]+/photos/[^/]+"
    r"|PUT /inspections/[^/]+/photos/[^/]+/fruits/[^/]+"
    r"|DELETE /inspections/[^/]+(/photos/[^/]+(/fruits/[^/]+)?)?"
)
# Changes of the models: runs, versions in use, thresholds and triggers.
MODELS = re.compile(
    r"POST /(retrain|runs/[^/]+/cancel|models/compare(/kept)?|models/rollback|models/[^/]+/promote"
    r"|models/[^/]+/thresholds)"
    r"|PATCH /models/[^/]+"
    r"|(PUT|DELETE) /(freshness-thresholds|models/[^/]+/(shadow|thresholds/[^/]+))"
    r"|PUT /triggers/[^/]+|POST /suggestions/[^/]+/(accept|dismiss)"
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer <key>"},
    "api-key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


class Permission(Enum):
    NONE = "none"
    GRADE = "grade"
    READ = "read"
    DATA = "data"
    MODELS = "models"
    # Any other change.
    CHANGE = "change"


CHANGES = frozenset({Permission.DATA, Permission.MODELS, Permission.CHANGE})
KEY_SCOPES = {
    Permission.NONE: KeyScope.NONE,
    Permission.GRADE: KeyScope.PREDICT,
    Permission.READ: KeyScope.PREDICT,
    Permission.DATA: KeyScope.DATA,
    Permission.MODELS: KeyScope.MODELS,
    Permission.CHANGE: KeyScope.CHANGE,
}
# The key scopes of OpenAPI, each of which is enough.
SCOPES = {
    Permission.GRADE: ("predict",),
    Permission.READ: ("predict",),
    Permission.DATA: ("data", "change"),
    Permission.MODELS: ("models", "change"),
    Permission.CHANGE: ("change",),
}


def required_permission(method: str, path: str) -> Permission:
    if method in SAFE_METHODS:
        return Permission.NONE if path in PROBES or path in PUBLIC else Permission.READ
    if path in GRADING:
        return Permission.GRADE
    operation = f"{method} {path}"
    if DATA.fullmatch(operation):
        return Permission.DATA
    return Permission.MODELS if MODELS.fullmatch(operation) else Permission.CHANGE


def required_scope(permission: Permission, keys: ApiKeys) -> KeyScope:
    """The scope that a key must include; NO_SCOPE if none is needed.

    With predict keys alone, nothing can be changed.
    """
    if keys.is_empty or (permission is Permission.GRADE and not keys.guards_predictions):
        return NO_SCOPE
    return KEY_SCOPES[permission]


def describe_security(document: dict[str, Any]) -> None:
    """Add keys and refusals to each operation of an OpenAPI document."""
    document.setdefault("components", {})["securitySchemes"] = SCHEMES
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            permission = required_permission(method.upper(), path)
            statuses = [] if permission is Permission.NONE else [401]
            if permission is Permission.GRADE or permission in CHANGES:
                statuses.append(403)
            if path not in PROBES:
                statuses.append(429)
            if "requestBody" in operation:
                statuses += [400, 413]  # It cannot be read, or is too large.
            if scopes := SCOPES.get(permission):
                # The empty alternative: a service without keys requires none.
                alternatives = [{name: [scope]} for scope in scopes for name in SCHEMES]
                operation["security"] = [*alternatives, {}]
            for status, response in responses(*statuses).items():
                operation["responses"].setdefault(str(status), response)
            operation["responses"] = dict(sorted(operation["responses"].items()))
