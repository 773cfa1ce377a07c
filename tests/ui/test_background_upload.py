"""Background uploads: order, outages, rejected batches and stopping."""

from collections.abc import Iterator, Sequence
from threading import Event

import pytest
from errors import ApiError
from photos import Photo
from transfer import background_upload
from transfer.background_upload import MAX_TRIES, BackgroundUpload
from transfer.upload_batches import UploadBatch

from tests.waiting import PATIENCE_SECONDS

UNAVAILABLE = ApiError("Unavailable", "Nothing answers.", retryable=True)
RATE_LIMITED = ApiError("Slow down", "Later.", retryable=True, code="too-many-requests")
REJECTED = ApiError("No", "The body is too large.", retryable=False)


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_upload, "FIRST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(background_upload, "MAX_WAIT_SECONDS", 0.001)


def batch(*names: str) -> UploadBatch:
    photos = tuple(Photo(name, b"x") for name in names)
    return UploadBatch(photos, photos)


class Api:
    """An API that accepts batches, but first raises the errors in `errors`, one per call."""

    def __init__(self, *errors: ApiError, available: bool = True) -> None:
        self.errors = list(errors)
        self.available = available
        self.calls = 0

    def send(self, batch: UploadBatch) -> Sequence[str]:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return [photo.name for photo in batch.photos]

    def upload(self, *batches: UploadBatch) -> BackgroundUpload[str]:
        return BackgroundUpload(
            iter(batches),
            sum(batch.count for batch in batches),
            send=self.send,
            rejected=lambda name, reason: f"{name}: {reason}",
            is_available=lambda: self.available,
        )


def wait_for(upload: BackgroundUpload[str]) -> BackgroundUpload[str]:
    assert upload.wait(PATIENCE_SECONDS)
    return upload


def test_every_batch_is_sent_in_order() -> None:
    upload = wait_for(Api().upload(batch("a", "b"), batch("c")))

    assert upload.rows == ["a", "b", "c"]
    assert (upload.done, upload.total, upload.stopped) == (3, 3, False)
    assert upload.seconds_left == 0


def test_upload_continues_after_an_outage_without_losing_files() -> None:
    # More failures than the retries of a single batch.
    api = Api(*[UNAVAILABLE] * (3 * MAX_TRIES), available=False)

    upload = wait_for(api.upload(batch("a"), batch("b")))

    assert upload.rows == ["a", "b"]
    assert upload.error is None


def test_upload_waits_for_the_rate_limit_however_long_its_window_is() -> None:
    api = Api(*[RATE_LIMITED] * (3 * MAX_TRIES))

    upload = wait_for(api.upload(batch("a"), batch("b")))

    assert upload.rows == ["a", "b"]


def test_rejected_batch_does_not_stop_the_upload() -> None:
    upload = wait_for(Api(REJECTED).upload(batch("a", "b"), batch("c")))

    assert upload.rows == ["a: The body is too large.", "b: The body is too large.", "c"]
    assert upload.done == 3


def test_batch_is_given_up_after_max_tries() -> None:
    api = Api(*[UNAVAILABLE] * MAX_TRIES)

    upload = wait_for(api.upload(batch("a"), batch("b")))

    assert upload.rows == ["a: Nothing answers.", "b"]
    assert api.calls == MAX_TRIES + 1


def test_unreadable_files_are_reported_and_not_sent() -> None:
    api = Api()

    upload = wait_for(api.upload(UploadBatch((), (), (("a", "damaged"),))))

    assert (upload.rows, upload.done, api.calls) == (["a: damaged"], 1, 0)


def test_stopping_keeps_finished_rows() -> None:
    sending, release = Event(), Event()

    def send(batch: UploadBatch) -> list[str]:
        sending.set()
        assert release.wait(PATIENCE_SECONDS)
        return ["a"]

    upload = BackgroundUpload(
        iter([batch("a"), batch("b")]),
        2,
        send=send,
        rejected=lambda name, reason: name,
        is_available=lambda: True,
    )
    assert sending.wait(PATIENCE_SECONDS)
    upload.stop()
    release.set()

    wait_for(upload)
    assert (upload.rows, upload.done, upload.stopped) == (["a"], 1, True)


def test_upload_can_be_stopped_during_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_upload, "FIRST_WAIT_SECONDS", 2 * PATIENCE_SECONDS)
    checked = Event()

    def is_available() -> bool:
        checked.set()
        return False

    def send(batch: UploadBatch) -> list[str]:
        raise UNAVAILABLE

    upload = BackgroundUpload(
        iter([batch("a")]),
        1,
        send=send,
        rejected=lambda name, reason: name,
        is_available=is_available,
    )
    assert checked.wait(PATIENCE_SECONDS)
    upload.stop()

    wait_for(upload)
    assert (upload.rows, upload.stopped) == ([], True)


def test_exception_in_the_thread_ends_the_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Event()
    monkeypatch.setattr("threading.excepthook", lambda args: ended.set())

    def failing_batches() -> Iterator[UploadBatch]:
        yield batch("a")
        raise MemoryError

    upload = BackgroundUpload(
        failing_batches(),
        2,
        send=lambda batch: ["a"],
        rejected=lambda name, reason: name,
        is_available=lambda: True,
    )

    wait_for(upload)
    assert upload.rows == ["a"]
    assert upload.stopped
    # The exception leaves the thread after that.
    assert ended.wait(PATIENCE_SECONDS)
