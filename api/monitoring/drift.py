"""Drift of recent predictions from the serving version's own test photos.

Three metrics: the embeddings by energy distance, confidence and class mix by PSI.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.core.arrays import FloatArray
from api.core.ood import drift_features
from api.model.package import REPLAY, Package
from api.model.training_index import load_embeddings
from api.monitoring.two_sample import energy_drift, psi, psi_threshold
from api.registry.store import fetch_package
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.tables.predictions import PredictionRow

REFERENCE_SPLIT = "test"
# More photos would be slower and hardly more precise.
MAX_REFERENCE = 1000
MAX_SAMPLE = 500
WINDOW = timedelta(days=7)
# With fewer, chance dominates.
MIN_SIZE = 50
CONFIDENCE_BINS = (0.5, 0.7, 0.9, 0.97, 0.99, 0.999)
Column = NDArray[np.generic]


@dataclass(frozen=True)
class Predictions:
    """Columns of n predictions of one version.

    `features` float32 [n or fewer, directions]: some predictions may lack them. `confidence`
    float32 [n], `predicted` strings [n], `recognised` bool [n]. `since`: the time of the oldest.
    """

    features: FloatArray
    confidence: FloatArray
    predicted: NDArray[np.str_]
    recognised: NDArray[np.bool_]
    since: datetime | None = None

    @property
    def digest(self) -> str:
        """Equal for equal predictions."""
        columns = (self.features, self.confidence, self.predicted, self.recognised)
        whole = sha256(repr(self.since).encode())
        for column in columns:
            whole.update(f"{column.shape}".encode() + np.ascontiguousarray(column).tobytes())
        return whole.hexdigest()

    @classmethod
    def of(cls, package: Package, embeddings: FloatArray) -> "Predictions":
        """What `package` predicts for embeddings float32 [n, channels]."""
        probabilities, recognised, projected = package.head.predict(embeddings)
        return cls(
            features=drift_features(projected).astype(np.float32),
            confidence=probabilities.max(axis=1),
            predicted=np.array(package.manifest.classes)[probabilities.argmax(axis=1)],
            recognised=recognised,
        )


@lru_cache(maxsize=2)  # A stored version never changes.
def load_reference(blobs: Blobs, cache: Path, version: str) -> Predictions:
    """Predictions on the version's test photos, MAX_REFERENCE at most. Raises BadPackageError."""
    package = fetch_package(blobs, version, cache)
    embeddings = load_embeddings(package.folder / REPLAY, REFERENCE_SPLIT)
    if len(embeddings) > MAX_REFERENCE:
        embeddings = np.random.default_rng(0).choice(embeddings, MAX_REFERENCE, replace=False)
    return Predictions.of(package, embeddings)


def load_sample(session: Session, version: str, directions: int, at: datetime) -> Predictions:
    """The day's sample of predictions: the newest MAX_SAMPLE within WINDOW before midnight.

    If these are fewer than MIN_SIZE, the first MIN_SIZE of WINDOW and today. All looks within a day
    (UTC) see the same sample, so the false alarm rate of `two_sample` holds per day.
    """
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    query = select(
        PredictionRow.features,
        PredictionRow.confidence,
        PredictionRow.predicted_class,
        PredictionRow.recognised,
        PredictionRow.created_at,
    ).where(
        PredictionRow.model_version == version,
        PredictionRow.created_at > midnight - WINDOW,
        PredictionRow.created_at < midnight + timedelta(days=1),
    )
    newest = PredictionRow.created_at.desc(), PredictionRow.id
    before = query.where(PredictionRow.created_at < midnight).order_by(*newest).limit(MAX_SAMPLE)
    rows = session.execute(before).all()
    if len(rows) < MIN_SIZE:
        first = PredictionRow.created_at, PredictionRow.id
        rows = session.execute(query.order_by(*first).limit(MIN_SIZE)).all()[::-1]
    length = directions * np.dtype(np.float16).itemsize
    packed = b"".join(row.features for row in rows if row.features and len(row.features) == length)
    return Predictions(
        features=np.frombuffer(packed, np.float16).reshape(-1, directions).astype(np.float32),
        confidence=np.array([row.confidence for row in rows], np.float32),
        predicted=np.array([row.predicted_class for row in rows], np.str_),
        recognised=np.array([row.recognised for row in rows], bool),
        since=rows[-1].created_at if rows else None,
    )


