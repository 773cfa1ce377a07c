"""The bare loop: decode, forward, head on one core, with nothing around it. It is the limit.

`python -m benchmarks.bareloop PHOTOGRAPH` grades for as many seconds as each line of its input
says, and answers with a line: photographs, seconds, seconds of the processor.
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
    photographs: int
    seconds: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        return self.photographs / self.seconds


class Loop:
    """A bare loop that waits for its next round."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def begin(self, seconds: float) -> None:
        assert self._process.stdin
        print(seconds, file=self._process.stdin, flush=True)

    def result(self) -> Count:
        assert self._process.stdout
        photographs, seconds, cpu = self._process.stdout.readline().split()
        return Count(int(photographs), float(seconds), float(cpu))

    def round(self, seconds: float) -> Count:
        self.begin(seconds)
        return self.result()


@contextmanager
def bare_loop(photograph: bytes, core: int) -> Iterator[Loop]:
    """One on this core."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(photograph)
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
        started, cpu, photographs = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() < started + float(line):
            grading(data)
            photographs += 1
        print(photographs, time.perf_counter() - started, time.process_time() - cpu, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
