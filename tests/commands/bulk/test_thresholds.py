"""Bulk scoring uses the same thresholds between freshness levels as the service."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import text

from api.commands.bulk.grader import Grader, ScoringJob, Thresholds
from api.commands.bulk.model import BadModelError, open_model, thresholds_in_use
from api.core.freshness_levels import LevelThresholds
from api.predictions import fruit_thresholds
from api.predictions.freshness_thresholds import set_thresholds
from api.predictions.fruit_thresholds import FruitThresholdsChange
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.predictions.test_freshness_thresholds import serving
from tests.predictions.test_fruit_thresholds import WIDE, predict, saved
from tests.registry.versions import a_small_package, register_package
from tests.small_grader import VERSION as SMALL
from tests.synthetic_images import encode
from tests.waiting import until

DEPLOYMENT = LevelThresholds(0.31, 0.71)
BY_USER = LevelThresholds(0.2, 0.6)
APPLE = LevelThresholds(0.4, 0.8)


@pytest.fixture
def own(settings: Settings, tmp_path: Path, database_url: str) -> Settings:
    """On each kind of database."""
    changes = {"state_dir": tmp_path / "state", "database_url": database_url}
    return settings.model_copy(update={**changes, "inference_threads": 1})


def levels(service: TestClient, folder: Path) -> dict[str, str | None]:
    """The service's level for each photo."""
    return {
        path.name: predict(service, path.read_bytes())["freshness_level"]
        for path in sorted(folder.iterdir())
    }


def bulk_levels(settings: Settings, folder: Path, thresholds: Thresholds) -> dict[str, str | None]:
    package = open_model(settings, "champion")
    job = ScoringJob(package, str(folder), 10**6, 10**6, thresholds, engine=settings.engine)
    rows = Grader(job)(sorted(path.name for path in folder.iterdir())).to_pylist()
    return {row["path"]: row["freshness_level"] for row in rows}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of plain colours, which are all that the small grader sees."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, colour in enumerate(itertools.product((0, 128, 255), repeat=3)):
        photo = encode(Image.new("RGB", (64, 64), colour), "JPEG")
        (folder / f"{number:02}.jpg").write_bytes(photo)
    return folder


def test_levels_agree_with_those_of_the_service(own: Settings, folder: Path) -> None:
    with serving(own) as service:
        before = levels(service, folder)
        assert bulk_levels(own, folder, thresholds_in_use(own, SMALL)) == before
        fruit, photo = next(
            (answer["fruit"], path.read_bytes())
            for path in sorted(folder.iterdir())
            if (answer := predict(service, path.read_bytes()))["freshness_level"]
            in ("fresh", "rotten")
        )
        saved(service, fruit, **WIDE)
        until(lambda: "freshness_thresholds" in predict(service, photo))
        after = levels(service, folder)
        assert after != before

        thresholds = thresholds_in_use(own, SMALL)
        assert bulk_levels(own, folder, thresholds) == after
        assert f"{fruit}: rotten below 1e-09" in str(thresholds)


@pytest.fixture
def database(own: Settings, tmp_path: Path) -> Iterator[Database]:
    """A catalog with two versions; the first has its own thresholds for apples."""
    database = Database(own.database)
    database.upgrade()
    for version in ("a", "b"):
        register_package(database, Blobs(own.storage), a_small_package(tmp_path, version))
    change = FruitThresholdsChange(rotten_below=0.4, fresh_from=0.8)
    with database.session() as session:
        fruit_thresholds.save(session, "a", "apple", change)
    yield database
    database.close()


def test_thresholds_of_people_come_before_those_of_the_deployment(
    own: Settings, database: Database
) -> None:
    deployed = own.model_copy(update={"rotten_below": 0.31, "fresh_from": 0.71})
    assert thresholds_in_use(own, "b") == Thresholds()
    assert thresholds_in_use(deployed, "b") == Thresholds(DEPLOYMENT)
    assert thresholds_in_use(deployed, "a") == Thresholds(DEPLOYMENT, {"apple": APPLE})
    with database.session() as session:
        set_thresholds(session, 0.2, 0.6)
    assert thresholds_in_use(deployed, "a") == Thresholds(BY_USER, {"apple": APPLE})


def test_catalog_of_an_older_version_has_none(own: Settings, database: Database) -> None:
    with database.engine.begin() as connection:
        for table in ("fruit_thresholds", "freshness_thresholds"):
            connection.execute(text(f"DROP TABLE {table}"))
    assert thresholds_in_use(own, "a") == Thresholds()


def test_no_catalog_is_made(settings: Settings, tmp_path: Path) -> None:
    alone = settings.model_copy(
        update={"state_dir": tmp_path / "none", "rotten_below": 0.31, "fresh_from": 0.71}
    )
    assert thresholds_in_use(alone, SMALL) == Thresholds(DEPLOYMENT)
    assert not (tmp_path / "none").exists()


def test_unavailable_catalog_asks_for_the_thresholds(tmp_path: Path) -> None:
    unavailable = Settings(state_dir=tmp_path, database_url="postgresql://u@127.0.0.1:9/x")
    with pytest.raises(BadModelError, match="--rotten-below and --fresh-from"):
        thresholds_in_use(unavailable, SMALL)


def test_job_is_described_by_its_thresholds() -> None:
    assert str(Thresholds()) == "the model's own"
    assert str(Thresholds(BY_USER)) == "rotten below 0.2, fresh from 0.6"
    assert str(Thresholds(None, {"pear": BY_USER, "apple": APPLE})) == (
        "the model's own; apple: rotten below 0.4, fresh from 0.8; "
        "pear: rotten below 0.2, fresh from 0.6"
    )
