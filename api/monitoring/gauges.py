"""Updates the `/metrics` gauges that come from the catalog, off the request path."""

import math
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.core import telemetry
from api.model.engines.choice import EngineInfo
from api.model.manifest import Manifest
from api.model.package import BadPackageError
from api.model.provenance import changed_libraries
from api.monitoring.drift import DriftFigure, current_drift
from api.predictions.accuracy_in_use import count_answers, is_significantly_below
from api.predictions.state import AppState
from api.registry import shadow_repository
from api.registry.schemas import Headlines
from api.registry.shadow_repository import Agreement
from api.settings import Settings
from api.storage.db import now
from api.storage.tables.models import RunRow
from api.storage.tables.shadows import ShadowRow
from api.storage.tables.triggers import NotificationRow

ACTIVE = ("queued", "running")
ENDED = ("succeeded", "failed", "cancelled", "interrupted")


class Gauges:
    """Call `refresh` periodically, from one thread."""

    def __init__(self, settings: Settings, state: AppState) -> None:
        self._settings = settings
        self._state = state
        self._champion = ""
        self._engine: EngineInfo | None = None
        self._libraries: set[str] = set()
        self._drift: set[str] = set()

    def refresh(self) -> None:
        """Read champion, runs, notifications, accuracy and drift. Raises database errors."""
        manifest = self._show_champion()
        with self._state.database.reading() as session:
            by_state = select(RunRow.state, func.count()).group_by(RunRow.state)
            runs = dict(session.execute(by_state).all())
            for name in (*ACTIVE, *ENDED):
                telemetry.RUNS.labels(name).set(runs.get(name, 0))
            telemetry.RUN_ACTIVE.set(sum(runs.get(name, 0) for name in ACTIVE))
            show_notifications(session)
            show_shadow(session, self._settings.shadow_min_agreement)
            show_accuracy(session, manifest)
            if manifest is None:
                return
            version = manifest.version
            try:
                figures = current_drift(session, self._settings, self._state.blobs, version, now())
            except BadPackageError:  # The model reloader logs it.
                return
        self._show_drift(figures)

    def _show_champion(self) -> Manifest | None:
        runtime = self._state.predictor
        version = runtime.manifest.version if runtime else ""
        self._show_engine(runtime.engine if runtime else None)
        if version != self._champion:
            # In multiprocess mode a label cannot be removed, only set to 0.
            if self._champion:
                telemetry.CHAMPION.labels(self._champion).set(0)
            if version:
                telemetry.CHAMPION.labels(version).set(1)
            created = runtime.manifest.grader_made_at.timestamp() if runtime else 0
            telemetry.CHAMPION_CREATED.set(created)
            self._show_drift([])
            self._show_libraries(runtime.manifest.versions if runtime else {})
            self._champion = version
        return runtime.manifest if runtime else None

    def _show_drift(self, figures: Sequence[DriftFigure]) -> None:
        """Figures that no longer exist, such as those of another version, become NaN."""
        shown = {
            figure.name: (figure.value, figure.threshold)
            for figure in figures
            if figure.value is not None and figure.threshold is not None
        }
        for name in self._drift | shown.keys():
            value, threshold = shown.get(name, (math.nan, math.nan))
            telemetry.DRIFT.labels(name).set(value)
            telemetry.DRIFT_THRESHOLD.labels(name).set(threshold)
        self._drift = set(shown)

    def _show_libraries(self, made_with: Mapping[str, str]) -> None:
        changed = changed_libraries(made_with)
        for library in self._libraries | changed.keys():
            telemetry.DEPENDENCY_CHANGED.labels(library).set(changed.get(library, False))
        self._libraries = set(changed)

    def _show_engine(self, engine: EngineInfo | None) -> None:
        if engine == self._engine:
            return
        if self._engine:
            telemetry.ENGINE_SECONDS.labels(self._engine.name, self._engine.precision).set(0)
        if engine:
            seconds = engine.milliseconds / 1000
            telemetry.ENGINE_SECONDS.labels(engine.name, engine.precision).set(seconds)
        self._engine = engine


def show_accuracy(session: Session, manifest: Manifest | None) -> None:
    """The serving version's accuracy by answers about a random sample; NaN without any."""
    accuracy = is_below = math.nan
    answered, correct = count_answers(session, manifest.version) if manifest else (0, 0)
    if manifest and answered:
        held_out = Headlines.of({"metrics": manifest.metrics}).accuracy
        accuracy = correct / answered
        is_below = float(is_significantly_below(correct, answered, held_out))
    telemetry.ACCURACY_IN_USE.set(accuracy)
    telemetry.ACCURACY_BELOW_HELD_OUT.set(is_below)


def show_notifications(session: Session) -> None:
    """All that were sent or failed, in any process: a worker has no metrics of its own."""
    has_failed = NotificationRow.failed > 0
    ended = select(has_failed, func.count()).where(NotificationRow.failed.is_not(None))
    counts = {bool(failed): n for failed, n in session.execute(ended.group_by(has_failed))}
    telemetry.NOTIFICATIONS.labels("sent").set(counts.get(False, 0))
    telemetry.NOTIFICATIONS.labels("failed").set(counts.get(True, 0))


def show_shadow(session: Session, min_agreement: float) -> None:
    """The version that grades beside the one in use, or did until its last photo."""
    row = shadow_repository.newest(session)
    if row is None or row.ended_by in ("stopped", "replaced"):
        row = ShadowRow(same=0, different=0, failed=0)
    counts = {"same": row.same, "different": row.different, "failed": row.failed}
    for outcome, count in counts.items():
        telemetry.SHADOW_PHOTOS.labels(outcome).set(count)
    agreement = Agreement.of(row, min_agreement)
    telemetry.SHADOW_AGREEMENT.set(math.nan if agreement.share is None else agreement.share)
    telemetry.SHADOW_BELOW_MIN.set(agreement.below_min)
