"""Throughput of `/predict` on one core: this service and its peers against the bare loop."""

from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from benchmarks.bareloop import bare_loop
from benchmarks.load import Body, drive, form
from benchmarks.machine import LOAD, SERVER, on
from benchmarks.plan import Plan
from benchmarks.servers import Contender, Server, running
from benchmarks.terminal import Show

# Users: enough to keep a queue at all times, and so few that the server may be idle.
MANY, FEW = 16, 4


@dataclass(frozen=True)
class Row:
    """Medians over the rounds. `ratio` and `cpu_ratio` compare with the bare loop of the same
    round, in requests per second and in CPU seconds per request."""

    name: str
    per_second: float
    cpu_milliseconds: float
    p95: float
    ratio: float
    cpu_ratio: float


@dataclass(frozen=True)
class Measurement:
    """The measurement of one server in one round."""

    per_second: float
    cpu_milliseconds: float
    p95: float = 0.0


def compare_servers(
    contenders: list[Contender], image: bytes, users: int, plan: Plan, show: Show
) -> list[Row]:
    rounds: list[dict[str, Measurement]] = []
    body = form(("orange.jpg", image))
    with ExitStack() as stack, on(LOAD):
        loop = stack.enter_context(bare_loop(image, SERVER[0]))
        servers = {one.name: stack.enter_context(running(one)) for one in contenders}
        for server in servers.values():
            drive(f"{server.url}/predict", body, users, 1)
        for _ in show.over(range(plan.rounds), f"Side by side on one core, {users} users"):
            counted = loop.round(plan.round_seconds)
            cpu = counted.cpu_seconds / counted.images
            found = {"Bare loop": Measurement(counted.per_second, cpu * 1000)}
            for name, server in servers.items():
                found[name] = _measure(server, body, users, plan.round_seconds)
            rounds.append(found)
    return [_row(name, rounds) for name in rounds[0]]


def _measure(server: Server, body: Body, users: int, seconds: float) -> Measurement:
    cpu = server.cpu_seconds
    outcome = drive(f"{server.url}/predict", body, users, seconds)
    if outcome.failed:
        raise RuntimeError(f"{outcome.failed} requests failed:\n{server.log.read_text()}")
    used = (server.cpu_seconds - cpu) / len(outcome.milliseconds)
    return Measurement(outcome.per_second, used * 1000, outcome.percentile(0.95))


def _row(name: str, rounds: list[dict[str, Measurement]]) -> Row:
    own = [found[name] for found in rounds]
    bare = [found["Bare loop"] for found in rounds]
    pairs = list(zip(own, bare, strict=True))
    return Row(
        name,
        median(one.per_second for one in own),
        median(one.cpu_milliseconds for one in own),
        median(one.p95 for one in own),
        median(one.per_second / limit.per_second for one, limit in pairs),
        median(limit.cpu_milliseconds / one.cpu_milliseconds for one, limit in pairs),
    )
