"""Where to draw the line: errors by threshold, on held-out and corrected photos."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.core.threshold_sweep import FEWEST
from api.model.package import REPLAY, load_package
from api.model.training_index import load_held_out
from api.predictions import feedback_repository
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.inspections import InspectionFruitRow, InspectionPhotoRow, InspectionRow
from tests.predictions.samples import a_prediction
from tests.registry.versions import a_small_package, register_package
from tests.small_grader import ROTTEN_BELOW
from tests.small_grader import VERSION as SMALL

NAMES = {"rotten_below": ("rotten",), "fresh_from": ("rotten", "overripe")}


@pytest.fixture(scope="module")
def own(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings.model_copy(update={"state_dir": tmp_path_factory.mktemp("sweep")})


@pytest.fixture(scope="module")
def client(own: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(own), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def catalog(own: Settings, client: TestClient) -> Iterator[Database]:
    """The service's catalog."""
    database = Database(own.database)
    yield database
    database.close()


def swept(client: TestClient, fruit: str = "apple", **params: Any) -> dict[str, Any]:
    query = {"fruit": fruit, **params}
    response = client.get(f"/models/{SMALL}/threshold-sweep", params=query)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def held_out(folder: Path, fruit: str) -> tuple[list[float], list[str]]:
    """Scores and labels of the held-out photos graded as this fruit."""
    package = load_package(folder)
    classes = package.manifest.classes
    rows = load_held_out(folder / REPLAY, classes)
    probabilities = package.head.probabilities(rows.embeddings)
    fresh = np.array([name.startswith("fresh") for name in classes])
    as_fruit = np.array([fruit in name for name in classes])[probabilities.argmax(axis=1)]
    scores = probabilities[:, fresh].sum(axis=1) / probabilities.sum(axis=1)
    return scores[as_fruit].tolist(), rows.class_names[as_fruit].tolist()


@pytest.mark.parametrize("line", NAMES)
@pytest.mark.parametrize("fruit", ["apple", "banana", "orange"])
def test_held_out_photos_are_counted_by_the_threshold(
    client: TestClient, own: Settings, fruit: str, line: str
) -> None:
    scores, labels = held_out(own.model_dir, fruit)
    worse = [label.startswith(NAMES[line]) for label in labels]
    body = swept(client, fruit, line=line)
    found = body["held_out"]
    assert (found["worse"], found["better"]) == (sum(worse), len(worse) - sum(worse))
    for point in (found["points"][9], found["points"][49], found["points"][89], found["in_use"]):
        above = [score >= point["threshold"] for score in scores]
        assert point["let_through"] == sum(a and w for a, w in zip(above, worse, strict=True))
        assert point["refused"] == sum(not a and not w for a, w in zip(above, worse, strict=True))
    assert body["costs"] == {"let_through": 1, "refused": 1, "worse_share": None}
    assert (body["fewest"], body["fruit"], body["line"]) == (FEWEST, fruit, line)


def test_the_persons_costs_move_the_suggestion(client: TestClient) -> None:
    def suggested(let_through: float, refused: float) -> dict[str, Any]:
        costs: dict[str, Any] = {
            "let_through_cost": let_through,
            "refused_cost": refused,
            "worse_share": 0.2,
        }
        found: dict[str, Any] = swept(client, **costs)["held_out"]["suggested"]
        return found

    careful, thrifty = suggested(1000, 1), suggested(1, 1000)
    assert careful["threshold"] > thrifty["threshold"]
    assert careful["let_through"] <= thrifty["let_through"]
    assert careful["refused"] >= thrifty["refused"]
    assert careful["cost"] is not None


