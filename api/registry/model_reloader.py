"""Every API process serves the champion of the catalog, and notices a new one within a second, as
it does freshness thresholds that somebody set.

The new grader is loaded and warmed up beside the old one, which serves until one assignment puts
the new one in its place: a request that is under way ends on the grader that it began with.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from api.core.freshness_levels import LevelThresholds
from api.model.package import BadPackageError, Package, load_package, read_manifest
from api.model.predictor import Predictor
from api.predictions.freshness_thresholds import follow, user_thresholds
from api.predictions.state import AppState
from api.registry import repository, service
from api.registry.store import open_package
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import UNAVAILABLE
from api.storage.tables import ChampionRow

POLL_SECONDS = 0.5
RETRY_SECONDS = 60.0
STOP_SECONDS = 10.0
log = logging.getLogger(__name__)


class ModelReloader:
    """Keeps `state.runtime` what the catalog says. `clock` gives seconds."""

    def __init__(
        self, settings: Settings, state: AppState, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._state = state
        self._clock = clock
        self._opened = False
        self._register_at: float | None = clock()  # None when that is done.
        self._failed = ""
        self._retry_at = 0.0
        self._trouble = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="model-watcher", daemon=True)

    def start(self) -> None:
        """Open the catalog, load a grader, and go on watching in a thread.

        While the catalog is away, or its champion cannot be loaded, the shipped package serves.
        Without one the service still runs, and says that no model is loaded. Raises what
        `Database.upgrade` raises for a catalog that is there but cannot be used.
        """
        self.look()
        if self._state.runtime is None:
            self._serve_shipped()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    def look(self) -> None:
        """Do once what there is to do. While the catalog is away, what is loaded serves on."""
        try:
            self._open_catalog()
            with self._state.database.reading() as session:
                champion = repository.champion_row(session)
                thresholds = user_thresholds(session)
            follow(self._state, self._settings, thresholds)
            if champion is not None:
                self._follow(champion)
        except (*UNAVAILABLE, OSError) as error:
            self._note(f"The catalog cannot be used: {error}")
        else:
            self._note("")

    def _watch(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            try:
                self.look()
            except Exception as error:  # The thread must go on, whatever it was.
                self._note(f"Looking for a new model failed: {error!r}")

    def _note(self, trouble: str) -> None:
        """Log a trouble when it begins and when it ends, not at every look."""
        if trouble and not self._trouble:
            log.error("%s", trouble)
        elif self._trouble and not trouble:
            log.warning("The catalog can be read again.")
        self._trouble = trouble

    def _open_catalog(self) -> None:
        if not self._opened:
            try:
                self._state.database.upgrade()
            except (*UNAVAILABLE, OSError) as error:  # OSError: SQLite's folder cannot be made.
                self._state.catalog_problem = str(error)
                raise
            self._opened, self._state.catalog_problem = True, ""
        if self._register_at is not None and self._clock() >= self._register_at:
            self._register_at = None if self._register() else self._clock() + RETRY_SECONDS

    def _register(self) -> bool:
        """Register the shipped package and tidy up; False where that must be tried again."""
        database, blobs = self._state.database, self._state.blobs
        try:
            try:
                service.register_shipped(database, blobs, self._settings.model_dir)
            except BadPackageError as error:
                log.error("The shipped package is not registered: %s", error)
            service.finish_pruning(database, blobs)
            service.evict_cache(database, self._settings.model_cache)
        except UNAVAILABLE:
            raise
        except Exception:  # The store is away; each kind of store has its own errors for that.
            log.exception("The store of model packages fails; trying again later")
            return False
        return True

    def _follow(self, champion: ChampionRow) -> None:
        """Serve the champion. One that cannot be loaded is tried again after a minute."""
        state = self._state
        if state.runtime is None or state.runtime.manifest.version != champion.version:
            if champion.version == self._failed and self._clock() < self._retry_at:
                return
            try:
                runtime = load_version(self._settings, state.blobs, champion.version)
            except Exception as error:  # Whatever is wrong with it, the old one serves on.
                self._failed, self._retry_at = champion.version, self._clock() + RETRY_SECONDS
                state.model_problem = f"Version {champion.version} cannot be loaded: {error}"
                log.error("%s", state.model_problem)
                return
            state.runtime = runtime.with_thresholds(self._thresholds)
            log.info("Version %s serves.", champion.version)
            service.evict_cache(state.database, self._settings.model_cache)
        state.champion_since = champion.changed_at
        self._failed, state.model_problem = "", ""

    @property
    def _thresholds(self) -> LevelThresholds | None:
        """What was chosen last, in the catalog or in the environment."""
        return self._state.user_thresholds or self._settings.level_thresholds

    def _serve_shipped(self) -> None:
        try:
            runtime = load_shipped(self._settings)
        except (BadPackageError, ValueError, RuntimeError) as error:
            log.error("No model is served: %s", error)
            self._state.model_problem = self._state.model_problem or str(error)
        else:
            self._state.runtime = runtime.with_thresholds(self._thresholds)
            log.warning("The shipped version serves until the champion can be loaded.")


def load_version(settings: Settings, blobs: Blobs, version: str) -> Predictor:
    """Raises BadPackageError, ValueError or RuntimeError, or what the store raises when away."""
    with suppress(BadPackageError):
        if read_manifest(settings.model_dir).version == version:
            return load_shipped(settings)  # Nothing needs to be fetched.
    return _warm(settings, open_package(blobs, version, settings.model_cache))


def load_shipped(settings: Settings) -> Predictor:
    """Raises BadPackageError, ValueError or RuntimeError."""
    return _warm(settings, load_package(settings.model_dir))


def _warm(settings: Settings, package: Package) -> Predictor:
    return Predictor.of_package(package, settings.max_pixels, settings.inference_threads)
