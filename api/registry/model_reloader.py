"""How a new champion reaches every API process: each polls the catalog twice a second.

The new model is loaded and warmed up beside the old one, then replaces it in one assignment.
Requests in progress finish on the model they started with. Freshness thresholds that users set, for
all or for single fruits, are picked up the same way.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress

from api.catalog.service import open_catalog
from api.model.package import BadPackageError, Package, load_package, read_manifest
from api.model.predictor import Predictor
from api.predictions.freshness_thresholds import (
    apply_thresholds,
    user_thresholds,
    with_thresholds_in_use,
)
from api.predictions.fruit_thresholds import thresholds_by_version
from api.predictions.state import AppState
from api.registry import repository, service
from api.registry.store import fetch_package
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import UNAVAILABLE
from api.storage.failures import (
    DamagedCatalogError,
    UnusableCatalogError,
    describe,
)
from api.storage.tables.models import ChampionRow

POLL_SECONDS = 0.5
RETRY_SECONDS = 60.0
# Between checks of the champion's files: it serves from memory, so damage would go unnoticed.
CHECK_SECONDS = 60.0
log = logging.getLogger(__name__)


class ModelReloader:
    """Makes `state.predictor` follow the catalog's champion. `clock` returns seconds.

    Call `start` once, then `poll_and_log` every POLL_SECONDS.
    """

    def __init__(
        self, settings: Settings, state: AppState, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._state = state
        self._clock = clock
        self._is_migrated = False
        # When to try a damaged or unusable catalog again.
        self._open_at = clock()
        # When to register the shipped package, or to retry that; None once it is registered.
        self._register_at: float | None = clock()
        self._failed_version = ""
        self._retry_at = 0.0
        self._check_at = clock() + CHECK_SECONDS
        self._last_error = ""

    def start(self) -> None:
        """Open the catalog and load a model.

        If the catalog or its champion is unavailable or unusable, the shipped package serves;
        without one the service runs but has no model.
        """
        self.poll(is_start=True)
        if self._state.predictor is None:
            self._serve_shipped()

    def poll_and_log(self) -> None:
        """`poll`, with every error logged."""
        try:
            self.poll()
        except Exception as error:  # Keep polling.
            self._log_error(f"Looking for a new model failed: {error!r}")

    def poll(self, *, is_start: bool = False) -> None:
        """Load the champion if it changed. While the catalog is unavailable, nothing changes."""
        if not self._is_migrated and self._clock() < self._open_at:
            return
        try:
            self._open_catalog()
            if not self._follow_catalog():
                self._register_if_due()
                self._follow_catalog()
            elif not is_start:  # Never at startup: a bucket may take minutes to fail.
                self._register_if_due()
        except (*UNAVAILABLE, UnusableCatalogError, OSError) as error:
            self._log_error(f"The catalog cannot be used: {error}")
        else:
            self._log_error("")

    def _follow_catalog(self) -> bool:
        """Serve what the catalog says. False if it has no champion yet."""
        with self._state.database.reading() as session:
            champion = repository.champion_row(session)
            by_user, by_version = user_thresholds(session), thresholds_by_version(session)
        apply_thresholds(self._state, self._settings, by_user, by_version)
        if champion is None:
            return False
        self._follow(champion)
        return True

    def _log_error(self, error: str) -> None:
        """Log when an error begins or the last one ends, not at every poll; empty for none."""
        if error and error != self._last_error:
            log.error("%s", error)
        elif self._last_error and not error:
            log.warning("The catalog is followed again.")
        self._last_error = error

    def _open_catalog(self) -> None:
        if not self._is_migrated:
            try:
                open_catalog(self._state.database, self._state.blobs)
            except (DamagedCatalogError, UnusableCatalogError) as error:
                # Only a person can repair it, and checking takes time.
                self._state.database.refuse_writes(error)
                self._open_at = self._clock() + RETRY_SECONDS
                self._state.catalog_problem = describe(error)
                raise
            except (*UNAVAILABLE, OSError) as error:  # OSError: no folder for the SQLite file.
                self._state.catalog_problem = describe(error)
                raise
            self._is_migrated, self._state.catalog_problem = True, ""

    def _register_if_due(self) -> None:
        if self._register_at is not None and self._clock() >= self._register_at:
            self._register_at = None if self._register() else self._clock() + RETRY_SECONDS

    def _register(self) -> bool:
        """Register the shipped package and clean up; False if it must be retried."""
        database, blobs = self._state.database, self._state.blobs
        try:
            try:
                service.register_shipped(database, blobs, self._settings.model_dir)
            except BadPackageError as error:
                log.error("The shipped package is not registered: %s", error)
            service.clean_up_store(database, blobs)
            service.evict_cache(database, self._settings.model_cache)
        except UNAVAILABLE:
            raise
        except Exception:  # Each kind of blob store raises its own errors.
            log.exception("The store of model packages fails; trying again later")
            return False
        return True

    def _follow(self, champion: ChampionRow) -> None:
        """Serve the champion. If it fails to load, retry after RETRY_SECONDS."""
        state = self._state
        if state.predictor is None or state.predictor.manifest.version != champion.version:
            if champion.version == self._failed_version and self._clock() < self._retry_at:
                return
            try:
                predictor = load_version(self._settings, state.blobs, champion.version)
            except Exception as error:  # Whatever went wrong, the old model keeps serving.
                self._failed_version = champion.version
                self._retry_at = self._clock() + RETRY_SECONDS
                state.model_problem = f"Version {champion.version} cannot be loaded: {error}"
                log.error("%s", state.model_problem)
                return
            self._serve(predictor)
            log.info("Version %s serves%s.", champion.version, _by_engine(predictor))
            service.evict_cache(state.database, self._settings.model_cache)
            self._check_at, state.model_problem = self._clock() + CHECK_SECONDS, ""
        elif self._clock() >= self._check_at:
            self._check_at = self._clock() + CHECK_SECONDS
            self._check_files(champion.version)
        state.champion_since = champion.changed_at
        if self._failed_version:  # The champion is the loaded version again.
            self._failed_version, state.model_problem = "", ""

    def _check_files(self, version: str) -> None:
        """Verify the files of the loaded version; a damaged copy is fetched again."""
        problem = ""
        try:
            fetch_package(self._state.blobs, version, self._settings.model_cache)
        except Exception as error:  # Each kind of blob store raises its own errors.
            problem = f"The files of version {version} are damaged: {error}"
            if problem != self._state.model_problem:
                log.error("%s", problem)
        self._state.model_problem = problem

    def _serve_shipped(self) -> None:
        try:
            predictor = load_shipped(self._settings)
        except (BadPackageError, ValueError, RuntimeError) as error:
            log.error("No model is served: %s", error)
            self._state.model_problem = self._state.model_problem or str(error)
        else:
            self._serve(predictor)
            log.warning("The shipped version serves until the champion can be loaded.")

    def _serve(self, predictor: Predictor) -> None:
        self._state.predictor = with_thresholds_in_use(self._state, self._settings, predictor)


def _by_engine(predictor: Predictor) -> str:
    engine = predictor.engine
    if engine is None:
        return ""
    return f" by {engine.name} in {engine.precision}, {engine.milliseconds:.1f} ms a photo"


def load_version(settings: Settings, blobs: Blobs, version: str) -> Predictor:
    """Raises BadPackageError, ValueError, RuntimeError, or an error of the blob store."""
    with suppress(BadPackageError):
        if read_manifest(settings.model_dir).version == version:
            return load_shipped(settings)  # No download needed.
    return _load(settings, fetch_package(blobs, version, settings.model_cache))


def load_shipped(settings: Settings) -> Predictor:
    """Raises BadPackageError, ValueError or RuntimeError."""
    return _load(settings, load_package(settings.model_dir))


def _load(settings: Settings, package: Package) -> Predictor:
    return Predictor.of_package(
        package, settings.max_pixels, settings.inference_threads, settings.engine
    )
