"""The manifest round-trips and is immutable."""

from typing import Any

import pytest
from pydantic import ValidationError

from api.model.manifest import FORMAT, Manifest, is_version
from tests.registry.samples import describer

MANIFEST = describer()({"head.npz": "ab" * 32})


def test_manifest_round_trips() -> None:
    assert Manifest.model_validate_json(MANIFEST.model_dump_json(indent=2)) == MANIFEST
    assert MANIFEST.format == FORMAT


def test_manifest_is_frozen() -> None:
    with pytest.raises(ValidationError):
        MANIFEST.version = "another"


OPTIONAL = {"format", "parent", "started_by", "grader_created_at", "probe", "detector"}


@pytest.mark.parametrize("field", sorted(set(Manifest.model_fields) - OPTIONAL))
def test_every_field_is_required(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        Manifest.model_validate(MANIFEST.model_dump(exclude={field}))


@pytest.mark.parametrize(
    "field", [{"input_size": 10**6}, {"feature_shape": (5, 5, 10**9)}, {"classes": ()}]
)
def test_sizes_are_bounded(field: dict[str, Any]) -> None:
    """They determine how much memory is allocated."""
    with pytest.raises(ValidationError, match=next(iter(field))):
        Manifest.model_validate({**MANIFEST.model_dump(), **field})


def test_old_manifest_without_parent_is_read() -> None:
    old = MANIFEST.model_dump(exclude=OPTIONAL)
    assert Manifest.model_validate(old) == MANIFEST
    assert Manifest.model_validate(old).parent is None


@pytest.mark.parametrize("version", ["", ".", "../a", "a/b", "a b", "a\n", "a\0", "a" * 81])
def test_version_must_be_a_valid_folder_name(version: str) -> None:
    assert not is_version(version)
    with pytest.raises(ValidationError, match="version"):
        Manifest.model_validate(MANIFEST.model_dump() | {"version": version})


def test_nan_becomes_null() -> None:
    """PostgreSQL rejects the NaN that Python writes."""
    text = MANIFEST.model_copy(update={"metrics": {"f1": float("nan")}}).to_json()
    assert Manifest.model_validate_json(text).metrics == {"f1": None}
