"""Two versions grade the same photos before one is promoted. Nothing is recorded or counted."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.core.errors import Problem
from api.core.labels import Freshness, Level
from api.model.grade import Grade
from api.model.package import BadPackageError
from api.model.predictor import Predictor, PredictRequest
from api.predictions.batch import BatchItem, grade_or_problem
from api.predictions.freshness_thresholds import with_thresholds_in_use
from api.predictions.history import PhotographGoneError
from api.predictions.schemas import BatchFailure, OwnThresholds, UsedThresholds
from api.predictions.state import AppState
from api.registry import repository
from api.registry.model_reloader import load_version
from api.registry.service import DamagedModelError
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables.predictions import PredictionRow

# Versions held in memory beside the serving one.
MAX_LOADED = 2
# Their memory is freed after this long without a photo.
IDLE_SECONDS = 60.0
log = logging.getLogger(__name__)


class TrialGrade(BaseModel):
    """The grade that one of the two versions gives."""

    predicted_class: str = Field(description="Most probable class, even if not `recognised`.")
    confidence: float = Field(
        ge=0, le=1, description="Calibrated probability of the predicted class, 0 to 1."
    )
    probabilities: dict[str, float] = Field(
        description="Calibrated probability of each class; their sum is 1."
    )
    fruit: str = Field(description="Fruit that the predicted class names.")
    freshness: Freshness | None = Field(
        description="Freshness that the predicted class names; null if it names none."
    )
    freshness_score: float | None = Field(
        description="Freshness score from 0 (rotten) to 1 (fresh); null if the version has no "
        "freshness classes."
    )
    freshness_level: Level | None = Field(
        description="Level by the thresholds; null for a class without freshness."
    )
    freshness_thresholds: OwnThresholds = None
    recognised: bool = Field(
        description="False if the photo shows none of the classes of the version."
    )

    @classmethod
    def of(cls, grade: Grade) -> "TrialGrade":
        return cls(
            predicted_class=grade.class_name,
            confidence=grade.confidence,
            probabilities=grade.probabilities,
            fruit=grade.fruit,
            freshness=grade.freshness,
            freshness_score=grade.freshness_score,
            freshness_level=grade.freshness_level,
            freshness_thresholds=UsedThresholds.of(grade.thresholds),
            recognised=grade.recognised,
        )

    def agrees_with(self, other: "TrialGrade") -> bool:
        """The same class and level, or neither recognised it."""
        if not (self.recognised and other.recognised):
            return self.recognised == other.recognised
        return (self.predicted_class, self.freshness_level) == (
            other.predicted_class,
            other.freshness_level,
        )


class TrialPhoto(BaseModel):
    """One photo, graded by both versions."""

    index: int = Field(ge=0, description="Position in the results, starting at 0.")
    filename: str
    prediction_id: str | None = Field(
        default=None,
        description="ID of the prediction that the photo comes from; null for a photo sent with "
        "the request. `/predictions/{id}/photograph` returns the photo.",
    )
    same: bool = Field(
        description="Whether both versions gave the same class and level, or neither recognised "
        "the photo."
    )
    a: TrialGrade = Field(description="Grade by the first version.")
    b: TrialGrade = Field(description="Grade by the second version.")


class TrialSummary(BaseModel):
    """Totals for the photos of a comparison."""

    a: str = Field(description="First version.")
    b: str = Field(description="Second version.")
    count: int = Field(description="Number of photos: `same`, `different` and `failed`.")
    same: int = Field(
        description="Number of photos that both graded the same: their `same` is true."
    )
    different: int = Field(description="Number of photos with different grades.")
    failed: int = Field(description="Number of files that could not be graded.")


class TrialAnswer(BaseModel):
    results: list[TrialPhoto | BatchFailure] = Field(description="One per photo, in order.")
    summary: TrialSummary


class KeptPhoto(NamedTuple):
    """The photo of a prediction, in the blob store."""

    prediction_id: str
    filename: str
    blob: str

    def read(self, blobs: Blobs) -> BatchItem:
        # It is missing if its retention period has just ended.
        data = blobs.get_if_readable(self.blob)
        return BatchItem(self.filename, PhotographGoneError() if data is None else data)


def kept_photos(session: Session, days: float, limit: int) -> list[KeptPhoto]:
    """Photos graded in the last `days` and not dismissed as no fruit, the newest first."""
    row = PredictionRow
    query = (
        select(row.id, row.filename, row.blob)
        .where(row.blob.is_not(None), row.created_at >= now() - timedelta(days=days))
        .where(row.dismissed_at.is_(None))
        .order_by(row.created_at.desc())
        .limit(limit)
    )
    return [KeptPhoto(id, filename, blob or "") for id, filename, blob in session.execute(query)]


@dataclass
class Trial:
    """Photos graded by `a` and by `b`, one after another."""

    a: Predictor
    b: Predictor
    _same: int = 0
    _different: int = 0
    _failed: int = 0

    def results(self, items: Iterable[BatchItem]) -> Iterator[TrialPhoto | BatchFailure]:
        for index, item in enumerate(items):
            yield self._grade(index, item)

    def kept_result(self, index: int, kept: KeptPhoto, blobs: Blobs) -> TrialPhoto | BatchFailure:
        """Like `results`, for the photo of an earlier prediction."""
        result = self._grade(index, kept.read(blobs))
        if isinstance(result, TrialPhoto):
            result.prediction_id = kept.prediction_id
        return result

    def summary(self) -> TrialSummary:
        return TrialSummary(
            a=self.a.manifest.version,
            b=self.b.manifest.version,
            count=self._same + self._different + self._failed,
            same=self._same,
            different=self._different,
            failed=self._failed,
        )

    def _grade(self, index: int, item: BatchItem) -> TrialPhoto | BatchFailure:
        grades = []
        for predictor in (self.a, self.b):
            request = PredictRequest(item.data) if isinstance(item.data, bytes) else item.data
            [outcome] = predictor.predict_batch([request])
            grade = grade_or_problem(item.filename, outcome)
            if isinstance(grade, Problem):
                self._failed += 1
                return BatchFailure(index=index, filename=item.filename, error=grade)
            grades.append(TrialGrade.of(grade))
        a, b = grades
        same = a.agrees_with(b)
        self._same += same
        self._different += not same
        return TrialPhoto(index=index, filename=item.filename, same=same, a=a, b=b)


@dataclass
class TrialModels:
    """The models of the versions tried last. `clock` returns seconds. Thread-safe."""

    settings: Settings
    state: AppState
    clock: Callable[[], float] = time.monotonic
    _loaded: OrderedDict[str, Predictor] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _used_at: float = 0.0

    def open_trial(self, database: Database, a: str, b: str) -> Trial:
        """Raises UnknownModelError, PrunedModelError, DamagedModelError."""
        with database.reading() as session:
            for version in (a, b):
                repository.check_promotable(session, version)
        return Trial(self.get(a), self.get(b))

    def get(self, version: str) -> Predictor:
        """Raises DamagedModelError."""
        serving = self.state.predictor
        if serving and serving.manifest.version == version:
            return serving
        return with_thresholds_in_use(self.state, self.settings, self._loaded_version(version))

    def release_idle(self) -> None:
        """Free the models if none was asked for in the last IDLE_SECONDS."""
        with self._lock:
            if self.clock() - self._used_at >= IDLE_SECONDS:
                self._loaded.clear()

    def _loaded_version(self, version: str) -> Predictor:
        with self._lock:
            if version not in self._loaded:
                while len(self._loaded) >= MAX_LOADED:
                    self._loaded.popitem(last=False)
                self._loaded[version] = self._open(version)
            self._loaded.move_to_end(version)
            self._used_at = self.clock()
            return self._loaded[version]

    def _open(self, version: str) -> Predictor:
        try:
            return load_version(self.settings, self.state.blobs, version)
        except (BadPackageError, ValueError, RuntimeError) as error:
            log.error("Version %s cannot be tried: %s", version, error)
            raise DamagedModelError(version) from error
