"""`/predictions/{id}/boxes` and `/dataset/boxed-photos`."""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.catalog.box_schemas import MarkedFruits
from api.catalog.boxed_photos import BoxedPhotoStore
from api.catalog.class_names import ClassNames
from api.catalog.duplicate_index import DuplicateIndex
from api.http.deps import (
    BlobsDep,
    DatabaseDep,
    KnownPhotosDep,
    RecordedId,
    SettingsDep,
    StateDep,
    TrainingIndexDep,
)
from api.http.problems import responses
from api.predictions.boxes import BoxesAnswer, BoxesService

router = APIRouter(tags=["boxed photos"], responses=responses(503, 507))


def _store(
    database: DatabaseDep, blobs: BlobsDep, known: KnownPhotosDep, settings: SettingsDep
) -> BoxedPhotoStore:
    with database.reading() as session:
        index = DuplicateIndex.load(session, known)
    return BoxedPhotoStore(database, blobs, index, settings.max_pixels)


StoreDep = Annotated[BoxedPhotoStore, Depends(_store)]


@router.put(
    "/predictions/{prediction_id}/boxes",
    summary="Mark the fruits of a graded photo",
    responses=responses(404, 409, 422),
)
def put_boxes(
    prediction_id: RecordedId,
    store: StoreDep,
    state: StateDep,
    database: DatabaseDep,
    training_index: TrainingIndexDep,
    *,
    sent: MarkedFruits,
) -> BoxesAnswer:
    """Send all fruits of the photograph: missed ones too, without what is no fruit, and with their
    right classes. The photograph teaches where fruits are, where it is still kept.

    The list replaces an earlier one. An empty one with `complete` says that there is no fruit. New
    classes as in feedback: see `new_class`.
    """
    classes = ClassNames(database, training_index, sent.new_class)
    return BoxesService(store, state.recorder).put(prediction_id, sent.annotation(classes))
