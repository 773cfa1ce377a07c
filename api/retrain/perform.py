"""The process of one run: `python -m api.retrain.perform <run> <pid of the worker>`.

It makes a candidate, has it judged, and enters it, promotes it and ends the run in one transaction:
until then nothing is listed, and a process that is killed leaves only files that nobody knows.
"""

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from api.blobs import Blobs
from api.dataset.appearance import Appearance
from api.dataset.tables import ImageRow
from api.db import Database
from api.errors import ProblemError
from api.registry import repository as registry
from api.registry import store
from api.registry.gate import Verdict, judge
from api.registry.package import BadPackageError
from api.registry.service import prune
from api.retrain import repository, service
from api.retrain.candidate import Candidate, Order
from api.retrain.errors import NoChampionError, RunGivenUpError
from api.retrain.material import CatalogPhoto
from api.retrain.orphan import end_with
from api.retrain.reporting import Reporter
from api.retrain.tables import RunRow
from api.retrain.watch import work_folder
from api.settings import PROJECT, Settings, get_settings

IMPORTED = PROJECT / "data" / "photographs"
OTHER_CHAMPION = (
    "Another version was promoted while it was made ({version}), which it was not compared with."
)
UNKNOWN = "The run failed: {error}. The worker's log says where."
NO_MEMORY = "Memory ran out. Close other programs, or choose a smaller architecture."
# Where a stage of either mode takes the progress, from 0 to 100.
SPANS = {
    "fast": {
        "Looking at new photographs": (2.0, 50.0),
        "Learning": (50.0, 75.0),
        "Comparing with the champion": (75.0, 95.0),
        "Entering the candidate": (95.0, 99.0),
    },
    "full": {
        "Reading photographs": (0.0, 2.0),
        "Fetching photographs": (2.0, 3.0),
        "Looking at new photographs": (3.0, 4.0),
        "Embedding": (4.0, 8.0),
        "Fine-tuning": (8.0, 88.0),
        "Embedding what was learned from": (88.0, 90.0),
        "Embedding for the replay": (90.0, 93.0),
        "Embedding held-out files": (93.0, 95.0),
        "Comparing with the champion": (95.0, 98.0),
        "Entering the candidate": (98.0, 99.0),
    },
}
log = logging.getLogger("api.retrain.perform")


@dataclass(frozen=True)
class Run:
    """What the table says of the run, and of what it starts from."""

    id: str
    mode: service.Mode
    options: dict[str, Any]
    started_by: str
    champion: str
    photos: tuple[CatalogPhoto, ...]


def main(run_id: str, worker: int) -> int:
    end_with(worker)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
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
        run = _read(database, run_id)
        reporter = Reporter(database, run_id, SPANS[run.mode])
        order = Order.of(
            store.fetch_package(blobs, run.champion, settings.model_cache),
            photos=run.photos,
            options=run.options,
            started_by=run.started_by,
            read=blobs.get,
            folder=_empty(work_folder(settings.state_dir, run_id)),
            imported=imported,
            progress=reporter,
            on_epoch=reporter.epoch,
        )
        candidate = _maker(run.mode)(order)
        verdict = judge(candidate.comparison)
        reporter("Entering the candidate", 0, 1)
        _enter(database, blobs, run, candidate, verdict)
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


def _maker(mode: str) -> Callable[[Order], Candidate]:
    # Imported here: each is heavy, and one of them imports TensorFlow.
    if mode == "full":
        from api.retrain import full  # noqa: PLC0415

        return full.make
    from api.retrain import fast  # noqa: PLC0415

    return fast.make


def _read(database: Database, run_id: str) -> Run:
    with database.reading() as session:
        row = service.get(session, run_id)
        champion = registry.champion(session)
        if champion is None:
            raise NoChampionError()
        photos = tuple(_photo(image) for image in repository.images(session))
        mode: service.Mode = "full" if row.mode == "full" else "fast"
        return Run(run_id, mode, row.options, row.started_by, champion, photos)


def _photo(image: ImageRow) -> CatalogPhoto:
    return CatalogPhoto(
        sha256=image.sha256,
        class_name=image.class_name,
        photograph=image.photograph,
        split=image.split,  # type: ignore[arg-type]  # One of the three, by who writes it.
        origin=image.origin,
        signature=np.frombuffer(bytes.fromhex(image.signature), np.uint8),
        blob=image.blob,
        width=image.width,
        height=image.height,
        appearance=Appearance(image.brightness, image.saturation, image.hue),
    )


def _enter(
    database: Database, blobs: Blobs, run: Run, candidate: Candidate, verdict: Verdict
) -> None:
    """Store the package; then enter it, promote it where it may be, and end the run, at once."""
    manifest = store.store_package(blobs, candidate.folder)
    with database.session() as session:
        row = session.get_one(RunRow, run.id, with_for_update=True, populate_existing=True)
        if row.state != "running":
            raise RunGivenUpError(run.id)
        serving = registry.champion(session)
        if verdict.promote and serving != run.champion:
            reason = OTHER_CHAMPION.format(version=serving)
            verdict = Verdict(False, (reason, *verdict.reasons), verdict.figures)
        registry.add_model(
            session,
            manifest,
            parent=run.champion,
            origin=run.mode,
            started_by=run.started_by,
            run_id=run.id,
            verdict=verdict.as_dict(),
        )
        if verdict.promote:
            registry.promote(session, manifest.version, "gate")
        service.succeed(row, registry.model(session, manifest.version))
        log.info("Run %s: %s", run.id, row.message)


def _fail(database: Database, run_id: str, message: str) -> None:
    with database.session() as session:
        row = session.get_one(RunRow, run_id, with_for_update=True)
        if row.state == "running":
            service.end(row, "failed", message)
            log.info("Run %s failed: %s", run_id, message)


def _track(candidate: Candidate, state: Path) -> None:
    """Log the run to MLflow, now that nobody waits for it."""
    from api.training.tracking import record  # noqa: PLC0415

    log.info("%s", record(candidate.folder, candidate.manifest, state))


def _empty(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
