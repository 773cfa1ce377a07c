"""The process of one run: `python -m api.retraining.run_process <run id> <pid> <request id>`.

The pid is the worker's; the id is that of the request that started the run, or empty. The process
has the lowest CPU priority, and exits when its worker is gone. If it is killed before it registers
its candidate, it leaves only unreferenced files.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

from sqlalchemy.exc import SQLAlchemyError
from tenacity import (
    before_sleep_log,
    retry,
    retry_if_exception_type,
    stop_after_delay,
    wait_fixed,
)

from api.catalog import boxed_repository
from api.core.errors import ProblemError
from api.core.imaging.decode import MAX_PIXELS
from api.core.log_setup import configure_logging
from api.model.package import BadPackageError, load_package
from api.registry import repository as registry
from api.registry import store
from api.registry.detector_rules import detector_verdict
from api.registry.promotion_gate import Verdict, judge
from api.registry.service import prune
from api.retraining import repository, service
from api.retraining.boxed_fruits import CatalogPhoto, file_sha256, load_boxed_fruits
from api.retraining.job import Candidate, RetrainJob
from api.retraining.omissions import Omissions
from api.retraining.plan import detector_share
from api.retraining.progress import ProgressReporter, RunAbortedError, Stage, stage_ranges
from api.retraining.staleness import grade_kept_versions
from api.retraining.supervisor import work_folder
from api.settings import PROJECT, Promoter, Settings, get_settings
from api.storage.blobs import Blobs
from api.storage.db import UNAVAILABLE, Database
from api.storage.failures import StoreError
from api.storage.tables import ChampionRow, RunRow

IMPORTED_PHOTOGRAPHS = PROJECT / "data" / "photographs"
CHAMPION_CHANGED = (
    "Another version was promoted while it was made ({version}), which it was not compared with."
)
WAITS_FOR_A_PERSON = "It passed all checks, and waits for a person to promote it."
# A database outage of up to this long does not lose the result of a training.
REGISTER_TIMEOUT_SECONDS = 300.0
REGISTER_RETRY_SECONDS = 3.0
# The lowest priority.
NICE = 19
AUTOGROUP = Path("/proc/self/autogroup")
PARENT_POLL_SECONDS = 0.5
# Exit status of a process whose worker is gone.
ORPHANED = 1
# Not __name__, which is "__main__" here.
log = logging.getLogger("api.retraining.run_process")


def main(run_id: str, worker_pid: int, request_id: str = "") -> int:
    settings = get_settings()
    configure_logging(settings.log_level, settings.log_format, run_id=run_id, request_id=request_id)
    lower_priority()
    exit_with_parent(worker_pid)
    database = Database(settings.database)
    try:
        execute_run(settings, database, Blobs(settings.storage), run_id)
    except RunAbortedError as error:
        log.warning("%s", error)
    finally:
        database.close()
    return 0


def execute_run(settings: Settings, database: Database, blobs: Blobs, run_id: str) -> None:
    """Execute a claimed run and end it in the catalog.

    Every failure ends the run as failed. Raises RunAbortedError if another process ended it.
    """
    try:
        with database.reading() as session:
            run = service.get(session, run_id)
            champion = registry.champion(session)
            if champion is None:
                raise service.NoChampionError()
            known = registry.get_model(session, champion).manifest["classes"]
            photos: list[CatalogPhoto] = [
                *repository.images(session),
                *load_boxed_fruits(session, known),
            ]
            # A fast run trains no detector.
            boxed = [] if run.mode == "fast" else list(boxed_repository.all_photos(session))
        package = store.fetch_package(blobs, champion, settings.model_cache)
        share = 0.0
        if run.mode == "full":
            share = detector_share(package.manifest, boxed, run.options.get("detector", "auto"))
        reporter = ProgressReporter(database, run_id, stage_ranges(run.mode, share))
        folder = work_folder(settings.state_dir, run_id)
        folder.mkdir(parents=True)
        job = RetrainJob(
            package,
            photos=photos,
            boxed_photos=boxed,
            options=run.options,
            started_by=run.started_by,
            read=blobs.get,
            folder=folder,
            imported=IMPORTED_PHOTOGRAPHS,
            # The other modes read the files again, with the default limit.
            max_pixels=(
                settings.max_pixels if run.mode == "fast" else min(settings.max_pixels, MAX_PIXELS)
            ),
            engine=settings.engine,
            progress=reporter,
            on_epoch=reporter.epoch,
        )
        try:
            candidate = _trainer(run.mode)(job)
        finally:
            _mark_unreadable(database, job)
        judged = [(candidate, _judge(candidate, job.omissions))]
        if candidate.fallback and not judged[0][1].promote:
            fallback = _after(candidate.fallback, *judged[0])
            judged.append((fallback, _judge(fallback, job.omissions)))
        newest, verdict = judged[-1]
        try:
            kept = grade_kept_versions(
                database, blobs, settings.model_cache, job, load_package(newest.folder)
            )
        except RunAbortedError:
            raise
        except Exception:  # Whatever it is, what was learned is not lost by it.
            log.exception("The kept versions are not graded again")
            kept = []
        judged[-1] = (newest, _with_figures(verdict, kept_versions=kept))
        reporter(Stage.REGISTERING, 0, 1)
        for each, _ in judged:
            store.store_package(blobs, each.folder)
        # A trigger may start runs whose version waits for a person.
        promoter = "person" if run.options.get("promote") == "person" else settings.promote
        register_candidates(database, run_id, judged, promoter=promoter)
    except RunAbortedError:
        raise
    except Exception as error:  # The run's row must show any failure.
        service.end_running(database, run_id, "failed", _failure_message(error))
    else:
        prune(database, blobs)
        for each, _ in judged:
            _track(each, settings.state_dir)


def _judge(candidate: Candidate, omissions: Omissions) -> Verdict:
    verdict = (
        judge(candidate.comparison)
        if candidate.comparison
        else detector_verdict(candidate.detector["objections"])
    )
    return _with_figures(verdict, **omissions.figures, detector=dict(candidate.detector))


def _with_figures(verdict: Verdict, **further: Any) -> Verdict:
    return replace(verdict, figures={**verdict.figures, **further})


def _after(fallback: Candidate, rejected: Candidate, verdict: Verdict) -> Candidate:
    """The `fallback`, which says why it is not the one that was rejected."""
    message = (
        f"{fallback.detector['message']} It grades as the version before: the grader that was "
        f"trained with it is not as good, and is kept in version {rejected.manifest.version}. "
        f"{' '.join(verdict.reasons)}"
    )
    return replace(fallback, detector={**fallback.detector, "message": message})


def _mark_unreadable(database: Database, job: RetrainJob) -> None:
    """Tell the next estimate which photos cannot be read. If that fails, the run goes on."""
    reasons = {file_sha256(photo): reason for photo, reason in job.omissions.photos.values()}
    try:
        with database.session() as session:
            repository.mark_unreadable(session, reasons, job.were_read)
    except SQLAlchemyError as error:
        log.warning("The photos that cannot be read are not recorded: %s", error)


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
    judged: Sequence[tuple[Candidate, Verdict]],
    *,
    promoter: Promoter = "gate",
) -> None:
    """In one transaction: register the versions, promote the last if it passed, and end the run.

    With the `promoter` "person", a version that passed is registered as challenger.

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
            registry.add_model(
                session,
                each.manifest,
                origin=cast("service.Mode", run.mode),
                started_by=run.started_by,
                run_id=run_id,
                verdict={**asdict(its_verdict), "passed": passed and each is candidate},
            )
        if verdict.promote:
            registry.promote(session, manifest.version, "gate")
        service.succeed(run, registry.get_model(session, manifest.version))
    log.info("Run %s: %s", run_id, run.message)


