"""Load on a running API: `locust --host http://127.0.0.1:8000 --headless -u 10 -r 10 -t 30s`.

Runs users of every kind; name some to run only those: `locust … Predict Health`. With
RIPELINE_FLOOD=1 their number rises in steps to far more than one machine can serve, and falls
again. Some responses are then 503 with a Retry-After, by design; these are listed separately and
not as failures.
"""

import io
import os
import random
from itertools import count
from typing import Any

from locust import FastHttpUser, LoadTestShape, between, task
from locust.contrib.fasthttp import ResponseContextManager
from PIL import Image, ImageDraw

FLOOD = bool(os.environ.get("RIPELINE_FLOOD"))
# The same setting as the app's; needed if the service has keys.
KEY = os.environ.get("RIPELINE_API_KEY", "")


def drawn_photograph(seed: int = 0) -> bytes:
    """A disc on white, as a JPEG as large as the photographs of the public set."""
    chance = random.Random(seed)  # noqa: S311
    image = Image.new("RGB", (224, 224), "white")
    x, y, r = chance.randint(90, 130), chance.randint(90, 130), chance.randint(40, 80)
    colour = (chance.randint(180, 255), chance.randint(60, 160), chance.randint(20, 60))
    ImageDraw.Draw(image).ellipse((x - r, y - r, x + r, y + r), fill=colour)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def drawn_tray() -> bytes:
    """Five discs on a table, as a JPEG of 640 x 480."""
    image = Image.new("RGB", (640, 480), (150, 130, 110))
    draw = ImageDraw.Draw(image)
    for k, (x, y) in enumerate(((130, 130), (330, 110), (520, 150), (220, 340), (430, 350))):
        draw.ellipse((x - 80, y - 80, x + 80, y + 80), fill=(200 + 10 * k, 120 + 10 * k, 40))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=90)
    return stream.getvalue()


class Person(FastHttpUser):
    """Someone who looks at each response before the next request. A hundred of them keep about one
    core busy.
    """

    abstract = True
    wait_time = between(0.3, 0.9)
    default_headers = {"Authorization": f"Bearer {KEY}"} if KEY else None
    photograph = drawn_photograph()


class Predict(Person):
    """Sends one photograph after another."""

    weight = 20

    @task
    def predict(self) -> None:
        files = {"file": ("orange.jpg", self.photograph, "image/jpeg")}
        with self.client.post("/predict", files=files, catch_response=True) as answer:
            refused_is_no_failure(answer)


class Batch(Person):
    """Sends ten photographs at once."""

    weight = 1

    @task
    def batch(self) -> None:
        # The declared type is a dict, which could hold only one file per field.
        files: Any = [("files", (f"{n}.jpg", self.photograph, "image/jpeg")) for n in range(10)]
        with self.client.post("/predict/batch", files=files, catch_response=True) as answer:
            refused_is_no_failure(answer)


class Instances(Person):
    """Sends photographs of several fruits to have each one graded."""

    weight = 1
    photograph = drawn_tray()

    @task
    def predict_instances(self) -> None:
        url, files = "/predict?instances=true", {"file": ("tray.jpg", self.photograph)}
        with self.client.post(url, files=files, catch_response=True) as answer:
            refused_is_no_failure(answer)


class Health(Person):
    weight = 1

    @task
    def health(self) -> None:
        self.client.get("/health")


class ModelInfo(Person):
    weight = 1

    @task
    def model_info(self) -> None:
        self.client.get("/model-info")


class Upload(Person):
    """Now and then sends a new training photograph."""

    weight = 1
    wait_time = between(1, 3)
    seeds = count(random.randrange(10**9))  # noqa: S311

    @task
    def upload(self) -> None:
        photograph = drawn_photograph(next(self.seeds))
        files = {"files": ("orange.jpg", photograph, "image/jpeg")}
        self.client.post("/upload-training-data", files=files, data={"class_name": "flood"})


class Flood(LoadTestShape):
    """The number of users over time: a rise in steps, a peak, and back to the start."""

    abstract = not FLOOD
    seconds = int(os.environ.get("RIPELINE_FLOOD_SECONDS", "60"))
    # Share of the time elapsed, and the number of users until then.
    steps = ((0.2, 10), (0.4, 100), (0.6, 400), (0.8, 800), (1.0, 10))

    def tick(self) -> tuple[int, float] | None:
        part = self.get_run_time() / self.seconds  # type: ignore[no-untyped-call]
        return next(((users, 200) for until, users in self.steps if part < until), None)


def refused_is_no_failure(answer: ResponseContextManager) -> None:
    """During a flood, a prompt 503 that says when to retry is the desired response. It is counted
    under its own name."""
    if FLOOD and answer.status_code == 503 and "Retry-After" in (answer.headers or {}):
        answer.request_meta["name"] += " (503)"
        answer.success()  # type: ignore[no-untyped-call]
