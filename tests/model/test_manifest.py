"""The manifest reads back as it was written, and cannot be changed by the way."""

import pytest
from pydantic import ValidationError

from api.model.manifest import FORMAT, Manifest, is_version
from tests.registry.samples import describer

MANIFEST = describer()({"head.npz": "ab" * 32})


def test_it_reads_back_as_it_was_written() -> None:
    assert Manifest.model_validate_json(MANIFEST.model_dump_json(indent=2)) == MANIFEST
    assert MANIFEST.format == FORMAT


def test_it_is_frozen() -> None:
    with pytest.raises(ValidationError):
        MANIFEST.version = "another"


OPTIONAL = {"format", "parent", "started_by"}


@pytest.mark.parametrize("field", sorted(set(Manifest.model_fields) - OPTIONAL))
def test_every_field_must_be_there(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        Manifest.model_validate(MANIFEST.model_dump(exclude={field}))


def test_a_manifest_from_before_parents_were_noted_reads() -> None:
    old = MANIFEST.model_dump(exclude=OPTIONAL)
    assert Manifest.model_validate(old) == MANIFEST
    assert Manifest.model_validate(old).parent is None


@pytest.mark.parametrize("version", ["", ".", "../a", "a/b", "a b", "a\n", "a\0", "a" * 81])
def test_a_version_can_name_a_folder(version: str) -> None:
    assert not is_version(version)
    with pytest.raises(ValidationError, match="version"):
        Manifest.model_validate(MANIFEST.model_dump() | {"version": version})


def test_figures_that_are_no_numbers_stay_readable() -> None:
    """PostgreSQL refuses the NaN that Python writes."""
    text = MANIFEST.model_copy(update={"metrics": {"f1": float("nan")}}).to_json()
    assert Manifest.model_validate_json(text).metrics == {"f1": None}
