"""The drift figures of a version as of now."""

from datetime import datetime

from sqlalchemy.orm import Session

from api.blobs import Blobs
from api.monitoring.drift.figures import Figure, drift_figures
from api.monitoring.drift.reference import reference_of
from api.monitoring.drift.sample import newest_sample
from api.settings import Settings


def current_drift(
    session: Session, settings: Settings, blobs: Blobs, version: str, at: datetime
) -> list[Figure]:
    """Takes some tenths of a second. Raises BadPackageError, or what the store raises."""
    reference = reference_of(settings, blobs, version)
    directions = reference.features.shape[1]
    return drift_figures(reference, newest_sample(session, version, directions, at))