# `value` and `threshold` are null unless `enough`.
class DriftFigure(BaseModel):
    name: str = Field(description="What is compared: `embeddings`, `confidence` or `class_mix`.")
    value: float | None = Field(
        description="Measured drift; null if there are too few predictions or test photos."
    )
    threshold: float | None = Field(
        description="Values above this threshold count as drift; null if there are too few "
        "predictions or test photos."
    )
    sample_size: int = Field(description="Number of predictions in the sample.")
    reference_size: int = Field(description="Number of test photos in the reference.")
    enough: bool = Field(description="Whether there are enough predictions and test photos.")
    drifted: bool = Field(description="Whether `value` exceeds `threshold`.")
    sentence: str = Field(description="The result in words, in English.")
    since: datetime | None = Field(
        description="When the oldest prediction in the sample was made; null if there is none."
    )


def current_drift(
    session: Session, settings: Settings, blobs: Blobs, version: str, at: datetime
) -> list[DriftFigure]:
    """Takes a second at the first look of a day. Raises BadPackageError or a blob store error."""
    reference = load_reference(blobs, settings.model_cache, version)
    directions = reference.features.shape[1]
    sample = load_sample(session, version, directions, at)
    return list(_compare(_Look(version, sample.digest, reference, sample)))


@dataclass(frozen=True)
class _Look:
    """A sample and its reference; `version` and `digest` tell two looks apart."""

    version: str
    digest: str
    reference: Predictions = field(compare=False)
    sample: Predictions = field(compare=False)


@lru_cache(maxsize=4)  # The same sample is compared every minute.
def _compare(look: _Look) -> tuple[DriftFigure, ...]:
    return tuple(drift_metrics(look.reference, look.sample))


def drift_metrics(reference: Predictions, sample: Predictions) -> list[DriftFigure]:
    """Embeddings, confidence and class mix of `sample` against `reference`."""
    # OOD photos have no class, whatever was predicted.
    classes = reference.predicted[reference.recognised], sample.predicted[sample.recognised]
    since = sample.since
    return [
        _metric("embeddings", reference.features, sample.features, since, _embedding_drift),
        _metric("confidence", reference.confidence, sample.confidence, since, _confidence_drift),
        _metric("class_mix", *classes, since, _class_mix_drift),
    ]


def _metric(
    name: str,
    reference: Column,
    sample: Column,
    since: datetime | None,
    measure: Callable[[Column, Column], tuple[float, float, str]],
) -> DriftFigure:
    """`measure` returns value, threshold and sentence."""
    value, threshold = None, None
    if len(sample) < MIN_SIZE:
        sentence = f"Too few predictions yet: {len(sample)} of at least {MIN_SIZE}."
    elif len(reference) < MIN_SIZE:
        sentence = f"Too few test photos yet: {len(reference)} of at least {MIN_SIZE}."
    else:
        value, threshold, sentence = measure(reference, sample)
    return DriftFigure(
        name=name,
        value=value,
        threshold=threshold,
        sample_size=len(sample),
        reference_size=len(reference),
        enough=value is not None,
        drifted=value is not None and threshold is not None and value > threshold,
        sentence=sentence,
        since=since,
    )


def _embedding_drift(reference: Column, sample: Column) -> tuple[float, float, str]:
    value, threshold = energy_drift(reference.astype(np.float32), sample.astype(np.float32))
    look = "different from" if value > threshold else "like"
    return value, threshold, f"The photos look {look} those that the model was measured on."


def _confidence_drift(reference: Column, sample: Column) -> tuple[float, float, str]:
    edges = np.array(CONFIDENCE_BINS)
    before = np.bincount(np.searchsorted(edges, reference), minlength=len(edges) + 1)
    after = np.bincount(np.searchsorted(edges, sample), minlength=len(edges) + 1)
    value, threshold = psi(before, after), psi_threshold(before, after)
    if value <= threshold:
        sentence = "The model is as sure of its answers as it was on its test photos."
    else:
        less = np.median(sample.astype(float)) < np.median(reference.astype(float))
        direction = "less" if less else "more"
        sentence = f"The model is {direction} sure of its answers than on its test photos."
    return value, threshold, sentence


def _class_mix_drift(reference: Column, sample: Column) -> tuple[float, float, str]:
    classes, codes = np.unique(np.concatenate([reference, sample]), return_inverse=True)
    before = np.bincount(codes[: len(reference)], minlength=len(classes))
    after = np.bincount(codes[len(reference) :], minlength=len(classes))
    value, threshold = psi(before, after), psi_threshold(before, after)
    if value <= threshold:
        return value, threshold, "The mix of classes is like that of the test photos."
    change = after / after.sum() - before / before.sum()
    most = int(np.abs(change).argmax())
    difference = f"{'more' if change[most] > 0 else 'less'} {classes[most]}"
    sentence = f"The mix of classes has changed: there is {difference} than among the test photos."
    return value, threshold, sentence
