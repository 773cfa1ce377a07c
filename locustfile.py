"""Load on a running API: `locust --host http://127.0.0.1:8000 --headless -u 10 -r 10 -t 30s`.

Each user grades a drawn picture over and over, and looks at the health now and then.
"""

import io

from locust import HttpUser, between, task
from PIL import Image, ImageDraw


def drawn_photograph() -> bytes:
    """An orange disc on white, as a JPEG of about the size of a small photograph."""
    image = Image.new("RGB", (480, 360), "white")
    ImageDraw.Draw(image).ellipse((120, 60, 360, 300), fill=(240, 140, 30))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=90)
    return stream.getvalue()


class Grader(HttpUser):
    """Someone who sends one photograph after another."""

    wait_time = between(0, 0.1)
    photograph = drawn_photograph()

    @task(20)
    def predict(self) -> None:
        self.client.post("/predict", files={"file": ("orange.jpg", self.photograph)})

    @task(1)
    def health(self) -> None:
        self.client.get("/health")

    @task(1)
    def model_info(self) -> None:
        self.client.get("/model-info")
