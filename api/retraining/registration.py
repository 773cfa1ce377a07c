"""The end of a run: its versions are registered, and it ends, in one transaction."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple, cast

from tenacity import (
    before_sleep_log,
    retry,
    retry_if_exception_type,
    stop_after_delay,
    wait_fixed,
)

from api.registry import repository as models
from api.registry.promotion_gate import Verdict
from api.retraining import repository, service
from api.retraining.job import Candidate
from api.retraining.progress import RunAbortedError
from api.settings import Promoter
from api.storage.db import UNAVAILABLE, Database
from api.storage.tables.models import ChampionRow, RunRow

CHAMPION_CHANGED = (
    "Another version was promoted while this one was made ({version}), and they were not compared."
)
WAITS_FOR_A_PERSON = "It passed all checks, and waits for a person to promote it."
# A database outage of up to this long does not lose the result of a training.
REGISTER_TIMEOUT_SECONDS = 300.0
REGISTER_RETRY_SECONDS = 3.0
log = logging.getLogger(__name__)


class Judged(NamedTuple):
    candidate: Candidate
    verdict: Verdict

    def with_figures(self, **further: Any) -> "Judged":
        figures = {**self.verdict.figures, **further}
        return self._replace(verdict=replace(self.verdict, figures=figures))


@retry(
    retry=retry_if_exception_type(UNAVAILABLE),
    stop=stop_after_delay(REGISTER_TIMEOUT_SECONDS),
    wait=wait_fixed(REGISTER_RETRY_SECONDS),
    before_sleep=before_sleep_log(log, logging.WARNING),
    reraise=True,
)
def register_candidates(
    database: Database,
    run_id: str,
    judged: Sequence[Judged],
    *,
    promoter: Promoter,
) -> None:
    """In one transaction: register the versions, promote the last if it passed, and end the run.

    With the `promoter` "person", a version that passed is registered as a challenger.

    Raises RunAbortedError, and registers nothing, if another process ended the run.
    """
    *rejected, (candidate, verdict) = judged
    manifest = candidate.manifest
    with database.session() as session:
        run = session.get_one(RunRow, run_id, with_for_update=True, populate_existing=True)
        if run.state != "running":
            if not repository.model_of(session, run_id):
                raise RunAbortedError(run_id)
            # An earlier try was committed, and only the answer was lost.
            log.info("Run %s: %s", run_id, run.message)
            return
        # Locked, so that no other version is promoted between this check and the promotion.
        champion = session.get_one(ChampionRow, 1, with_for_update=True, populate_existing=True)
        if verdict.promote and champion.version != manifest.parent:
            reason = CHAMPION_CHANGED.format(version=champion.version)
            verdict = Verdict(False, [reason, *verdict.reasons], verdict.figures)
        passed = verdict.promote
        if passed and promoter == "person":
            verdict = Verdict(False, [WAITS_FOR_A_PERSON, *verdict.reasons], verdict.figures)
        for each, its_verdict in (*rejected, (candidate, verdict)):
            models.add_model(
                session,
                each.manifest,
                origin=cast("service.Mode", run.mode),
                started_by=run.started_by,
                run_id=run_id,
                verdict={**asdict(its_verdict), "passed": passed and each is candidate},
            )
        if verdict.promote:
            models.promote(session, manifest.version, "gate")
        service.succeed(run, models.get_model(session, manifest.version))
    log.info("Run %s: %s", run_id, run.message)
