"""From a candidate in a folder to a version in the catalog, and the run to its end: at once."""

import logging

from tenacity import (
    before_sleep_log,
    retry,
    retry_if_exception_type,
    stop_after_delay,
    wait_fixed,
)

from api.registry import repository as registry
from api.registry import store
from api.registry.promotion_gate import Verdict
from api.retraining import service
from api.retraining.candidate import Candidate
from api.retraining.errors import RunGivenUpError
from api.retraining.load_job import StoredJob
from api.storage.blobs import Blobs
from api.storage.db import UNAVAILABLE, Database
from api.storage.tables import ChampionRow, RunRow

OTHER_CHAMPION = (
    "Another version was promoted while it was made ({version}), which it was not compared with."
)
PATIENCE_SECONDS = 300.0
RETRY_SECONDS = 3.0
log = logging.getLogger(__name__)


def register_candidate(
    database: Database, blobs: Blobs, task: StoredJob, candidate: Candidate, verdict: Verdict
) -> None:
    """Store the package; then enter it, promote it where it may be, and end the run, at once.

    A database that is away for some minutes does not cost what an hour has made. Raises
    RunGivenUpError where others ended the run meanwhile; then nothing is entered.
    """
    store.store_package(blobs, candidate.folder)
    _enter(database, task, candidate, verdict)


@retry(
    retry=retry_if_exception_type(UNAVAILABLE),
    stop=stop_after_delay(PATIENCE_SECONDS),
    wait=wait_fixed(RETRY_SECONDS),
    before_sleep=before_sleep_log(log, logging.WARNING),
    reraise=True,
)
def _enter(database: Database, task: StoredJob, candidate: Candidate, verdict: Verdict) -> None:
    manifest = candidate.manifest
    with database.session() as session:
        row = session.get_one(RunRow, task.id, with_for_update=True, populate_existing=True)
        if row.state != "running":
            raise RunGivenUpError(task.id)
        # Locked, so that nobody promotes another version between this look and the promotion.
        serving = session.get(ChampionRow, 1, with_for_update=True, populate_existing=True)
        if verdict.promote and (serving is None or serving.version != task.champion):
            reason = OTHER_CHAMPION.format(version=serving.version if serving else "none")
            verdict = Verdict(False, (reason, *verdict.reasons), verdict.figures)
        registry.add_model(
            session,
            manifest,
            parent=task.champion,
            origin=task.mode,
            started_by=task.started_by,
            run_id=task.id,
            verdict=verdict.as_dict(),
        )
        if verdict.promote:
            registry.promote(session, manifest.version, "gate")
        service.succeed(row, registry.model(session, manifest.version))
        log.info("Run %s: %s", task.id, row.message)
