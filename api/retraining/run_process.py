"""The process of one run: `python -m api.retraining.run_process <run id> <pid> <request id>`.

The pid is the worker's; the request ID is that of the run's request, or empty. The process
has the lowest CPU priority, and exits when its worker is gone. If it is killed before it registers
its candidate, it leaves only unreferenced files.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from api.catalog import boxed_repository
from api.core.errors import ProblemError
from api.core.imaging.decode import MAX_PIXELS
from api.core.log_setup import configure_logging
from api.model.package import BadPackageError, load_package
from api.registry import repository as models
from api.registry import store
from api.registry.detector_rules import detector_verdict
from api.registry.promotion_gate import judge
from api.registry.service import prune
from api.retraining import repository, service
from api.retraining.boxed_fruits import CatalogPhoto, file_sha256, load_boxed_fruits
from api.retraining.job import Candidate, RetrainJob
from api.retraining.omissions import Omissions
from api.retraining.plan import detector_share
from api.retraining.progress import ProgressReporter, RunAbortedError, Stage, stage_ranges
from api.retraining.registration import Judged, register_candidates
from api.retraining.staleness import grade_kept_versions
from api.retraining.supervisor import work_folder
from api.settings import PROJECT, Settings, get_settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.failures import ModelCacheError, StoreError, is_disk_full
from api.storage.tables.models import RunRow

IMPORTED_PHOTOGRAPHS = PROJECT / "data" / "photographs"
# The lowest priority.
NICE = 19
AUTOGROUP = Path("/proc/self/autogroup")
PARENT_POLL_SECONDS = 0.5
# Exit status of a process whose worker is gone.
ORPHANED = 1
NO_SPACE = (
    "There is no space left for what the run writes: on the worker's disk, or for the catalog or "
    "the store. Free some, then start the run again. The worker's log says more."
)
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
        job = _load_job(settings, database, blobs, run)
        *rejected, last = _train_and_judge(run.mode, job, database)
        kept = _grade_kept_versions(settings, database, blobs, job, last.candidate)
        judged = [*rejected, last.with_figures(kept_versions=kept)]
        job.progress(Stage.REGISTERING, 0, 1)
        for each in judged:
            store.store_new_package(blobs, each.candidate.folder)
        # A trigger may start runs whose version waits for a person.
        promoter = "person" if run.options.get("promote") == "person" else settings.promote
        register_candidates(database, run_id, judged, promoter=promoter)
    except RunAbortedError:
        raise
    except Exception as error:  # The run's row must show any failure.
        service.end_running(database, run_id, "failed", _failure_message(error))
    else:
        prune(database, blobs)
        for each in judged:
            _track(each.candidate, settings.state_dir)


def _load_job(settings: Settings, database: Database, blobs: Blobs, run: RunRow) -> RetrainJob:
    """The champion and all photos of the catalog. Raises NoChampionError."""
    with database.reading() as session:
        champion = models.champion_version(session)
        if champion is None:
            raise service.NoChampionError()
        known = models.get_model(session, champion).manifest["classes"]
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
    reporter = ProgressReporter(database, run.id, stage_ranges(run.mode, share))
    folder = work_folder(settings.state_dir, run.id)
    folder.mkdir(parents=True)
    return RetrainJob(
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


def _train_and_judge(mode: str, job: RetrainJob, database: Database) -> list[Judged]:
    """The candidate with the gate's verdict; if it is rejected, its fallback follows."""
    try:
        candidate = _trainer(mode)(job)
    finally:
        _mark_unreadable(database, job)
    first = _judge(candidate, job.omissions)
    if first.verdict.promote or not candidate.fallback:
        return [first]
    return [first, _judge(_explained(candidate.fallback, first), job.omissions)]


def _grade_kept_versions(
    settings: Settings, database: Database, blobs: Blobs, job: RetrainJob, newest: Candidate
) -> list[Any]:
    try:
        package = load_package(newest.folder)
        return grade_kept_versions(database, blobs, settings.model_cache, job, package)
    except RunAbortedError:
        raise
    except Exception:  # Whatever goes wrong, the new version must not be lost.
        log.exception("The kept versions are not graded again")
        return []


def _judge(candidate: Candidate, omissions: Omissions) -> Judged:
    verdict = (
        judge(candidate.comparison)
        if candidate.comparison
        else detector_verdict(candidate.detector["objections"])
    )
    judged = Judged(candidate, verdict)
    return judged.with_figures(**omissions.figures, detector=dict(candidate.detector))


def _explained(fallback: Candidate, rejected: Judged) -> Candidate:
    """The `fallback`, with a message that says why it replaces the rejected candidate."""
    message = (
        f"{fallback.detector['message']} It grades as the version before: the grader that was "
        "trained with it is not as good, and is kept in version "
        f"{rejected.candidate.manifest.version}. {' '.join(rejected.verdict.reasons)}"
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


def _failure_message(error: Exception) -> str:
    match error:
        case ProblemError() | BadPackageError():
            return str(error)
        case ModelCacheError() | StoreError():
            log.error("The run failed.", exc_info=error)
            return _storage_message(error)
        case ModuleNotFoundError():
            return (
                f"The worker lacks the package {error.name}, which training needs: "
                "pip install -r requirements/worker.txt"
            )
        case MemoryError():
            return "Memory ran out. Close other programs, or choose a smaller architecture."
    log.error("The run failed.", exc_info=error)
    if is_disk_full(error):
        return NO_SPACE
    return f"The run failed: {type(error).__name__}: {error}. The worker's log says where."


def _storage_message(error: ModelCacheError | StoreError) -> str:
    if is_disk_full(error):
        return NO_SPACE
    if isinstance(error, ModelCacheError):
        return f"{error}. Look at the disk of RIPELINE_STATE_DIR, then start the run again."
    return (
        "The store of photos and models could not be reached, read or written: "
        f"{error.strerror}. Look at STORAGE_URL, its keys and its disk, then start the run "
        "again. The worker's log says more."
    )


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
    one; so the session's group needs its own. In a container both count only within it.
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
