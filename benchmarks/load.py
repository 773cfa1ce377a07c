"""Load from concurrent users, each of whom waits for a response before the next request."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import aiohttp

BOUNDARY = "a-boundary-that-no-image-contains"


@dataclass(frozen=True)
class Body:
    """A request body."""

    data: bytes
    content_type: str


@dataclass(frozen=True)
class Outcome:
    """`milliseconds` of each response in order; `failed` counts statuses other than 200."""

    seconds: float
    milliseconds: tuple[float, ...]
    failed: int

    @property
    def per_second(self) -> float:
        return len(self.milliseconds) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency in milliseconds at `share`, 0 to 1."""
        ranked = sorted(self.milliseconds)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def form(
    *files: tuple[str, bytes], field: str = "file", text: Mapping[str, str] = MappingProxyType({})
) -> Body:
    """A form with the fields of `text`, then `files` in one field."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in text.items()
    ]
    parts += [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        "Content-Type: image/jpeg\r\n\r\n".encode()
        + data
        + b"\r\n"
        for name, data in files
    ]
    ending = f"--{BOUNDARY}--\r\n".encode()
    return Body(b"".join([*parts, ending]), f"multipart/form-data; boundary={BOUNDARY}")


def drive(
    url: str, body: Body, users: int, seconds: float, *, pause: float = 0, most: int = 10**9
) -> Outcome:
    """Send `body` for `seconds` or `most` times, with `pause` seconds after each response."""
    return asyncio.run(_drive(url, body, users, seconds, pause=pause, most=most))


async def _drive(
    url: str, body: Body, users: int, seconds: float, *, pause: float, most: int
) -> Outcome:
    latencies: list[float] = []
    failed = sent = 0
    started = time.perf_counter()

    async def user(session: aiohttp.ClientSession) -> None:
        nonlocal failed, sent
        while time.perf_counter() < started + seconds and sent < most:
            sent += 1
            begun = time.perf_counter()
            async with session.post(url, data=body.data, headers=headers) as answer:
                await answer.read()
            latencies.append((time.perf_counter() - begun) * 1000)
            failed += answer.status != 200
            if pause:
                await asyncio.sleep(pause)

    headers = {"Content-Type": body.content_type}
    # No limit on connections, and no proxy.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(user(session) for _ in range(users)))
    return Outcome(time.perf_counter() - started, tuple(latencies), failed)
