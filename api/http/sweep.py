"""What each API process deletes at startup and then hourly: expired data and leftovers."""

import logging
from collections.abc import Callable
from functools import partial

from api.catalog.photo_files import ORPHAN_AGE, sweep_orphans
from api.catalog.removal import sweep_removed
from api.inspections.removal import sweep_removed as sweep_removed_inspections
from api.inspections.service import InspectionService
from api.predictions.retention import sweep_predicted
from api.registry.service import clean_up_store
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import UNAVAILABLE, Database, now

SWEEP_SECONDS = 3600
log = logging.getLogger(__name__)


def sweep(database: Database, blobs: Blobs, settings: Settings) -> None:
    """Remove expired photos and inspections, and blobs that a killed process left behind.

    A step that fails is logged, and the others continue. Raises the errors in UNAVAILABLE.
    """
    at, inspections = now(), InspectionService(database, blobs)
    kept_removed = settings.keep_removed_days
    steps: dict[str, Callable[[], object]] = {
        "unfinished writes": partial(blobs.delete_unfinished, at - ORPHAN_AGE),
        "graded photos": partial(sweep_predicted, database, blobs, settings.keep_predicted_days),
        "inspections": partial(inspections.sweep, at, settings.keep_inspections_days),
        "removed inspections": partial(sweep_removed_inspections, inspections, kept_removed, at),
        "removed photos": partial(sweep_removed, database, blobs, kept_removed),
        "photos without a row": partial(sweep_orphans, database, blobs),
        "packages of old versions": partial(clean_up_store, database, blobs),
    }
    for what, step in steps.items():
        try:
            step()
        except UNAVAILABLE:
            raise
        except Exception as error:  # A failed step must not stop the others.
            log.warning("The sweep of %s failed and is done again later: %s", what, error)
