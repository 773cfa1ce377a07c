"""Clients that upload, retrain, promote, roll back and predict in loops."""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Lock, Thread

import httpx

from tests.synthetic_images import KINDS, draw_fruit, encode
from tests.waiting import ANSWER_SECONDS, until

Job = Callable[[httpx.Client], None]


class Load:
    """Clients in threads, and the uploads that the service acknowledged."""

    def __init__(self, url: str, seed: int) -> None:
        self._url = url
        self._random = random.Random(seed)  # noqa: S311
        self._stopping = Event()
        # Two clients upload; of the other kinds there is one each.
        self.jobs: tuple[Job, ...] = (
            self.upload,
            self.upload,
            self.retrain,
            self.change,
            self.predict,
        )
        self._lock = Lock()
        self._numbers = itertools.count(seed * 100_000)
        self.acknowledged: set[str] = set()
        self.unexpected: list[str] = []
        self.answers: dict[str, int] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run one client for each of `jobs` while the block runs."""
        self._stopping.clear()
        threads = [Thread(target=self._repeat, args=(job,)) for job in self.jobs]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join()

    def wait_for(self, answers: int) -> None:
        """Wait until this many more responses have arrived."""
        target = self._count() + answers
        until(lambda: self._count() >= target)

    def upload(self, client: httpx.Client) -> None:
        kind = self.choice(list(KINDS))
        files = []
        for _ in range(3):
            number = self.number()
            image = encode(draw_fruit(kind, seed=number), "JPEG")
            files.append(("files", (f"{number}.jpg", image, "image/jpeg")))
        answer = client.post("/upload-training-data", files=files, data={"class_name": kind})
        self.note("upload", answer)
        if answer.is_success:
            with self._lock:
                self.acknowledged |= {file["id"] for file in answer.json()["uploaded_files"]}

    def retrain(self, client: httpx.Client) -> None:
        self.note("retrain", client.post("/retrain", json={"mode": "fast", "force": True}))
        self.pause(0.2)

    def change(self, client: httpx.Client) -> None:
        """Promote a random version, or roll back."""
        models = client.get("/models").json()["models"]
        version = self._random.choice(models)["version"]
        path = self._random.choice((f"/models/{version}/promote", "/models/rollback"))
        self.note("change", client.post(path))
        self.pause(0.1)

    def predict(self, client: httpx.Client) -> None:
        image = encode(draw_fruit("freshapples", seed=1), "JPEG")
        self.note("predict", client.post("/predict", files={"file": ("a.jpg", image)}))

    def number(self) -> int:
        """A new number at each call, for an image that nobody has sent yet."""
        return next(self._numbers)

    def choice(self, names: Sequence[str]) -> str:
        return self._random.choice(names)

    def pause(self, seconds: float) -> None:
        """Pause between two jobs of a client; end early if the load stops."""
        self._stopping.wait(seconds)

    def _repeat(self, job: Job) -> None:
        with httpx.Client(base_url=self._url, timeout=ANSWER_SECONDS, trust_env=False) as client:
            while not self._stopping.is_set():
                try:
                    job(client)
                except httpx.HTTPError:
                    # The API was killed and will be back soon.
                    self._stopping.wait(0.05)

    def _count(self) -> int:
        with self._lock:
            return sum(self.answers.values())

    def note(self, job: str, answer: httpx.Response) -> None:
        with self._lock:
            key = f"{job} {answer.status_code}"
            self.answers[key] = self.answers.get(key, 0) + 1
            if answer.status_code >= 500 and answer.status_code != 503:
                self.unexpected.append(f"{key}: {answer.text[:300]}")
