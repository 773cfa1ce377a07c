"""`/predict/batch` on two cores, compared with a bare loop on each core."""

import http.client
import json
import time
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit

from benchmarks.bareloop import bare_loop
from benchmarks.load import Body, form
from benchmarks.machine import BOTH, on
from benchmarks.plan import Plan
from benchmarks.sample_images import SMALL, sample_image
from benchmarks.servers import OURS, running
from benchmarks.terminal import Show


@dataclass(frozen=True)
class BatchFigures:
    """Images per second, as medians over the rounds; `first_line` is the time to the first result
    in seconds."""

    loops: float
    batch: float
    first_line: float
    ratio: float


def measure(plan: Plan, show: Show) -> BatchFigures:
    data = sample_image(SMALL)
    body = form(*((f"{n}.jpg", data) for n in range(plan.batch_images)), field="files")
    loops, batches, firsts = [], [], []
    with ExitStack() as stack, on(BOTH):
        bare = [stack.enter_context(bare_loop(data, core)) for core in BOTH]
        server = stack.enter_context(running(OURS, cores=BOTH))
        _send(server.url, body)
        for _ in show.over(range(plan.rounds), "A batch on two cores"):
            for loop in bare:
                loop.begin(plan.round_seconds)
            loops.append(sum(loop.result().per_second for loop in bare))
            seconds, first = _send(server.url, body)
            batches.append(plan.batch_images / seconds)
            firsts.append(first)
    ratios = [batch / limit for batch, limit in zip(batches, loops, strict=True)]
    return BatchFigures(median(loops), median(batches), median(firsts), median(ratios))


def _send(url: str, body: Body) -> tuple[float, float]:
    """The seconds to the last line and to the first one. Raises RuntimeError if an image failed."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    headers = {"Content-Type": body.content_type, "Accept": "application/x-ndjson"}
    started = time.perf_counter()
    connection.request("POST", "/predict/batch", body.data, headers)
    answer = connection.getresponse()
    answer.readline()
    first = time.perf_counter() - started
    last = answer.read().splitlines()[-1]
    seconds = time.perf_counter() - started
    connection.close()
    if json.loads(last)["summary"]["failed"]:
        raise RuntimeError(f"Not all of the batch was graded: {last.decode()}")
    return seconds, first
