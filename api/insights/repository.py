"""What the insights read of the catalog's images."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.dataset.tables import ImageRow

_COLUMNS = (
    ImageRow.id,
    ImageRow.sha256,
    ImageRow.class_name,
    ImageRow.split,
    ImageRow.origin,
    ImageRow.photograph,
    ImageRow.brightness,
    ImageRow.saturation,
    ImageRow.hue,
    ImageRow.width,
    ImageRow.height,
)


def images(session: Session) -> Sequence[Any]:
    """Every image with the columns that the insights need, the newest first."""
    query = select(*_COLUMNS).order_by(ImageRow.created_at.desc(), ImageRow.id)
    return session.execute(query).all()


def blobs_of(session: Session, image_ids: Sequence[str]) -> dict[str, str]:
    """The blob of each image that is there."""
    query = select(ImageRow.id, ImageRow.blob).where(ImageRow.id.in_(image_ids))
    return {str(image_id): str(blob) for image_id, blob in session.execute(query)}
