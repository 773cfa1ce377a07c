"""The manifest reads back as it was written, and cannot be changed by the way."""

import pytest
from pydantic import ValidationError

from api.registry.manifest import FORMAT, Manifest
from tests.registry.samples import describer

MANIFEST = describer()({"head.npz": "ab" * 32})


def test_it_reads_back_as_it_was_written() -> None:
    assert Manifest.model_validate_json(MANIFEST.model_dump_json(indent=2)) == MANIFEST
    assert MANIFEST.format == FORMAT


def test_it_is_frozen() -> None:
    with pytest.raises(ValidationError):
        MANIFEST.version = "another"


@pytest.mark.parametrize("field", sorted(set(Manifest.model_fields) - {"format"}))
def test_every_field_must_be_there(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        Manifest.model_validate(MANIFEST.model_dump(exclude={field}))
