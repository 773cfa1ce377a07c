"""`/models`: list, compare, promote and roll back versions; `/report`: how good one is."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from api.core.freshness_levels import fitted_thresholds
from api.http.deps import (
    VERSION,
    BlobsDep,
    DatabaseDep,
    Limit,
    ReadingDep,
    SessionDep,
    SettingsDep,
)
from api.http.problems import responses
from api.http.query import CheckedRoute
from api.insights import report as quality_report
from api.insights.mistakes import find_mistakes
from api.insights.mistakes_zip import mistakes_zip
from api.insights.report_schemas import Mistakes, Report
from api.predictions import fruit_thresholds
from api.predictions.freshness_thresholds import user_thresholds
from api.registry import repository, service
from api.registry.export import export_zip
from api.registry.schemas import (
    History,
    Promotion,
    PromotionByHand,
    Version,
    VersionComparison,
    VersionDescription,
    VersionDetails,
    Versions,
    class_differences,
    differences,
)
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database

ZIP = "application/zip"
RollbackTo = Annotated[
    str,
    Query(
        max_length=80,
        description="Version that the rollback must lead to: `rollback_to` of `GET /models`. If it "
        "is in use already, nothing changes; if the rollback would lead elsewhere, the response is "
        "409 `rollback-changed`. So a request that is sent twice goes back only once.",
    ),
]
# More than the held-out photos of any version.
ALL = 10**9
router = APIRouter(route_class=CheckedRoute, tags=["models"], responses=responses(503, 507))


@router.get("/models", summary="List versions", responses=responses(422))
def list_models(session: ReadingDep, limit: Limit = 100) -> Versions:
    """List the versions, newest first. Files are kept for the five newest versions, the current one
    and the one before it.
    """
    champion, served = repository.champion_version(session), repository.served_versions(session)
    rows = repository.list_models(session, limit)
    return Versions(
        champion=champion,
        rollback_to=repository.rollback_target(session),
        models=[Version.of_row(row, champion, served) for row in rows],
    )


@router.get(
    "/models/history",
    summary="List promotions",
    responses=responses(422),
)
def history(session: ReadingDep, limit: Limit = 100) -> History:
    """List the changes of the current version, newest first."""
    rows = repository.history(session, limit)
    return History(promotions=[Promotion.model_validate(row, from_attributes=True) for row in rows])


@router.get("/models/compare", summary="Compare two versions", responses=responses(404, 422))
def compare(session: ReadingDep, a: str, b: str) -> VersionComparison:
    """Compare the metrics of versions `a` and `b`. Differences are `b` minus `a`."""
    champion, served = repository.champion_version(session), repository.served_versions(session)
    first, second = repository.get_model(session, a), repository.get_model(session, b)
    return VersionComparison(
        a=Version.of_row(first, champion, served),
        b=Version.of_row(second, champion, served),
        same_data=first.manifest["data"]["sha256"] == second.manifest["data"]["sha256"],
        figures=differences(first.manifest, second.manifest),
        per_class=class_differences(first.manifest, second.manifest),
    )


@router.get(f"/models/{VERSION}", summary="Get a version", responses=responses(404))
def details(session: ReadingDep, version: str) -> VersionDetails:
    """Get a version with its manifest."""
    return VersionDetails.of_row(
        repository.get_model(session, version),
        repository.champion_version(session),
        repository.served_versions(session),
    )


@router.patch(
    f"/models/{VERSION}",
    summary="Update the name and note of a version",
    responses=responses(404, 422),
)
def describe(session: SessionDep, version: str, description: VersionDescription) -> Version:
    """Update the name and note of a version. They are for people only, and remain when the
    version's files are deleted.
    """
    row = repository.describe(session, version, description.name, description.note)
    return Version.of_row(
        row, repository.champion_version(session), repository.served_versions(session)
    )


@router.get(
    f"/models/{VERSION}/export",
    summary="Export a version",
    response_class=Response,
    responses={200: {"content": {ZIP: {}}}, **responses(404, 409)},
)
def export(database: DatabaseDep, blobs: BlobsDep, settings: SettingsDep, version: str) -> Response:
    """Download a zip that grades photos without this service: the LiteRT network, its head, the
    classes, the thresholds in use, and a Python script.
    """
    with database.reading() as session:
        repository.check_promotable(session, version)
        by_user = user_thresholds(session)
        by_fruit = fruit_thresholds.thresholds_by_version(session).get(version, {})
    # Outside of the transaction: it takes a second.
    package = service.fetch_package(blobs, version, settings.model_cache)
    own = fitted_thresholds(package.manifest.classes, package.head.thresholds)
    data = export_zip(package, by_user or settings.level_thresholds or own, by_fruit)
    headers = {"Content-Disposition": f'attachment; filename="ripeline-{version}.zip"'}
    return Response(data, headers=headers, media_type=ZIP)


@router.post(
    f"/models/{VERSION}/promote", summary="Promote a version", responses=responses(404, 409)
)
def promote(
    database: DatabaseDep, blobs: BlobsDep, settings: SettingsDep, version: str
) -> PromotionByHand:
    """Make this version the current version. Every process uses it within two seconds, without
    dropping a request.

    If it is the current version already, nothing changes, and the response says since when.
    Freshness thresholds of single fruits belong to a version: the response names the fruits for
    which only the previous version has them.
    """
    promotion = service.promote(database, blobs, settings.model_cache, version, settings.engine)
    done = Promotion.model_validate(promotion, from_attributes=True)
    with database.reading() as session:
        manifest = repository.get_model(session, version).manifest
        lacks = fruit_thresholds.lacking(session, manifest, done.replaced)
    return PromotionByHand(**done.model_dump(), lacks_thresholds=lacks)


@router.post(
    "/models/rollback", summary="Roll back to the previous version", responses=responses(409)
)
def rollback(
    database: DatabaseDep, blobs: BlobsDep, settings: SettingsDep, *, to: RollbackTo | None = None
) -> Promotion:
    """Return to the version that was in use before. A second rollback goes one version further
    back, unless `to` names the version to return to.

    Versions that were rolled back from are skipped; to use one again, promote it.
    """
    cache, engine = settings.model_cache, settings.engine
    promotion = service.roll_back(database, blobs, cache, engine, to)
    return Promotion.model_validate(promotion, from_attributes=True)


@router.get("/report/{version}", summary="Get the report on a version", responses=responses(404))
def report(session: ReadingDep, settings: SettingsDep, version: str) -> Report:
    """Get the metrics of a version and of its recipe, each with its confidence interval, split and
    data.

    The manifest of the version has its curves and tables: `/models/{version}`.
    """
    row = repository.get_model(session, version)
    return quality_report.report(row.manifest, settings.report_dir, row.verdict)


@router.get(
    "/report/{version}/mistakes",
    summary="List the mistakes of a version",
    responses=responses(404, 422),
)
def mistakes(
    database: DatabaseDep,
    blobs: BlobsDep,
    settings: SettingsDep,
    version: str,
    limit: Limit = 24,
) -> Mistakes:
    """List the held-out photos that a version grades wrongly, each with its label, its grade and,
    if it is in the catalog, its photo.

    The catalog has no photos of the shipped package, nor those imported where a version was
    trained.
    """
    return _mistakes(database, blobs, settings, version, limit)


@router.get(
    "/report/{version}/mistakes/export",
    summary="Export the mistakes of a version",
    response_class=StreamingResponse,
    responses={200: {"content": {ZIP: {}}}, **responses(404)},
)
def export_mistakes(
    database: DatabaseDep, blobs: BlobsDep, settings: SettingsDep, version: str
) -> StreamingResponse:
    """Download a zip with a table of all mistakes of a version, and those photos that are in the
    catalog.
    """
    found = _mistakes(database, blobs, settings, version, ALL)
    headers = {"Content-Disposition": f'attachment; filename="mistakes-{version}.zip"'}
    parts = mistakes_zip(database, blobs, found.mistakes)
    return StreamingResponse(parts, headers=headers, media_type=ZIP)


def _mistakes(
    database: Database, blobs: Blobs, settings: Settings, version: str, limit: int
) -> Mistakes:
    with database.reading() as session:
        manifest = repository.get_model(session, version).manifest
    return find_mistakes(database, blobs, settings.model_cache, manifest, limit)
