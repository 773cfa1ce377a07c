"""`/insights`: the training data in numbers, as a map, and as augmentation changes it."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from api.catalog import repository
from api.catalog.photo_files import decoding, load_image
from api.catalog.schemas import ImageId
from api.http.deps import BlobsDep, DatabaseDep, SettingsDep, StateDep
from api.http.photo_upload import OPENAPI, read_photo
from api.http.problems import responses
from api.http.query import CheckedRoute
from api.insights.appearance import appearance, sizes
from api.insights.augmentation import augmentation
from api.insights.balance import balance, copies, counts, freshness
from api.insights.current_examples import (
    current_examples,
    load_blob_keys,
    load_images,
    load_training_set,
)
from api.insights.projection import build_map, embed_new, projection_of
from api.insights.schemas import Augmentation, DatasetInsights, EmbeddingMap

INSIGHTS = "/insights"
AUGMENTATION = f"{INSIGHTS}/augmentation"
router = APIRouter(
    route_class=CheckedRoute, prefix=INSIGHTS, tags=["insights"], responses=responses(503)
)
Seed = Annotated[
    int,
    Query(
        ge=0,
        lt=2**32,
        description="Seed of the random augmentation. The same seed gives the same views.",
    ),
]


@router.get("/dataset", summary="Get insights into the data set")
def dataset(
    state: StateDep, database: DatabaseDep, blobs: BlobsDep, settings: SettingsDep
) -> DatasetInsights:
    """Get statistics on the training and test photos of the current version, and on the catalog as
    it is now.
    """
    version = state.serving().manifest.version
    training_set = load_training_set(blobs, settings.model_cache, version)
    with database.reading() as session:
        examples = current_examples(training_set.index, load_images(session))
    return DatasetInsights(
        model_version=version,
        examples=len(examples),
        from_catalog=int((examples.image_ids != "").sum()),
        counts=counts(examples),
        balance=balance(examples),
        freshness=freshness(examples),
        appearance=appearance(examples),
        sizes=sizes(examples, training_set.input_size),
        copies=copies(examples, training_set.files),
    )


@router.get("/map", summary="Get a map of the photos", responses=responses(422))
def embedding_map(
    state: StateDep,
    database: DatabaseDep,
    blobs: BlobsDep,
    settings: SettingsDep,
    limit: Annotated[
        int, Query(ge=1, le=10_000, description="Maximum number of points to return.")
    ] = 2000,
) -> EmbeddingMap:
    """Get the embeddings of the data in two dimensions, computed by the current version.

    The request embeds some of the images added since that version was trained; `left_out` is the
    number still missing.
    """
    predictor = state.serving()
    version = predictor.manifest.version
    training_set = load_training_set(blobs, settings.model_cache, version)
    cache = projection_of(blobs, settings.model_cache, version)
    with database.reading() as session:
        examples = current_examples(training_set.index, load_images(session))

    def blob_keys(image_ids: Sequence[str]) -> dict[str, str]:
        with database.reading() as session:
            return load_blob_keys(session, image_ids)

    # Outside a transaction: embedding may take seconds.
    embed_new(cache, examples, predictor, blob_keys, blobs.get)
    return build_map(cache, examples, version, limit)


@router.get(
    "/augmentation", summary="Get augmented views of an image", responses=responses(404, 422)
)
def of_image(
    state: StateDep, database: DatabaseDep, blobs: BlobsDep, image_id: ImageId, seed: Seed = 0
) -> Augmentation:
    """Get eight augmented views of an image in the catalog, made as for training."""
    predictor = state.serving()
    with database.reading() as session:
        row = repository.get_image(session, image_id)
    data = load_image(blobs, row)
    with decoding(row):
        return augmentation(predictor, data, seed, image_id, row.class_name)


@router.post(
    "/augmentation",
    summary="Get augmented views of a photo",
    openapi_extra=OPENAPI,
    responses=responses(400, 413, 415, 422),
)
async def of_photograph(request: Request, state: StateDep, seed: Seed = 0) -> Augmentation:
    """Get eight augmented views of a photo, sent as to `/predict`. The photo is not stored."""
    predictor = state.serving()
    upload = await read_photo(request)
    # One at a time, like GET: each grades nine pictures, and /predict shares the cores.
    async with state.augmenting:
        return await run_in_threadpool(augmentation, predictor, upload.data, seed, None, None)