def test_costs_are_those_last_saved_unless_sent(client: TestClient) -> None:
    costs = {"let_through": 7.0, "refused": 2.0, "worse_share": 0.05}
    change = {"rotten_below": 0.5, "fresh_from": 0.8, "costs": {"rotten_below": costs}}
    path = f"/models/{SMALL}/thresholds/orange"
    assert client.put(path, json=change).status_code == 200
    body = swept(client, "orange")
    assert (body["costs"], body["held_out"]["in_use"]["threshold"]) == (costs, 0.5)
    assert swept(client, "orange", refused_cost=3)["costs"] == costs | {"refused": 3}
    assert swept(client, "orange", line="fresh_from")["costs"]["let_through"] == 1
    client.delete(path)
    body = swept(client, "orange")
    assert body["held_out"]["in_use"]["threshold"] == pytest.approx(ROTTEN_BELOW)


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({}, 422, "invalid-request"),
        ({"fruit": "kiwi"}, 404, "unknown-fruit"),
        ({"fruit": "a\0b"}, 422, "invalid-request"),
        ({"fruit": "apple", "line": "other"}, 422, "invalid-request"),
        ({"fruit": "apple", "let_through_cost": 0}, 422, "invalid-request"),
        ({"fruit": "apple", "refused_cost": "nan"}, 422, "invalid-request"),
        ({"fruit": "apple", "refused_cost": "inf"}, 422, "invalid-request"),
        ({"fruit": "apple", "worse_share": 1}, 422, "invalid-request"),
    ],
    ids=str,
)
def test_invalid_sweeps_are_refused(
    client: TestClient, params: dict[str, Any], status: int, code: str
) -> None:
    response = client.get(f"/models/{SMALL}/threshold-sweep", params=params)
    assert (response.status_code, response.json()["code"]) == (status, code)
    unknown = client.get("/models/unheard-of/threshold-sweep?fruit=apple")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown-model")


def test_corrections_are_counted_apart(client: TestClient, catalog: Database) -> None:
    before = swept(client, "banana")
    assert (before["corrected"]["worse"], before["corrected"]["better"]) == (0, 0)
    assert before["corrected"]["suggested"] is None

    def say(label: str, score: float, **values: Any) -> None:
        graded = {"model_version": SMALL, "predicted_class": "freshbanana", **values}
        row = a_prediction(catalog, freshness_score=score, **graded)
        with catalog.session() as session:
            feedback_repository.put(session, row.id, label, label == row.predicted_class, None)

    say("rottenbanana", 0.6)
    # Fruits are selected by their grade, not by their label.
    say("rottenapples", 0.9)
    say("freshbanana", 0.2)
    say("overripe_banana", 0.55)
    for values in (
        {"model_version": "other"},
        {"predicted_class": "freshapples"},
        {"recognised": False},
        {"several": True},
    ):
        say("rottenbanana", 0.9, **values)
    say("mango", 0.9)
    with catalog.session() as session:
        inspection = InspectionRow(
            id="i", lot="A", supplier="", kind="", max_rotten=0.1, confidence=0.9
        )
        session.add(inspection)
    for number, counted in enumerate((None, True, False)):
        row = a_prediction(catalog, model_version=SMALL)
        with catalog.session() as session:
            session.add(photo(row.id, number, counted=counted))
            session.flush()
            session.add_all([fruit(row.id, 1, "rotten"), fruit(row.id, 2, "no_fruit")])
            session.add(fruit(row.id, 3, None))
    body = swept(client, "banana")
    found = body["corrected"]
    assert (found["worse"], found["better"]) == (4, 2)
    assert (found["points"][49]["let_through"], found["points"][49]["refused"]) == (2, 1)
    assert found["suggested"] is None
    assert body["held_out"] == before["held_out"]
    fresh = swept(client, "banana", line="fresh_from")["corrected"]
    assert (fresh["worse"], fresh["better"]) == (5, 1)


def photo(row_id: str, number: int, *, counted: bool | None) -> InspectionPhotoRow:
    return InspectionPhotoRow(
        id=row_id,
        inspection_id="i",
        number=number,
        sha256=f"{number:064x}",
        width=10,
        height=10,
        ungraded=0,
        counted=counted,
    )


def fruit(photo_id: str, number: int, said: str | None) -> InspectionFruitRow:
    return InspectionFruitRow(
        photo_id=photo_id,
        number=number,
        x_min=0,
        y_min=0,
        x_max=1,
        y_max=1,
        predicted_class="rottenbanana",
        confidence=0.9,
        recognised=True,
        freshness_score=0.1,
        freshness_level="rotten",
        said=said,
    )


def test_pruned_version_has_no_sweep(
    own: Settings, client: TestClient, catalog: Database, tmp_path: Path
) -> None:
    blobs = Blobs(own.storage)
    register_package(catalog, blobs, a_small_package(tmp_path, "pruned"))
    with catalog.session() as session:
        from api.storage.db import now  # noqa: PLC0415
        from api.storage.tables.models import ModelRow  # noqa: PLC0415

        session.get_one(ModelRow, "pruned").pruned_at = now()
    classes = client.get("/models/pruned").json()["manifest"]["classes"]
    response = client.get(f"/models/pruned/threshold-sweep?fruit={classes[0]}")
    assert (response.status_code, response.json()["code"]) == (409, "model-pruned")
