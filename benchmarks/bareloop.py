"""Decode, forward pass and head in a loop on one core: the upper limit of any server.

`python -m benchmarks.bareloop IMAGE` reads a number of seconds from each line of stdin, grades
IMAGE for that long and prints images, seconds and CPU seconds.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from api.settings import PROJECT
from benchmarks.machine import on
from benchmarks.peers.grading import Grading


class Count(NamedTuple):
    images: int
    seconds: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        return self.images / self.seconds


class Loop:
    """A process with the bare loop, waiting for its next round."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def begin(self, seconds: float) -> None:
        assert self._process.stdin
        print(seconds, file=self._process.stdin, flush=True)

    def result(self) -> Count:
        assert self._process.stdout
        images, seconds, cpu = self._process.stdout.readline().split()
        return Count(int(images), float(seconds), float(cpu))

    def round(self, seconds: float) -> Count:
        self.begin(seconds)
        return self.result()


@contextmanager
def bare_loop(image: bytes, core: int) -> Iterator[Loop]:
    """A bare loop on this core."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(image)
        file.flush()
        with on([core]):
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.bareloop", file.name],
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        try:
            loop = Loop(process)
            loop.round(0.2)
            yield loop
        finally:
            process.terminate()
            process.communicate()


def main(path: str) -> None:
    data, grading = Path(path).read_bytes(), Grading()
    for line in sys.stdin:
        started, cpu, images = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() < started + float(line):
            grading(data)
            images += 1
        print(images, time.perf_counter() - started, time.process_time() - cpu, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
