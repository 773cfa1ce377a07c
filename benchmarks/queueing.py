"""Simulates users, API processes and the cores they share.

Each user waits for a response before the next request and keeps one connection, so all requests of
a user go to one process. A process works on one request at a time. The load generator is another
process, which works before each request. Busy processes share the cores evenly.
"""

from collections import deque
from dataclasses import dataclass, field
from random import Random

SECONDS = 60.0


@dataclass(frozen=True)
class Machine:
    """CPU seconds that a request takes in an API process and in the load generator (0 if that runs
    on another machine)."""

    cores: int
    server_seconds: float
    load_seconds: float = 0.0


@dataclass(frozen=True)
class Simulated:
    """Requests per second, and their 95th percentile of latency in seconds."""

    per_second: float
    p95: float


@dataclass
class _Station:
    """A process with its queue of users, the first of whom is being served."""

    seconds: float
    queue: deque[int] = field(default_factory=deque)
    left: float = 0.0

    def add(self, user: int) -> None:
        self.queue.append(user)
        if len(self.queue) == 1:
            self.left = self.seconds

    def finish(self) -> int:
        user = self.queue.popleft()
        self.left = self.seconds if self.queue else 0.0
        return user


def simulate(machine: Machine, processes: int, users: int, seed: int = 0) -> Simulated:
    """Simulate `users` against `processes` for SECONDS of simulated time.

    The operating system distributes connections at random, here seeded with `seed`.
    """
    random = Random(seed)  # noqa: S311
    load = _Station(machine.load_seconds)
    servers = [_Station(machine.server_seconds) for _ in range(processes)]
    of_user = [random.choice(servers) for _ in range(users)]
    stations = [load, *servers]
    sent = [0.0] * users
    latencies: list[float] = []
    now = 0.0
    for user in range(users):
        load.add(user)
    while now < SECONDS:
        busy = [station for station in stations if station.queue]
        speed = min(1.0, machine.cores / len(busy))
        step = min(station.left for station in busy)
        now += step / speed
        for station in busy:
            station.left -= step
        for station in [one for one in busy if one.left <= 1e-12]:
            user = station.finish()
            if station is load:
                sent[user] = now
                of_user[user].add(user)
            else:
                latencies.append(now - sent[user])
                load.add(user)
    latencies.sort()
    return Simulated(len(latencies) / now, latencies[int(0.95 * len(latencies))])
