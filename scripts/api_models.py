"""Write the app's models of the API's responses, ui/api_models.py (`make api-models`).

They are generated from docs/openapi.json. The file is committed so that the app's image needs no
generator; a test compares it with this script's output.
"""

import json
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from datamodel_code_generator import InputFileType, generate
from datamodel_code_generator.enums import DataModelType
from datamodel_code_generator.format import DatetimeClassType, Formatter, PythonVersion
from datamodel_code_generator.parser import LiteralType

PROJECT = Path(__file__).parents[1]
DOCUMENT = PROJECT / "docs" / "openapi.json"
FILE = PROJECT / "ui" / "api_models.py"
HEADER = (
    '"""The API\'s answers. Generated from docs/openapi.json by `make api-models`: do not edit."""'
)
REF = "#/components/schemas/"
# Stored JSON whose schema the document leaves open; ui/stored_models.py has the models.
STORED = {
    "Verdict": ("Run.verdict", "Version.verdict"),
    "Metrics": ("Manifest.metrics",),
    "DetectionMetrics": ("DetectorManifest.metrics",),
}
# FastAPI repeats all fields of the base in a subclass.
SUBCLASSES = {"BatchPrediction": "Prediction", "VersionDetails": "Version"}
# Fields that the app can do without, apart from those that may be null.
OPTIONAL = ("Prediction.fruit", "ModelInfo.*", "ModelSummary.*", "BatchFailure.index", "Problem.*")
REQUIRED = ("Problem.detail",)


def generated() -> str:
    """The source of ui/api_models.py."""
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    schemas = answer_schemas(document)
    source = generate(
        json.dumps(document | {"paths": {}, "components": {"schemas": schemas}}),
        input_file_type=InputFileType.OpenAPI,
        output_model_type=DataModelType.PydanticV2BaseModel,
        output_datetime_class=DatetimeClassType.Datetime,
        target_python_version=PythonVersion.PY_311,
        formatters=[Formatter.RUFF_CHECK, Formatter.RUFF_FORMAT],
        settings_path=PROJECT,
        custom_file_header=HEADER,
        type_overrides={name: f"stored_models.{name}" for name in STORED},
        enum_field_as_literal=LiteralType.All,
        enable_faux_immutability=True,
        use_generic_base_class=True,
        use_schema_description=True,
        use_single_line_docstring=True,
        use_tuple_for_fixed_items=True,
        use_annotated=True,
        field_constraints=True,
        strict_nullable=True,
        disable_future_imports=True,
    )
    if not isinstance(source, str):
        raise TypeError("The generator made more than one module.")
    return f"{source.rstrip()}\n"


def answer_schemas(document: dict[str, Any]) -> dict[str, Any]:
    """The schemas of successful responses, prepared for the generator."""
    schemas = document["components"]["schemas"]
    answers = [
        response
        for path in document["paths"].values()
        for operation in path.values()
        for status, response in operation["responses"].items()
        if status.startswith("2")
    ]
    used = _used(answers, schemas)
    kept = {name: schema for name, schema in schemas.items() if name in used}
    for name, schema in kept.items():
        _relax(name, schema)
    for name, base in SUBCLASSES.items():
        _make_subclass(kept[name], base, kept[base]["properties"])
    for name, paths in STORED.items():
        kept[name] = {"type": "object", "properties": {"any": {"type": "string"}}}
        for path in paths:
            model, key = path.split(".")
            properties = kept[model]["properties"]
            reference = {"$ref": REF + name}
            properties[key] = _or_null(reference) if _may_be_null(properties[key]) else reference
    return kept


def _used(part: Any, schemas: dict[str, Any]) -> set[str]:
    """The names of all schemas that `part` uses, directly or through others."""
    used: set[str] = set()
    waiting = list(_references(part))
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting += _references(schemas[name])
    return used


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"].removeprefix(REF)
        part = list(part.values())
    if isinstance(part, list):
        for item in part:
            yield from _references(item)


def _relax(name: str, schema: dict[str, Any]) -> None:
    """Let nullable fields be missing: an older service does not send newer ones.

    Also drops the fields' titles and descriptions, which would only make the module longer.
    """
    properties = schema["properties"]
    for key in properties:
        path = f"{name}.{key}"
        for word in ("title", "description", "pattern"):
            properties[key].pop(word, None)
        if path not in REQUIRED and any(fnmatch(path, pattern) for pattern in OPTIONAL):
            properties[key] = _or_null(properties[key])
        if _may_be_null(properties[key]) and key in schema.get("required", ()):
            schema["required"].remove(key)


def _make_subclass(schema: dict[str, Any], base: str, inherited: dict[str, Any]) -> None:
    """Keep only the fields that `base` does not have."""
    properties = schema["properties"]
    schema["properties"] = {key: properties[key] for key in properties if key not in inherited}
    schema["required"] = [key for key in schema["required"] if key not in inherited]
    schema["allOf"] = [{"$ref": REF + base}]


def _may_be_null(field: dict[str, Any]) -> bool:
    return {"type": "null"} in field.get("anyOf", ())


def _or_null(field: dict[str, Any]) -> dict[str, Any]:
    return field if _may_be_null(field) else {"anyOf": [field, {"type": "null"}]}


def main() -> None:
    FILE.write_text(generated(), encoding="utf-8")
    print(f"Wrote {FILE}.")


if __name__ == "__main__":
    main()
