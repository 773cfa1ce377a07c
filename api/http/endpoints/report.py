"""`/report`: the measured quality of a version."""

from fastapi import APIRouter

from api.http.deps import ReadingDep, SettingsDep
from api.http.problems import responses
from api.insights import report as service
from api.insights.schemas import Report
from api.registry import repository

router = APIRouter(prefix="/report", tags=["models"])


@router.get("/{version}", summary="Report on a version", responses=responses(404, 503))
def report(session: ReadingDep, settings: SettingsDep, version: str) -> Report:
    """Its own figure and those of the recipe, each with its interval, its split and its data.

    The curves and tables of the version are in its manifest: `/models/{version}`.
    """
    return service.report(repository.get_model(session, version).manifest, settings.report_dir)
