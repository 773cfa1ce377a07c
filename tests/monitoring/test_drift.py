"""A version's drift metrics, from its own test photos and its predictions."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from api.core.ood import drift_features
from api.model.package import REPLAY, load_package
from api.model.replay_buffer import ReplayBuffer
from api.monitoring.drift import (
    MAX_SAMPLE,
    MIN_SIZE,
    DriftFigure,
    Predictions,
    current_drift,
    drift_metrics,
    load_reference,
    load_sample,
)
from api.predictions.recorder import add_predictions
from api.registry.store import store_package
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from tests.predictions.samples import a_record


@pytest.fixture(scope="module")
def blobs(own: Settings, tmp_path_factory: pytest.TempPathFactory) -> Blobs:
    """A store with the default package."""
    blobs = Blobs(str(tmp_path_factory.mktemp("blobs")))
    store_package(blobs, own.model_dir)
    return blobs


@pytest.fixture(scope="module")
def own(shipped_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return shipped_settings.model_copy(update={"state_dir": tmp_path_factory.mktemp("drift")})


@pytest.fixture(scope="module")
def version(own: Settings) -> str:
    return load_package(own.model_dir).manifest.version


@pytest.fixture(scope="module")
def reference(own: Settings, blobs: Blobs, version: str) -> Predictions:
    return load_reference(blobs, own.model_cache, version)


def held_out(folder: Path, split: str) -> NDArray[np.float32]:
    replay = ReplayBuffer.load(folder / REPLAY)
    rows: NDArray[np.float32] = replay.embeddings[replay.splits == split]
    return rows


def sample_of(settings: Settings, embeddings: NDArray[np.float32]) -> Predictions:
    """The default model's predictions for these embeddings."""
    return replace(Predictions.of(load_package(settings.model_dir), embeddings), since=now())


def by_name(figures: list[DriftFigure]) -> dict[str, DriftFigure]:
    return {figure.name: figure for figure in figures}


def test_reference_is_the_graded_test_split(own: Settings, reference: Predictions) -> None:
    embeddings = held_out(own.model_dir, "test")
    head = load_package(own.model_dir).head
    assert len(reference.features) == len(embeddings)
    assert np.allclose(reference.confidence, head.probabilities(embeddings).max(axis=1))
    expected = drift_features(head.ood.project(embeddings)).astype(np.float32)
    assert np.allclose(reference.features, expected)


def test_reference_is_cached(own: Settings, blobs: Blobs, version: str) -> None:
    assert load_reference(blobs, own.model_cache, version) is load_reference(
        blobs, own.model_cache, version
    )


def test_similar_photos_are_not_drift(own: Settings) -> None:
    """The validation split has the same sources, and the model was not trained on it either."""
    replay = ReplayBuffer.load(own.model_dir / REPLAY)
    validation = replay.splits == "validation"
    test = (replay.splits == "test") & np.isin(replay.sources, replay.sources[validation])
    figures = drift_metrics(
        sample_of(own, replay.embeddings[test]),
        sample_of(own, replay.embeddings[validation]),
    )
    assert [figure.name for figure in figures] == ["embeddings", "confidence", "class_mix"]
    assert all(figure.enough for figure in figures)
    assert not any(figure.drifted for figure in figures), figures


def test_single_class_is_a_drift_of_the_class_mix(own: Settings, reference: Predictions) -> None:
    embeddings = held_out(own.model_dir, "test")[reference.predicted == "rottenbanana"]
    sample = sample_of(own, np.concatenate([embeddings, embeddings]))
    mix = by_name(drift_metrics(reference, sample))["class_mix"]
    assert mix.drifted
    assert "more rottenbanana" in mix.sentence


def test_different_photos_are_drift(own: Settings, reference: Predictions) -> None:
    embeddings = held_out(own.model_dir, "test")
    foreign = np.roll(embeddings, 640, axis=1)  # Other directions mean other features.
    figures = by_name(drift_metrics(reference, sample_of(own, foreign)))
    assert figures["embeddings"].drifted
    assert figures["confidence"].drifted
    assert "less sure" in figures["confidence"].sentence


def test_too_few_predictions_give_no_metrics(own: Settings, reference: Predictions) -> None:
    sample = sample_of(own, held_out(own.model_dir, "validation")[: MIN_SIZE - 1])
    for figure in drift_metrics(reference, sample):
        assert (figure.value, figure.threshold, figure.enough) == (None, None, False)
        assert not figure.drifted
        assert f"at least {MIN_SIZE}" in figure.sentence


