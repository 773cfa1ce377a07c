"""`/predictions`: recorded predictions and their photos."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from api.core.errors import ProblemError, UnprocessableError
from api.core.imaging.resize import thumbnail
from api.core.labels import Level
from api.core.workbook import XLSX
from api.http.deps import (
    BlobsDep,
    DatabaseDep,
    Moment,
    Offset,
    PageLimit,
    ReadingDep,
    RecordedId,
    SessionDep,
    SettingsDep,
    StateDep,
    Text,
    ThumbnailSize,
)
from api.http.problems import responses
from api.http.query import CheckedRoute, check_range
from api.predictions import dismissal, search
from api.predictions.history import (
    FLUSH_SECONDS,
    PhotographGoneError,
    find_recorded,
    load_image,
)
from api.predictions.recorded import HistoryItem
from api.predictions.search import Filters, Order
from api.predictions.table_xlsx import predictions_xlsx
from api.storage.ids import ID_PATTERN

Share = Annotated[float, Query(ge=0, le=1)]
Id = Annotated[str, Query(pattern=ID_PATTERN)]
Cursor = Annotated[str, Query(max_length=200)]
DISMISSAL = "/predictions/{prediction_id}/dismissal"
router = APIRouter(route_class=CheckedRoute, tags=["predictions"], responses=responses(503))


async def _filters(
    *,
    class_name: Annotated[Text | None, Query(description="Predicted class.")] = None,
    recognised: Annotated[
        bool | None, Query(description="Whether the photo shows a known class.")
    ] = None,
    level: Annotated[Level | None, Query(description="Freshness level.")] = None,
    at_least: Annotated[
        Share | None, Query(description="Lowest confidence, inclusive, 0 to 1.")
    ] = None,
    below: Annotated[
        Share | None, Query(description="Exclusive upper bound of the confidence, 0 to 1.")
    ] = None,
    model_version: Annotated[
        Text | None, Query(description="Version that made the prediction.")
    ] = None,
    since: Annotated[
        Moment | None, Query(description="Inclusive lower bound of the time of the prediction.")
    ] = None,
    until: Annotated[
        Moment | None, Query(description="Exclusive upper bound of the time of the prediction.")
    ] = None,
    batch_id: Annotated[
        Id | None, Query(description="ID of a batch, from the summary of `POST /predict/batch`.")
    ] = None,
    inspection_id: Annotated[Id | None, Query(description="ID of an inspection.")] = None,
    dismissed: Annotated[
        bool | None, Query(description="Whether the prediction was dismissed as not a fruit.")
    ] = None,
    search: Annotated[
        Text | None, Query(description="Text to find in the file name, lot or supplier.")
    ] = None,
) -> Filters:
    check_range(at_least=at_least, below=below)
    check_range(since=since, until=until)
    return Filters(
        class_name,
        recognised,
        level,
        at_least,
        below,
        model_version,
        since,
        until,
        batch_id,
        inspection_id,
        dismissed,
        search,
    )


FiltersDep = Annotated[Filters, Depends(_filters)]


class PredictionPage(BaseModel):
    total: int = Field(description="Number of predictions on all pages.")
    offset: int
    limit: int
    next: str | None = Field(
        description="Cursor of the next page, to send as `after`; null on the last page."
    )
    predictions: list[HistoryItem]


class PageAndOffsetError(UnprocessableError):
    code = "after-and-offset"
    detail = "Send either `after` or `offset`: both say where the page begins."


@router.get("/predictions", summary="List predictions", responses=responses(422))
def predictions(
    state: StateDep,
    database: DatabaseDep,
    filters: FiltersDep,
    *,
    order: Annotated[
        Order,
        Query(
            description="newest or oldest first; least_sure: unrecognised photos first, then by "
            "ascending confidence."
        ),
    ] = "newest",
    after: Annotated[
        Cursor | None,
        Query(description="Page cursor: `next` from the previous page of the same search."),
    ] = None,
    offset: Offset = 0,
    limit: PageLimit = 50,
) -> PredictionPage:
    """List the recorded predictions that match all filters, newest first by default."""
    if after is not None and offset:
        raise PageAndOffsetError()
    state.recorder.flush(FLUSH_SECONDS)
    with database.reading() as session:
        found, following = search.find(session, filters, order, after, offset=offset, limit=limit)
        total = search.count(session, filters)
    return PredictionPage(
        total=total,
        offset=offset,
        limit=limit,
        next=following,
        predictions=[HistoryItem.of_found(one) for one in found],
    )


@router.get(
    "/predictions.xlsx",
    summary="Export predictions as a workbook",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}}, **responses(422)},
)
def workbook(
    state: StateDep, database: DatabaseDep, filters: FiltersDep, order: Order = "newest"
) -> Response:
    """Download an Excel workbook of the predictions that `GET /predictions` finds with the same
    filters, at most 10,000. It has one sheet for the photos and one for the fruits found in them.
    """
    state.recorder.flush(FLUSH_SECONDS)
    with database.reading() as session:
        data = predictions_xlsx(session, filters, order)
    headers = {
        "Content-Disposition": 'attachment; filename="ripeline-grades.xlsx"',
        "Cache-Control": "no-store",
    }
    return Response(data, headers=headers, media_type=XLSX)


@router.get(
    "/predictions/{prediction_id}", summary="Get a prediction", responses=responses(404, 422)
)
def prediction(session: ReadingDep, prediction_id: RecordedId) -> HistoryItem:
    """Get a recorded prediction with everything known about it."""
    return HistoryItem.of_found(search.of_prediction(session, prediction_id))


@router.put(
    DISMISSAL,
    summary="Dismiss a prediction",
    status_code=204,
    responses=responses(404, 409, 422, 507),
)
def dismiss(session: SessionDep, prediction_id: RecordedId) -> None:
    """Mark a prediction as not a fruit. It leaves the review queue, counts neither as right nor as
    wrong, and is not used for training.
    """
    dismissal.dismiss(session, prediction_id)


@router.delete(
    DISMISSAL,
    summary="Undo the dismissal of a prediction",
    status_code=204,
    responses=responses(404, 422, 507),
)
def take_back_dismissal(session: SessionDep, prediction_id: RecordedId) -> None:
    """Undo the dismissal of a prediction. Feedback on the prediction undoes it, too."""
    dismissal.take_back(session, prediction_id)


@router.get(
    "/predictions/{prediction_id}/photograph",
    summary="Get the thumbnail of a prediction",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, **responses(404, 422)},
)
def photograph(
    state: StateDep,
    database: DatabaseDep,
    *,
    blobs: BlobsDep,
    settings: SettingsDep,
    prediction_id: RecordedId,
    size: ThumbnailSize = 256,
) -> Response:
    """Get the photo as an upright JPEG without metadata. Returns 404 once it is no longer kept."""
    row = find_recorded(database, state.recorder, prediction_id)
    data = load_image(blobs, row)
    try:
        small = thumbnail(data, size, settings.max_pixels)
    except ProblemError as error:  # Damaged on disk.
        raise PhotographGoneError() from error
    # Short, because retention deletes the photo here as well.
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response(small, headers=headers, media_type="image/jpeg")
