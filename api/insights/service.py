"""The insights into today's data, put together."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from api.blobs import Blobs
from api.db import Database
from api.insights import repository
from api.insights.balance import balance, counts, freshness
from api.insights.copies import copies
from api.insights.examples import Examples, todays
from api.insights.looks import appearance, sizes
from api.insights.map import draw_map, place_new
from api.insights.places import places_of
from api.insights.schemas import DatasetInsights, EmbeddingMap
from api.insights.shipped import Shipped, shipped_of
from api.predict.runtime import Runtime


def dataset_insights(
    database: Database, blobs: Blobs, cache: Path, version: str
) -> DatasetInsights:
    """Raises ModelUnavailableError where the package of `version` cannot be read."""
    shipped = shipped_of(blobs, cache, version)
    with database.reading() as session:
        examples = _todays(session, shipped)
    return DatasetInsights(
        model_version=version,
        examples=len(examples),
        from_catalog=int((examples.image_ids != "").sum()),
        counts=counts(examples),
        balance=balance(examples),
        freshness=freshness(examples),
        appearance=appearance(examples),
        sizes=sizes(examples, shipped.input_size),
        copies=copies(examples, shipped.files),
    )


def embedding_map(
    database: Database, blobs: Blobs, cache: Path, runtime: Runtime, limit: int
) -> EmbeddingMap:
    """Raises ModelUnavailableError where the package that serves cannot be read."""
    version = runtime.manifest.version
    shipped = shipped_of(blobs, cache, version)
    places = places_of(shipped.folder)
    with database.reading() as session:
        examples = _todays(session, shipped)

    def blobs_of(image_ids: Sequence[str]) -> dict[str, str]:
        with database.reading() as session:
            return repository.blobs_of(session, image_ids)

    # No transaction is open while images are embedded, which may take seconds.
    place_new(places, examples, runtime, blobs_of, blobs.get)
    return draw_map(places, examples, version, limit)


def _todays(session: Session, shipped: Shipped) -> Examples:
    return todays(shipped, repository.images(session))
