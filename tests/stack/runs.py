"""Uploads and retraining runs through nginx."""

from typing import Any

import httpx

from tests.ood_images import draw_distinct_ood
from tests.synthetic_images import encode
from tests.waiting import until

ENDED = ("succeeded", "failed", "cancelled", "interrupted")


def upload(client: httpx.Client, class_name: str, first: int, count: int) -> int:
    """Upload drawn images of one of OOD_KINDS, and return how many were stored."""
    kind = class_name.partition("-")[0]
    files = [
        ("files", (f"{class_name}-{n}.jpg", encode(draw_distinct_ood(kind, n), "JPEG")))
        for n in range(first, first + count)
    ]
    answer = client.post("/upload-training-data", files=files, data={"class_name": class_name})
    assert answer.status_code == 200, answer.text
    stored: int = answer.json()["uploaded_count"]
    return stored


def start_run(client: httpx.Client) -> str:
    answer = client.post("/retrain", json={"mode": "fast", "force": True})
    assert answer.status_code == 202, answer.text
    run_id: str = answer.json()["run_id"]
    return run_id


def wait_for_run(client: httpx.Client, run_id: str) -> dict[str, Any]:
    """Wait until the run has ended, and return it."""

    def look() -> dict[str, Any] | None:
        run: dict[str, Any] = client.get(f"/runs/{run_id}").raise_for_status().json()
        return run if run["state"] in ENDED else None

    return until(look)
