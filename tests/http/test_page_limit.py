"""Slow pages are computed one at a time, and photos are graded in between."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.http.page_limit import MAX_WAITING, PageLimitMiddleware

PAGE, PHOTO = "/insights/map", "/predict"


class Service:
    """An application whose requests continue when `allow` says so."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self.most_pages = 0
        self.graded = 0
        self.pauses: list[float] = []
        self.fails = False
        self.allow = asyncio.Event()
        self.paused = asyncio.Event()
        self.limited = PageLimitMiddleware(self._answer, lambda: self.graded, self._pause)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await self.paused.wait()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.running.append(scope["path"])
        self.most_pages = max(self.most_pages, self.running.count(PAGE))
        try:
            if scope["path"] != PHOTO:
                await self.allow.wait()
            if self.fails:
                raise RuntimeError
            await send({"type": "http.response.start", "status": 200, "headers": []})
        finally:
            self.running.remove(scope["path"])

    def ask(self, path: str, method: str = "GET", root: str = "") -> "asyncio.Task[int]":
        async def request() -> int:
            sent: list[Message] = []
            scope = {"type": "http", "method": method, "path": path, "root_path": root}

            async def send(message: Message) -> None:
                sent.append(message)

            await self.limited({**scope, "headers": []}, _nothing, send)
            return int(sent[0]["status"])

        return asyncio.ensure_future(request())


async def _nothing() -> Message:
    raise AssertionError


async def settle() -> None:
    """Let every task run until it has to wait."""
    for _ in range(20):
        await asyncio.sleep(0)


def run(test: Callable[[Service], Awaitable[None]]) -> None:
    async def inside() -> None:
        await test(Service())

    asyncio.run(inside())


def test_one_page_runs_at_a_time_and_photos_do_not_wait() -> None:
    async def test(service: Service) -> None:
        pages = [service.ask(PAGE) for _ in range(5)]
        await settle()
        assert service.running == [PAGE]
        assert await service.ask(PHOTO, "POST") == 200
        assert await service.ask(PHOTO) == 200
        service.allow.set()
        assert await asyncio.gather(*pages) == [200] * 5
        assert (service.most_pages, service.pauses) == (1, [])

    run(test)


def test_the_next_page_waits_while_photos_are_graded() -> None:
    async def test(service: Service) -> None:
        first, second = service.ask(PAGE), service.ask(PAGE)
        await settle()
        service.graded += 1
        service.allow.set()
        assert await first == 200
        await settle()
        assert not second.done()
        assert len(service.pauses) == 1
        service.paused.set()
        assert await second == 200
        assert len(service.pauses) == 1  # Nothing was graded in the meantime.

    run(test)


def test_a_page_that_fails_ends_its_turn() -> None:
    async def test(service: Service) -> None:
        service.fails = True
        service.allow.set()
        failed = await asyncio.gather(
            *(service.ask(PAGE) for _ in range(3)), return_exceptions=True
        )
        assert all(isinstance(error, RuntimeError) for error in failed)
        service.fails = False
        assert await service.ask(PAGE) == 200

    run(test)


def test_client_that_disconnects_gives_up_its_place() -> None:
    async def test(service: Service) -> None:
        first, waiting, third = (service.ask(PAGE) for _ in range(3))
        await settle()
        waiting.cancel()
        service.allow.set()
        assert (await first, await third) == (200, 200)

    run(test)


def test_requests_beyond_the_waiting_limit_get_503() -> None:
    async def test(service: Service) -> None:
        pages = [service.ask(PAGE) for _ in range(MAX_WAITING + 1)]
        await settle()
        assert await service.ask(PAGE) == 503
        service.allow.set()
        assert await asyncio.gather(*pages) == [200] * (MAX_WAITING + 1)

    run(test)


@pytest.mark.parametrize(
    ("path", "method", "root", "waits"),
    [
        ("/insights/dataset", "GET", "", True),
        ("/insights/map", "HEAD", "", True),
        ("/grader/insights/map", "GET", "/grader", True),
        ("/report/default", "GET", "", True),
        ("/health", "GET", "", False),
        ("/insights/augmentation", "POST", "", False),
        ("/predictions/4f1d/feedback", "POST", "", False),
    ],
)
def test_which_requests_wait(path: str, method: str, root: str, waits: bool) -> None:
    async def test(service: Service) -> None:
        first = service.ask(PAGE)
        await settle()
        second = service.ask(path, method, root)
        await settle()
        assert (path not in service.running or path == PAGE) == waits
        service.allow.set()
        assert (await first, await second) == (200, 200)

    run(test)
