"""Training/serving skew as a metric: each API process measures it once a day, on its own engine."""

import logging
import math
import time
from collections.abc import Callable

from api.core import telemetry
from api.core.errors import ProblemError
from api.model.package import BadPackageError, Package
from api.model.predictor import Predictor
from api.monitoring.skew import ENOUGH, Skew, measure_skew
from api.predictions.state import AppState
from api.settings import Settings

# Long after startup, which it must not slow down; then once a day.
FIRST_SECONDS = 3600.0
AGAIN_SECONDS = 24 * 3600.0
log = logging.getLogger(__name__)


class _OtherVersionError(ValueError):
    """The catalog has a new champion, which this process does not serve yet."""


class NightlySkew:
    """Call `refresh` every minute or so, from one thread. `clock` returns seconds.

    It takes two seconds of one core for 200 photos; other work gets its turn between photos.
    """

    def __init__(
        self, settings: Settings, state: AppState, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._state = state
        self._clock = clock
        self._version = self._serving_version()
        self._due_at = clock() + FIRST_SECONDS
        if telemetry.shared_folder() is None:
            _show(None)  # In a shared folder, another process may have set it.

    def refresh(self) -> None:
        """Measure, if it is time. Raises database errors."""
        self._follow()
        if self._clock() < self._due_at or self._state.catalog_problem:
            return
        cache = self._settings.model_cache
        try:
            skew = measure_skew(self._state.database, self._state.blobs, cache, self._serving)
        except _OtherVersionError:
            return  # The next call tries again.
        except (ProblemError, BadPackageError) as error:  # No champion, or the reloader logs it.
            log.info("Training and serving were not compared: %s", error)
            self._due_at = self._clock() + FIRST_SECONDS
            return
        self._due_at = self._clock() + AGAIN_SECONDS
        _show(skew)
        if skew.objections:
            log.warning("%s", " ".join(skew.lines))

    def _follow(self) -> None:
        """Forget the measurement, and plan a new one, when another version serves."""
        version = self._serving_version()
        if version != self._version:
            self._version, self._due_at = version, self._clock() + FIRST_SECONDS
            _show(None)

    def _serving_version(self) -> str:
        predictor = self._state.predictor
        return predictor.manifest.version if predictor else ""

    def _serving(self, package: Package) -> Predictor:
        """The loaded model, so that no second one takes memory."""
        predictor = self._state.predictor
        if predictor is None or predictor.manifest.version != package.manifest.version:
            raise _OtherVersionError
        return predictor


def _show(skew: Skew | None) -> None:
    """NaN if too few photos were compared, or none: 0 would claim that all is well."""
    telemetry.SKEW_PHOTOS.set(skew.photos if skew else 0)
    same_class = found = math.nan
    if skew and skew.photos >= ENOUGH:
        same_class, found = skew.same_class, float(bool(skew.objections))
    telemetry.SKEW_SAME_CLASS.set(same_class)
    telemetry.SKEW_FOUND.set(found)
