"""JSON bodies: a misspelt field is refused, and not silently left out."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

OPENAPI = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
SCHEMAS: dict[str, Any] = OPENAPI["components"]["schemas"]
# Its four fields are required, so none can be misspelt. Responses have it, too.
OTHERS = {"FruitBox"}


def _used_by(schema: object) -> set[str]:
    """Names of all schemas that a schema refers to, at any depth."""
    if isinstance(schema, list):
        return set().union(*map(_used_by, schema))
    if not isinstance(schema, dict):
        return set()
    used = set().union(*map(_used_by, schema.values()))
    if name := str(schema.get("$ref", "")).rpartition("/")[2]:
        used |= {name} | _used_by(SCHEMAS[name])
    return used


def _bodies() -> set[str]:
    return {
        name
        for operations in OPENAPI["paths"].values()
        for operation in operations.values()
        for kind, content in operation.get("requestBody", {}).get("content", {}).items()
        if kind == "application/json"
        for name in _used_by(content["schema"])
        if SCHEMAS[name]["type"] == "object"
    }


def test_bodies_take_no_unknown_field() -> None:
    bodies = _bodies()
    assert {"Feedback", "RetrainRequest", "MarkedFruit", "TriggerChange"} < bodies
    assert {name for name in bodies if SCHEMAS[name].get("additionalProperties", True)} == OTHERS


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/retrain", {"mod": "full"}, "mod"),
        (
            "POST",
            "/review-queue",
            {"items": [{"prediction_id": "a", "label": "pear", "newclass": True}]},
            "newclass",
        ),
        ("PATCH", f"/dataset/images/{'a' * 32}", {"class_name": "pear", "new": True}, "new"),
        ("POST", "/inspections", {"lot": "A", "max_roten": 0.1}, "max_roten"),
        ("PATCH", "/models/a", {"nam": "A"}, "nam"),
    ],
)
def test_unknown_field_is_named(
    client: TestClient, method: str, path: str, body: dict[str, Any], field: str
) -> None:
    response = client.request(method, path, json=body)
    assert response.status_code == 422
    assert field in response.text
