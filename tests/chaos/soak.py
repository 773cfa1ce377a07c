"""`make soak`: minutes of uploads, corrections and predictions, with one retraining per minute.

On SQLite. Fails if acknowledged data is lost, if any response is a 5xx, or if the API's memory
grows.
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import httpx
import psutil

from api.core.imaging.decode import decode
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.photos import ImageRow
from api.storage.tables.predictions import FeedbackRow
from tests.chaos.load import Load
from tests.processes import ApiAndWorker
from tests.synthetic_images import KINDS, draw_fruit, encode
from tests.waiting import ANSWER_SECONDS

SEED = 11
RETRAIN_SECONDS = 60
SAMPLE_SECONDS = 5
# The median of the last third divided by that of the second; the first third is for warming up.
MAX_GROWTH = 1.05


class SteadyLoad(Load):
    """People who upload, correct and predict at their own pace."""

    corrected: set[str]

    def __init__(self, url: str, seed: int) -> None:
        super().__init__(url, seed)
        self.corrected = set()
        self.jobs = (self.upload_slowly, self.correct, self.predict, self.predict)

    def upload_slowly(self, client: httpx.Client) -> None:
        self.upload(client)
        self.pause(1.0)

    def correct(self, client: httpx.Client) -> None:
        kind = self.choice(list(KINDS))
        image = encode(draw_fruit(kind, seed=self.number()), "JPEG")
        answer = client.post("/predict", files={"file": ("b.jpg", image)})
        self.note("predict", answer)
        if not answer.is_success:
            return
        prediction = answer.json()["prediction_id"]
        path = f"/predictions/{prediction}/feedback"
        answer = client.post(path, json={"label": kind})
        self.note("correct", answer)
        if answer.is_success:
            self.corrected.add(prediction)
        self.pause(1.0)


def soak(folder: Path, seconds: float) -> list[str]:
    """Run for `seconds` on a fresh state folder, and return what went wrong."""
    settings = Settings(state_dir=folder, database_url="", storage_url="")
    running = ApiAndWorker(folder, {"DATABASE_URL": ""})
    memory, runs = [], []
    try:
        running.start("api")
        # Grading the same images again and again is drift, which would trigger runs.
        httpx.put(
            f"{running.url}/triggers/drift", json={"enabled": False}, trust_env=False
        ).raise_for_status()
        running.start("worker")
        api = psutil.Process(running.pid("api"))
        load = SteadyLoad(running.url, SEED)
        end, next_run = time.monotonic() + seconds, 0.0
        with load.running(), httpx.Client(base_url=running.url, timeout=ANSWER_SECONDS) as client:
            while (now := time.monotonic()) < end:
                if now >= next_run:
                    next_run = now + RETRAIN_SECONDS
                    answer = client.post("/retrain", json={"mode": "fast", "force": True})
                    load.note("retrain", answer)
                memory.append(api.memory_info().rss / 1e6)
                load.pause(SAMPLE_SECONDS)
            runs = client.get("/runs").json()["runs"]
        lost = missing(settings, load)
    finally:
        running.stop()
    third = len(memory) // 3
    middle, last = median(memory[third : 2 * third]), median(memory[2 * third :])
    states = sorted(run["state"] for run in runs)
    print(f"Answers: {dict(sorted(load.answers.items()))}.")
    print(f"{len(load.acknowledged)} uploads and {len(load.corrected)} corrections acknowledged.")
    print(f"Runs: {', '.join(states)}.")
    print(f"The API has {middle:.0f} MB in the second third, {last:.0f} in the last.")
    problems = [*load.unexpected, *lost]
    problems += [f"{answers} x {key}" for key, answers in load.answers.items() if " 5" in key]
    problems += [f"run {run['id']}: {run['message']}" for run in runs if run["state"] == "failed"]
    if last > MAX_GROWTH * middle:
        problems.append(f"The API grew from {middle:.0f} to {last:.0f} MB.")
    return problems


def missing(settings: Settings, load: SteadyLoad) -> list[str]:
    """Acknowledged uploads that are missing from the catalog or the disk."""
    database, blobs = Database(settings.database), Blobs(settings.storage)
    try:
        with database.reading() as session:
            stored = {row.id: row.blob for row in session.query(ImageRow)}
            corrected = {row.prediction_id for row in session.query(FeedbackRow)}
    finally:
        database.close()
    lost = [f"upload {one} is lost" for one in load.acknowledged - stored.keys()]
    lost += [f"correction {one} is lost" for one in load.corrected - corrected]
    for image in load.acknowledged & stored.keys():
        decode(blobs.get(stored[image]))
    return lost


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    with tempfile.TemporaryDirectory() as folder:
        problems = soak(Path(folder), seconds)
    print("\n".join(problems) or "Nothing was lost, nothing failed, memory is flat.")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