def _failure_message(error: Exception) -> str:
    match error:
        case ProblemError() | BadPackageError():
            return str(error)
        case StoreError():
            log.error("The run failed.", exc_info=error)
            return (
                "The store of photos and models could not be reached, or not be read or written: "
                f"{error.strerror}. Look at STORAGE_URL, its keys and its disk, then start the run "
                "again. The worker's log says more."
            )
        case ModuleNotFoundError():
            return (
                f"The worker lacks the package {error.name}, which training needs: "
                "pip install -r requirements/worker.txt"
            )
        case MemoryError():
            return "Memory ran out. Close other programs, or choose a smaller architecture."
    log.error("The run failed.", exc_info=error)
    return f"The run failed: {type(error).__name__}: {error}. The worker's log says where."


def _trainer(mode: str) -> Callable[[RetrainJob], Candidate]:
    # Imported here: each is heavy, and all but `fast` import TensorFlow.
    if mode == "full":
        from api.retraining import full  # noqa: PLC0415

        return full.make_candidate
    if mode == "detector":
        from api.retraining import detector_run  # noqa: PLC0415

        return detector_run.make_candidate
    from api.retraining import fast  # noqa: PLC0415

    return fast.make_candidate


def _track(candidate: Candidate, state: Path) -> None:
    """Log the run to MLflow. Last, because the tracking server may be slow."""
    from api.evaluation.tracking import record  # noqa: PLC0415

    log.info("%s", record(candidate.folder, candidate.manifest, state))


def lower_priority(autogroup: Path = AUTOGROUP) -> None:
    """Lower the CPU priority of this process and its session. Call it before starting threads.

    With autogrouping, Linux first divides the CPU among sessions, and niceness only counts within
    one; so the session's group needs its own. In a container both count within it alone.
    """
    os.nice(NICE)
    try:
        autogroup.write_text(f"{NICE}")
    except OSError as error:  # Not Linux, or a kernel without autogroups.
        log.info("No niceness for the session: %s", error)


def exit_with_parent(parent_pid: int) -> None:
    """Exit this process soon after `parent_pid`, its parent, is gone.

    Polls, which works on every Unix: an orphan gets another parent.
    """

    def watch() -> None:
        timer = threading.Event()
        while os.getppid() == parent_pid:
            timer.wait(PARENT_POLL_SECONDS)
        os._exit(ORPHANED)

    threading.Thread(target=watch, name="parent", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
