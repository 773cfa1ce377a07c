"""Selecting the model by name."""

from pathlib import Path

import pytest

from api.commands.bulk.model import BadModelError, open_model
from api.registry.service import register_shipped
from api.settings import PROJECT, Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.registry.versions import SHIPPED, a_small_package, register_package

MODELS = PROJECT / "models" / "default"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Overrides the shared settings: a separate state folder on each kind of database."""
    return Settings(
        model_dir=MODELS, state_dir=tmp_path / "state", database_url=database_url, storage_url=""
    )


def version(settings: Settings, name: str) -> str:
    return open_model(settings, name).manifest.version


def test_without_a_catalog_the_shipped_model_is_champion(
    settings: Settings, tmp_path: Path
) -> None:
    assert version(settings, "champion") == SHIPPED
    assert list(tmp_path.iterdir()) == []


def test_champion_of_the_catalog_is_used(settings: Settings, tmp_path: Path) -> None:
    database, blobs = Database(settings.database), Blobs(settings.storage)
    database.upgrade()
    assert version(settings, "champion") == SHIPPED
    register_shipped(database, blobs, MODELS)
    assert version(settings, "champion") == SHIPPED
    register_package(database, blobs, a_small_package(tmp_path / "packages", "v2"), "manual")
    register_package(database, blobs, a_small_package(tmp_path / "packages", "v3"))
    database.close()
    assert version(settings, "champion") == "v2"
    assert version(settings, "v3") == "v3"
    assert version(settings, "default") == SHIPPED
    assert version(settings, str(tmp_path / "packages" / "v3")) == "v3"


@pytest.mark.parametrize("name", ["v9", "no such/folder"])
def test_unknown_models_are_rejected(settings: Settings, name: str) -> None:
    with pytest.raises(BadModelError, match=r"cannot be used|is not a model"):
        open_model(settings, name)


def test_folder_without_a_package_is_rejected(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(BadModelError, match=r"no manifest\.json"):
        open_model(settings, str(tmp_path))


def test_store_that_cannot_be_reached_is_named(settings: Settings) -> None:
    settings.state_dir.mkdir()
    Path(settings.storage).write_text("in the way")
    with pytest.raises(BadModelError, match=r"The store .* failed: Not a directory"):
        open_model(settings, "v2")


def test_unavailable_catalog_suggests_the_model_option(tmp_path: Path) -> None:
    unavailable = Settings(
        model_dir=MODELS, state_dir=tmp_path, database_url="postgresql://u@127.0.0.1:9/x"
    )
    with pytest.raises(BadModelError, match="--model"):
        open_model(unavailable, "champion")
