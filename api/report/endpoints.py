"""`/report`: how good a version is, with all that has to stand beside it."""

from fastapi import APIRouter

from api.deps import ReadingDep, SettingsDep
from api.problems import responses
from api.registry import repository
from api.report import service
from api.report.schemas import Report

router = APIRouter(prefix="/report", tags=["models"])


@router.get("/{version}", summary="How good is a version?", responses=responses(404, 503))
def report(session: ReadingDep, settings: SettingsDep, version: str) -> Report:
    """Its own figure and those of the recipe, each with its interval, its split and its data.

    The curves and tables of the version are in its manifest: `/models/{version}`.
    """
    return service.report(repository.model(session, version).manifest, settings.report_dir)
