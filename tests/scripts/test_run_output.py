"""`make run` continues if its output cannot be written or a part cannot be started."""

import errno
import io
from collections import deque
from types import SimpleNamespace
from typing import NoReturn

import pytest

from scripts import run
from scripts.run import Part, Service


class FullDisk(io.RawIOBase):
    """A log on a full disk."""

    def writable(self) -> bool:
        return True

    def write(self, _: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not in a fixture, since pytest sets `sys.stdout` again before each test.
    disk = FullDisk()
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=disk, write=disk.write))


def test_output_is_read_on_if_it_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    fill_disk(monkeypatch)
    lines: deque[bytes] = deque(maxlen=2)
    run._copy(io.BytesIO(b"first\nsecond\nthird\n"), lines)
    assert list(lines) == [b"second\n", b"third\n"]


def test_part_that_cannot_be_started_is_tried_again_after_growing_pauses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither that nor a message that cannot be written stops the other parts."""
    tried: list[float] = []
    now = 0.0

    def cannot_start(_: Part) -> NoReturn:
        tried.append(now)
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    fill_disk(monkeypatch)
    monkeypatch.setattr(run.Part, "start", cannot_start)
    monkeypatch.setattr(run, "time", SimpleNamespace(monotonic=lambda: now))
    part = Part(Service("worker", ("worker",)), {})
    for second in range(9):
        now = float(second)
        part.restart_if_ended()
    assert tried == [0, 1, 2, 4, 8]
