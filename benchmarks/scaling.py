"""One, two and four API processes on two cores, measured and simulated side by side.

`python -m benchmarks.scaling` prints the table of docs/SCALING.md. The load generator runs on the
same cores, so this tests the simulation, not the speed of a server.
"""

import sys
import time
from statistics import mean, median
from typing import NamedTuple

from benchmarks.load import Body, drive, form
from benchmarks.machine import BOTH, CORES, describe_machine, on
from benchmarks.queueing import Machine, Simulated, simulate
from benchmarks.sample_images import SMALL, sample_image
from benchmarks.servers import OURS, running
from benchmarks.terminal import Show

PROCESSES = (1, 2, 4)
USERS = 16
ROUNDS, ROUND_SECONDS = 5, 6
# Each is one way in which the operating system may distribute the connections.
SEEDS = range(20)


class Measured(NamedTuple):
    """Medians over the rounds; the CPU milliseconds are per request."""

    per_second: float
    p95_milliseconds: float
    server_milliseconds: float
    load_milliseconds: float


def measure(processes: int, body: Body, show: Show) -> Measured:
    # One request at a time in each process, as in a container with one core.
    settings = {"WEB_CONCURRENCY": str(processes), "RIPELINE_INFERENCE_THREADS": "1"}
    rounds = []
    with on(BOTH), running(OURS, BOTH, settings) as server:
        url = f"{server.url}/predict"
        drive(url, body, USERS, 2)
        for _ in show.over(range(ROUNDS), f"{processes} processes"):
            served, load = server.cpu_seconds, time.process_time()
            outcome = drive(url, body, USERS, ROUND_SECONDS)
            if outcome.failed:
                raise RuntimeError(f"{outcome.failed} requests failed:\n{server.log.read_text()}")
            per_request = 1000 / len(outcome.milliseconds)
            rounds.append(
                Measured(
                    outcome.per_second,
                    outcome.percentile(0.95),
                    (server.cpu_seconds - served) * per_request,
                    (time.process_time() - load) * per_request,
                )
            )
    return Measured(*(median(column) for column in zip(*rounds, strict=True)))


def expected(machine: Machine, processes: int) -> Simulated:
    """The mean over the ways in which connections may be distributed."""
    runs = [simulate(machine, processes, USERS, seed=seed) for seed in SEEDS]
    return Simulated(mean(run.per_second for run in runs), mean(run.p95 for run in runs))


def main() -> int:
    show = Show()
    if len(CORES) < 2:
        show.say("Two cores are needed.")
        return 1
    body = form(("orange.jpg", sample_image(SMALL)))
    found = {count: measure(count, body, show) for count in PROCESSES}
    # A request's CPU time is measured with a single process and assumed for all.
    one = found[PROCESSES[0]]
    machine = Machine(len(BOTH), one.server_milliseconds / 1000, one.load_milliseconds / 1000)
    show.say(f"{describe_machine()}; {USERS} users on the same cores")
    api, load = one.server_milliseconds, one.load_milliseconds
    show.say(f"CPU of a request: API {api:.2f} ms, load {load:.2f} ms")
    show.say("processes | requests/s: measured, simulated | p95 ms: measured, simulated")
    for count, measured in found.items():
        told = expected(machine, count)
        show.say(
            f"{count} | {measured.per_second:.0f}, {told.per_second:.0f} "
            f"| {measured.p95_milliseconds:.0f}, {told.p95 * 1000:.0f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
