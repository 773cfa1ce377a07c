"""The process of one run: `python -m api.retraining.run_process <run> <pid of the worker>`.

It makes a candidate, has it judged, and enters it, promotes it and ends the run in one transaction:
until then nothing is listed, and a process that is killed leaves only files that nobody knows. It
gives way to serving, and ends with the worker that started it, however that ends.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from api.core.errors import ProblemError
from api.model.package import BadPackageError
from api.registry import store
from api.registry.promotion_gate import judge
from api.registry.service import prune
from api.retraining import service
from api.retraining.candidate import Candidate, RetrainJob
from api.retraining.errors import RunGivenUpError
from api.retraining.load_job import load_job
from api.retraining.progress_reporter import SPANS, ProgressReporter
from api.retraining.registration import register_candidate
from api.retraining.supervisor import work_folder
from api.settings import PROJECT, Settings, get_settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables import RunRow

IMPORTED = PROJECT / "data" / "photographs"
UNKNOWN = "The run failed: {error}. The worker's log says where."
NO_MEMORY = "Memory ran out. Close other programs, or choose a smaller architecture."
# The least share of the processor that there is.
NICE = 19
AUTOGROUP = Path("/proc/self/autogroup")
POLL_SECONDS = 0.5
# What the process ends with when its worker has ended. Nobody reads it.
ORPHANED = 1
# Not by its name: it runs as a program.
log = logging.getLogger("api.retraining.run_process")


def main(run_id: str, worker: int) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    give_way()
    end_with(worker)
    settings = get_settings()
    database = Database(settings.database)
    try:
        perform(settings, database, Blobs(settings.storage), run_id)
    except RunGivenUpError as error:
        log.warning("%s", error)
    finally:
        database.close()
    return 0


def perform(
    settings: Settings,
    database: Database,
    blobs: Blobs,
    run_id: str,
    imported: Path = IMPORTED,
) -> None:
    """Perform a run that this worker has claimed, to its end in the table."""
    try:
        task = load_job(database, run_id)
        reporter = ProgressReporter(database, run_id, SPANS[task.mode])
        order = RetrainJob.of(
            store.fetch_package(blobs, task.champion, settings.model_cache),
            photos=task.photos,
            options=task.options,
            started_by=task.started_by,
            read=blobs.get,
            folder=_empty(work_folder(settings.state_dir, run_id)),
            imported=imported,
            progress=reporter,
            on_epoch=reporter.epoch,
        )
        candidate = _maker(task.mode)(order)
        verdict = judge(candidate.comparison)
        reporter("Entering the candidate", 0, 1)
        register_candidate(database, blobs, task, candidate, verdict)
    except ProblemError as error:
        _fail(database, run_id, error.detail)
    except BadPackageError as error:
        _fail(database, run_id, str(error))
    except ModuleNotFoundError as error:
        _fail(
            database,
            run_id,
            f"The worker lacks the package {error.name}, which training needs: "
            "pip install -r requirements/worker.txt",
        )
    except MemoryError:
        _fail(database, run_id, NO_MEMORY)
    except RunGivenUpError:
        raise
    except Exception as error:  # The run is over either way, and its row must say so.
        log.exception("Run %s failed.", run_id)
        _fail(database, run_id, UNKNOWN.format(error=f"{type(error).__name__}: {error}"))
    else:
        prune(database, blobs)
        _track(candidate, settings.state_dir)


def _maker(mode: str) -> Callable[[RetrainJob], Candidate]:
    # Imported here: each is heavy, and one of them imports TensorFlow.
    if mode == "full":
        from api.retraining import full  # noqa: PLC0415

        return full.make
    from api.retraining import fast  # noqa: PLC0415

    return fast.make


def _fail(database: Database, run_id: str, message: str) -> None:
    with database.session() as session:
        row = session.get_one(RunRow, run_id, with_for_update=True)
        if row.state == "running":
            service.end(row, "failed", message)
            log.info("Run %s failed: %s", run_id, message)


def _track(candidate: Candidate, state: Path) -> None:
    """Log the run to MLflow, now that nobody waits for it."""
    from api.retraining.tracking import record  # noqa: PLC0415

    log.info("%s", record(candidate.folder, candidate.manifest, state))


def _empty(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def give_way(group: Path = AUTOGROUP) -> None:
    """For a process in a session of its own, before it starts threads.

    Linux may share the processor out among sessions before it does so within them; niceness then
    counts only against processes of the same session, and as much again has to be said of the
    session. In a container both count within it alone; its own share is said where it is started.
    """
    os.nice(NICE)
    try:
        group.write_text(f"{NICE}")
    except OSError as error:  # Other systems have no such groups.
        log.info("No niceness for the session: %s", error)


def end_with(parent: int) -> None:
    """End this process soon after `parent`, the process that started it, has ended.

    Polls the parent's id, which works on every Unix: an orphan gets another parent.
    """

    def watch() -> None:
        waiting = threading.Event()
        while os.getppid() == parent:
            waiting.wait(POLL_SECONDS)
        os._exit(ORPHANED)

    threading.Thread(target=watch, name="parent", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
