"""Queries on versions that grade beside the one in use, in the caller's session."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Self

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from api.core.errors import ConflictError
from api.core.labels import Level
from api.core.sequential import evidence_below, share_interval
from api.predictions.accuracy_in_use import FALSE_ALARM_RATE
from api.storage.db import now
from api.storage.tables.predictions import PredictionRow
from api.storage.tables.shadows import ShadowEnd, ShadowGradeRow, ShadowRow

MAX_DIFFERENCES, MAX_EXAMPLES = 50, 5
# Number of the newest differences that are searched for examples.
MAX_SEARCHED = 500


class OtherShadowError(ConflictError):
    code = "other-shadow"

    def __init__(self, version: str) -> None:
        super().__init__(
            f"Version '{version}' already grades beside the one in use. Only one may at a time, "
            "since each takes a model's memory. DELETE its /shadow first."
        )


class ShadowGrade(NamedTuple):
    """One version's answer; `class_name` is None if it did not recognise the photo."""

    class_name: str | None
    level: Level | None
    confidence: float


class ShadowResult(NamedTuple):
    """Both answers on the photo of a prediction; `candidate` is None if the candidate failed."""

    prediction_id: str
    served: ShadowGrade
    candidate: ShadowGrade | None

    @property
    def same(self) -> bool:
        """The same class and level, or neither recognised it."""
        return self.candidate is not None and self.served[:2] == self.candidate[:2]


@dataclass
class Difference:
    """The class and level by each version, the number of such photos, and some predictions whose
    photos are kept."""

    served: tuple[str | None, Level | None]
    candidate: tuple[str | None, Level | None]
    photos: int
    examples: list[str] = field(default_factory=list)


class Agreement(NamedTuple):
    """Share of equal grades with its 95 % interval; `share` is None without any grades.

    `below_min`: whether it is significantly below the setting.
    """

    share: float | None
    low: float
    high: float
    below_min: bool

    @classmethod
    def of(cls, row: ShadowRow, min_agreement: float) -> Self:
        graded = row.same + row.different
        return cls(
            row.same / graded if graded else None,
            *share_interval(row.same, graded),
            evidence_below(row.same, graded, min_agreement) >= 1 / FALSE_ALARM_RATE,
        )


def active(session: Session) -> ShadowRow | None:
    """The version that grades beside the one in use, if any."""
    return session.scalar(select(ShadowRow).where(ShadowRow.active == 1))


def newest(session: Session) -> ShadowRow | None:
    return session.scalar(select(ShadowRow).order_by(ShadowRow.started_at.desc()).limit(1))


def get(session: Session, version: str) -> ShadowRow | None:
    return session.get(ShadowRow, version, populate_existing=True)


def start(session: Session, version: str, beside: str, share: float, photos: int) -> ShadowRow:
    """Start, or start again with nothing counted. Raises OtherShadowError; IntegrityError if
    another process starts one at the same moment."""
    current = active(session)
    if current is not None and current.version != version:
        raise OtherShadowError(current.version)
    session.execute(delete(ShadowGradeRow).where(ShadowGradeRow.version == version))
    session.execute(delete(ShadowRow).where(ShadowRow.version == version))
    row = ShadowRow(version=version, beside=beside, share=share, photos=photos, active=1)
    session.add(row)
    session.flush()
    return row


def end(session: Session, by: ShadowEnd, version: str | None = None) -> None:
    """End the active one, if there is one and it is of `version` (None: of any)."""
    row = session.scalar(select(ShadowRow).where(ShadowRow.active == 1).with_for_update())
    if row is not None and version in (None, row.version):
        row.active, row.ended_at, row.ended_by = None, now(), by
        session.flush()


def add_results(
    session: Session, version: str, started_at: datetime, results: Sequence[ShadowResult]
) -> None:
    """Count `results`, up to the requested number of photos; nothing once it has ended."""
    row = session.get(ShadowRow, version, with_for_update=True, populate_existing=True)
    if row is None or row.active is None or row.started_at != started_at:
        return
    for result in results[: row.left]:
        if result.candidate is None:
            row.failed += 1
            continue
        row.same += result.same
        row.different += not result.same
        session.add(_grade_row(version, result, result.candidate))
    if not row.left:
        end(session, "complete", version)


def differences(session: Session, version: str) -> list[Difference]:
    """Differences by classes and levels, the most frequent first."""
    one = ShadowGradeRow
    columns = (one.served_class, one.served_level, one.class_name, one.level)
    of_version = (one.version == version, one.same.is_(False))
    counted = select(*columns, func.count()).where(*of_version).group_by(*columns)
    found = {
        (a, a_level, b, b_level): Difference((a, a_level), (b, b_level), count)
        for a, a_level, b, b_level, count in session.execute(counted)
    }
    kept = (
        select(*columns, one.prediction_id)
        .join(PredictionRow, PredictionRow.id == one.prediction_id)
        .where(*of_version, PredictionRow.blob.is_not(None))
        .order_by(one.created_at.desc(), one.prediction_id)
        .limit(MAX_SEARCHED)
    )
    for a, a_level, b, b_level, prediction_id in session.execute(kept):
        examples = found[a, a_level, b, b_level].examples
        if len(examples) < MAX_EXAMPLES:
            examples.append(prediction_id)
    ordered = sorted(found.values(), key=lambda one: (-one.photos, str(one)))
    return ordered[:MAX_DIFFERENCES]


def _grade_row(version: str, result: ShadowResult, candidate: ShadowGrade) -> ShadowGradeRow:
    return ShadowGradeRow(
        version=version,
        prediction_id=result.prediction_id,
        same=result.same,
        served_class=result.served.class_name,
        served_level=result.served.level,
        served_confidence=result.served.confidence,
        class_name=candidate.class_name,
        level=candidate.level,
        confidence=candidate.confidence,
    )