def test_what_there_is_too_little_of_is_counted(own: Settings, reference: Predictions) -> None:
    few = [
        replace(
            reference,
            features=reference.features[:size],
            confidence=reference.confidence[:size],
            predicted=np.full(size, "plums"),
            recognised=np.full(size, True),
        )
        for size in (10, 40, MIN_SIZE)
    ]
    sentences = {figure.sentence for figure in drift_metrics(few[0], few[1])}
    assert sentences == {f"Too few predictions yet: 40 of at least {MIN_SIZE}."}
    sentences = {figure.sentence for figure in drift_metrics(few[0], few[2])}
    assert sentences == {f"Too few test photos yet: 10 of at least {MIN_SIZE}."}


def test_predictions_with_a_future_date_are_in_no_sample_yet(database: Database) -> None:
    """They were recorded while a clock was ahead."""
    at = midnight() + timedelta(hours=9)
    times = [at - timedelta(hours=1), at + timedelta(hours=1), at + timedelta(days=1)]
    add_predictions(database, [a_record(created_at=time).row(None) for time in times])
    with database.reading() as session:
        assert len(load_sample(session, "v1", 4, at).confidence) == 2  # Those of today.


def midnight() -> datetime:
    return now().replace(hour=0, minute=0, second=0, microsecond=0)


def test_sample_is_recent_predictions_of_one_version(database: Database) -> None:
    at = midnight()
    rows = [
        a_record(created_at=at - timedelta(minutes=age), confidence=age / 1000).row(None)
        for age in range(1, MAX_SAMPLE + 20)
    ]
    rows.append(a_record(created_at=at - timedelta(days=8)).row(None))
    rows.append(a_record(model_version="v2").row(None))
    rows.append(a_record(model_version="v3", created_at=at - timedelta(days=8)).row(None))
    add_predictions(database, rows)
    with database.reading() as session:
        sample = load_sample(session, "v1", 4, at)
        old = load_sample(session, "v3", 4, at)
        other_features = load_sample(session, "v1", 5, at)
    assert len(sample.confidence) == len(sample.features) == MAX_SAMPLE
    assert sample.confidence.max() == pytest.approx(MAX_SAMPLE / 1000)
    assert sample.since == at - timedelta(minutes=MAX_SAMPLE)
    assert sample.features[0].tolist() == [0, 1, 2, 3]
    assert (len(old.confidence), old.since) == (0, None)
    assert len(other_features.features) == 0  # Features of another length are left out.


def test_drift_is_measured_from_the_catalog(
    database: Database, own: Settings, blobs: Blobs, version: str, reference: Predictions
) -> None:
    rows = [
        a_record(
            model_version=version,
            created_at=midnight() - timedelta(hours=1),
            predicted_class=str(reference.predicted[row]),
            confidence=float(reference.confidence[row]),
            recognised=bool(reference.recognised[row]),
            features=reference.features[row].astype(np.float16),
        ).row(None)
        for row in range(0, len(reference.features), 2)
    ]
    add_predictions(database, rows)
    with database.reading() as session:
        figures = current_drift(session, own, blobs, version, now())
    assert [figure.sample_size for figure in figures][:2] == [len(rows), len(rows)]
    assert not any(figure.drifted for figure in figures)


def test_one_look_a_day(database: Database) -> None:
    """Today's predictions have no effect until tomorrow, however often one looks."""
    today = midnight()

    def looks(*hours: int) -> list[str]:
        with database.reading() as session:
            return [load_sample(session, "v1", 4, today + timedelta(hours=h)).digest for h in hours]

    def add(hours: float, count: int, confidence: float) -> None:
        at = today + timedelta(hours=hours)
        add_predictions(
            database,
            [
                a_record(created_at=at + timedelta(seconds=k), confidence=confidence).row(None)
                for k in range(count)
            ],
        )

    add(-3, 60, 0.9)
    [first] = looks(0)
    add(1, 200, 0.1)
    add(20, 200, 0.1)
    assert looks(1, 2, 12, 23) == [first] * 4
    assert looks(24) != [first]


def test_first_look_of_a_version_is_at_its_first_predictions(database: Database) -> None:
    start = midnight() + timedelta(hours=1)
    rows = [
        a_record(created_at=start + timedelta(seconds=k), confidence=k / 1000).row(None)
        for k in range(4 * MIN_SIZE)
    ]
    samples = []
    for added in (rows[: MIN_SIZE - 1], rows[MIN_SIZE - 1 : MIN_SIZE], rows[MIN_SIZE:]):
        add_predictions(database, added)
        with database.reading() as session:
            samples.append(load_sample(session, "v1", 4, start + timedelta(hours=2)))
    assert [len(sample.confidence) for sample in samples] == [MIN_SIZE - 1, MIN_SIZE, MIN_SIZE]
    assert samples[1].digest == samples[2].digest
