"""A full disk or a locked catalog gives a clear error, nothing is half done, and the service
recovers."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.processes import running_api
from tests.registry.versions import a_shipped_package, register_package
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import ANSWER_SECONDS, until

pytestmark = pytest.mark.slow
MEBIBYTES = 64


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A separate file system, small enough to fill."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEBIBYTES}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Fill the disk to the last byte."""
    filler = disk / "filler"
    try:
        with filler.open("wb", buffering=0) as stream:
            for size in (2**20, 4096, 1):
                with pytest.raises(OSError, match="No space"):  # noqa: PT012
                    while True:
                        stream.write(b"x" * size)
        yield
    finally:
        filler.unlink(missing_ok=True)


@contextmanager
def running(state: Path, **settings: str) -> Iterator[httpx.Client]:
    temporary = state / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    environment = {
        "RIPELINE_STATE_DIR": str(state),
        "DATABASE_URL": "",
        "STORAGE_URL": "",
        "TMPDIR": str(temporary),
        **settings,
    }
    with (
        running_api(environment) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=ANSWER_SECONDS) as client,
    ):
        yield client


def jpeg(seed: int = 0) -> bytes:
    return encode(draw_fruit("freshapples", seed), "JPEG")


def predict(client: httpx.Client, seed: int = 0) -> str:
    answer = client.post("/predict", files={"file": jpeg(seed)}).raise_for_status()
    prediction_id: str = answer.json()["prediction_id"]
    return prediction_id


def upload(client: httpx.Client, data: bytes) -> httpx.Response:
    form = {"class_name": "freshapples"}
    return client.post("/upload-training-data", files={"files": ("a.jpg", data)}, data=form)


def is_recorded(client: httpx.Client, prediction_id: str) -> bool:
    return client.get(f"/predictions/{prediction_id}").is_success


def hidden_files(state: Path) -> list[Path]:
    return [path for path in (state / "blobs").rglob(".*") if path.is_file()]


def test_full_disk(disk: Path, tmp_path: Path) -> None:
    state = disk / "state"
    with running(state) as client:
        settings = Settings(state_dir=state, database_url="", storage_url="")
        database = Database(settings.database)
        package = a_shipped_package(tmp_path, "b")
        register_package(database, Blobs(settings.storage), package, "manual")
        database.close()
        recorded = predict(client, 1)
        until(lambda: is_recorded(client, recorded))
        blobs = set(Blobs(settings.storage).keys("photographs"))
        # Otherwise this copy would fail on the full disk and free the space it had taken.
        until(lambda: list((state / "cache" / "models").glob("[!.]*/manifest.json")))
        with filled(disk):
            large = [("files", (f"{n}.bin", os.urandom(200_000))) for n in range(3)]
            answers = {
                "upload": upload(client, jpeg(2)),
                "form on disk": upload(client, os.urandom(300_000)),
                "large photo": client.post("/predict", files={"file": os.urandom(2_000_000)}),
                "batch": client.post("/predict/batch", files=large),
                "correction": client.post(
                    f"/predictions/{recorded}/feedback", json={"label": "pears"}
                ),
                "thresholds": client.put(
                    "/freshness-thresholds", json={"rotten_below": 0.3, "fresh_from": 0.7}
                ),
                "retrain": client.post("/retrain"),
                "promote": client.post("/models/b/promote"),
                "trigger": client.put("/triggers/drift", json={"enabled": False}),
            }
            waiting = predict(client, 3)
            until(lambda: client.get("/status").json()["recording_problem"])
            status = client.get("/status").json()
            late = client.post(f"/predictions/{waiting}/feedback", json={"label": "pears"})
            assert client.get("/dataset/images").json()["total"] == 0
            assert client.get("/ready").status_code == 200
        found = {name: (one.status_code, _code(one)) for name, one in answers.items()}
        assert found == dict.fromkeys(answers, (507, "disk-full"))
        assert "no disk space left" in status["recording_problem"]
        assert (late.status_code, _code(late)) == (503, "not-recorded-yet")
        assert int(late.headers["retry-after"]) > 0
        assert hidden_files(state) == []
        assert set(Blobs(settings.storage).keys("photographs")) == blobs

        # Once there is space again, everything continues without a restart.
        until(lambda: is_recorded(client, waiting))
        assert upload(client, jpeg(2)).json()["uploaded_count"] == 1
        done = client.post(f"/predictions/{waiting}/feedback", json={"label": "pears"})
        assert done.is_success
        assert client.get("/status").json()["recording_problem"] is None


def _code(response: httpx.Response) -> Any:
    return response.json().get("code")


def test_locked_catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "state"
    with running(state) as client:
        recorded = predict(client, 1)
        until(lambda: is_recorded(client, recorded))
        database = Database(f"sqlite:///{state / 'catalog.db'}")
        with database.session() as session:
            session.execute(text("UPDATE champion SET changed_at = changed_at"))
            answer = client.post(f"/predictions/{recorded}/feedback", json={"label": "pears"})
            waiting = predict(client, 3)
            late = client.post(f"/predictions/{waiting}/feedback", json={"label": "pears"})
        database.close()
        assert (answer.status_code, _code(answer)) == (503, "catalog-unavailable")
        assert (late.status_code, _code(late)) == (503, "not-recorded-yet")
        assert "retry-after" in answer.headers
        until(lambda: is_recorded(client, waiting))


def test_stale_temporaries_are_swept_at_start(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "blobs" / "photographs" / "ab"
    folder.mkdir(parents=True)
    old, young = (folder / f".ab.jpg.{letter * 32}" for letter in "ab")
    for path in (old, young):
        path.write_bytes(b"half a photo")
    os.utime(old, (0, 0))
    with running(tmp_path / "state", RIPELINE_LOG_LEVEL="info"):
        until(lambda: not old.exists())
    assert young.exists()
