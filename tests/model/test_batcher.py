"""The line in front of the inference threads: bounded in length and in time."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from api.core.errors import NotAnImageError, OverloadedError
from api.model.batcher import DynamicBatcher
from api.model.predictor import MAX_BATCH, Predictor, PredictRequest

PATIENCE = 20


class Slow:
    """A runtime whose grades wait for a word, and are what they were given."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.begun = threading.Event()
        self.graded: list[bytes] = []

    def predict_batch(self, asked: Iterable[PredictRequest | Exception]) -> list[bytes | Exception]:
        self.begun.set()
        assert self.go_on.wait(PATIENCE)
        taken = list(asked)
        assert 1 <= len(taken) <= MAX_BATCH
        self.graded += [one.data for one in taken if isinstance(one, PredictRequest)]
        return [self.outcome(one.data) if isinstance(one, PredictRequest) else one for one in taken]

    def outcome(self, data: bytes) -> bytes | Exception:
        return data


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


async def _ask(line: DynamicBatcher, slow: Slow, *photographs: bytes) -> list[Any]:
    """What comes of asking for all of them at once; the first is under way when this goes on."""
    runtime = cast(Predictor, slow)
    asked = [asyncio.ensure_future(line.grade(runtime, one, False)) for one in photographs]
    await asyncio.to_thread(slow.begun.wait, PATIENCE)
    while not all(one.done() for one in asked[2:]):
        await asyncio.sleep(0)
    slow.go_on.set()
    return await asyncio.gather(*asked, return_exceptions=True)


def test_who_finds_no_room_is_refused_at_once(pool: ThreadPoolExecutor) -> None:
    slow = Slow()
    came = asyncio.run(_ask(DynamicBatcher(pool, 1, 2, PATIENCE), slow, b"a", b"b", b"c", b"d"))
    assert came[:2] == [b"a", b"b"]
    assert all(isinstance(one, OverloadedError) for one in came[2:])


def test_there_is_room_again_when_some_are_graded(pool: ThreadPoolExecutor) -> None:
    line, slow = DynamicBatcher(pool, 1, 1, PATIENCE), Slow()
    slow.go_on.set()

    async def one_by_one() -> list[Any]:
        return [await line.grade(cast(Predictor, slow), data, False) for data in (b"a", b"b", b"c")]

    assert asyncio.run(one_by_one()) == [b"a", b"b", b"c"]


def test_who_has_waited_for_too_long_is_not_graded(pool: ThreadPoolExecutor) -> None:
    slow = Slow()
    slow.go_on.set()
    line = DynamicBatcher(pool, 1, 10, seconds=-1)  # It is past the time before any begins.
    with pytest.raises(OverloadedError) as refusal:
        asyncio.run(line.grade(cast(Predictor, slow), b"a", False))
    assert slow.graded == []
    assert (refusal.value.status, refusal.value.retry_after_seconds) == (503, 1)


def test_those_who_wait_are_graded_in_order_and_each_gets_its_own(
    pool: ThreadPoolExecutor,
) -> None:
    slow = Slow()
    photographs = [bytes([number]) for number in range(11)]
    line = DynamicBatcher(pool, 1, 20, PATIENCE)

    async def ask() -> list[Any]:
        runtime = cast(Predictor, slow)
        asked = [asyncio.ensure_future(line.grade(runtime, one, False)) for one in photographs]
        await asyncio.to_thread(slow.begun.wait, PATIENCE)
        slow.go_on.set()
        return await asyncio.gather(*asked)

    assert asyncio.run(ask()) == photographs
    assert slow.graded == photographs


def test_a_fault_with_one_is_told_to_that_one(pool: ThreadPoolExecutor) -> None:
    class Particular(Slow):
        def outcome(self, data: bytes) -> bytes | Exception:
            return NotAnImageError(("JPEG",)) if data == b"bad" else data

    line, slow = DynamicBatcher(pool, 1, 9, PATIENCE), Particular()
    slow.go_on.set()

    async def ask() -> list[Any]:
        runtime = cast(Predictor, slow)
        asked = [line.grade(runtime, one, False) for one in (b"a", b"b", b"bad", b"c")]
        return await asyncio.gather(*asked, return_exceptions=True)

    came = asyncio.run(ask())
    assert (came[0], came[1], came[3]) == (b"a", b"b", b"c")
    assert isinstance(came[2], NotAnImageError)


def test_nobody_grades_for_who_went_away(pool: ThreadPoolExecutor) -> None:
    line, slow = DynamicBatcher(pool, 1, 9, PATIENCE), Slow()

    async def leave() -> bytes:
        runtime = cast(Predictor, slow)
        first, gone, last = (
            asyncio.ensure_future(line.grade(runtime, one, False)) for one in (b"a", b"b", b"c")
        )
        await asyncio.to_thread(slow.begun.wait, PATIENCE)
        gone.cancel()
        await asyncio.wait([gone])
        slow.go_on.set()
        await first
        return cast(bytes, await last)

    assert asyncio.run(leave()) == b"c"
    assert slow.graded == [b"a", b"c"]
    assert not line.full


def test_a_forward_pass_is_of_one_grader(pool: ThreadPoolExecutor) -> None:
    """While a version is promoted, photographs for the old and the new wait together."""
    line, old, new = DynamicBatcher(pool, 1, 9, PATIENCE), Slow(), Slow()
    new.go_on.set()

    async def ask() -> list[Any]:
        asked = [
            asyncio.ensure_future(line.grade(cast(Predictor, one), data, False))
            for one, data in ((old, b"a"), (old, b"b"), (new, b"c"), (old, b"d"), (new, b"e"))
        ]
        await asyncio.to_thread(old.begun.wait, PATIENCE)
        old.go_on.set()
        return await asyncio.gather(*asked)

    assert asyncio.run(ask()) == [b"a", b"b", b"c", b"d", b"e"]
    assert (old.graded, new.graded) == ([b"a", b"b", b"d"], [b"c", b"e"])


class Noting(Slow):
    """Says which photographs came in one turn; the turn goes on when the next have come."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on.set()
        self.came = threading.Event()
        self.turns: list[list[bytes]] = []

    def predict_batch(self, asked: Iterable[PredictRequest | Exception]) -> list[bytes | Exception]:
        taken = list(asked)
        self.turns.append([one.data for one in taken if isinstance(one, PredictRequest)])
        assert self.came.wait(PATIENCE)
        return super().predict_batch(taken)


def test_an_odd_one_shares_its_forward_pass_with_who_comes_next(pool: ThreadPoolExecutor) -> None:
    line, begin, noting = DynamicBatcher(pool, 1, 9, PATIENCE), threading.Event(), Noting()

    async def ask() -> None:
        pool.submit(begin.wait, PATIENCE)  # So that all three wait when the first turn begins.
        runtime = cast(Predictor, noting)
        asked = [
            asyncio.ensure_future(line.grade(runtime, one, False)) for one in (b"a", b"b", b"c")
        ]
        await asyncio.sleep(0)
        begin.set()
        while not noting.turns:
            await asyncio.sleep(0)
        asked.append(asyncio.ensure_future(line.grade(runtime, b"d", False)))
        await asyncio.sleep(0)
        noting.came.set()
        await asyncio.gather(*asked)

    asyncio.run(ask())
    assert noting.turns == [[b"a", b"b"], [b"c", b"d"]]


def test_a_single_thread_waits_for_who_is_about_to_come(pool: ThreadPoolExecutor) -> None:
    line, noting = DynamicBatcher(pool, 1, 9, PATIENCE), Noting()
    noting.came.set()

    async def ask() -> None:
        asked = []
        for data in (b"a", b"b", b"c", b"d"):
            asked.append(asyncio.ensure_future(line.grade(cast(Predictor, noting), data, False)))
            # In other rounds of the event loop, as requests are that come one behind the other.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await asyncio.gather(*asked)

    asyncio.run(ask())
    assert noting.turns == [[b"a", b"b", b"c", b"d"]]


def test_a_turn_is_of_a_few(pool: ThreadPoolExecutor) -> None:
    line, noting = DynamicBatcher(pool, 1, 99, PATIENCE), Noting()
    noting.came.set()
    photographs = [bytes([number]) for number in range(2 * MAX_BATCH)]

    async def ask() -> list[Any]:
        asked = (line.grade(cast(Predictor, noting), data, False) for data in photographs)
        return await asyncio.gather(*asked)

    assert asyncio.run(ask()) == photographs
    assert noting.turns == [photographs[:MAX_BATCH], photographs[MAX_BATCH:]]


def test_where_there_are_several_threads_one_begins_at_once() -> None:
    slow = Slow()

    async def ask(line: DynamicBatcher) -> bytes:
        asked = asyncio.ensure_future(line.grade(cast(Predictor, slow), b"a", False))
        await asyncio.sleep(0)
        assert slow.begun.wait(PATIENCE)  # Without another round of the event loop.
        slow.go_on.set()
        return cast(bytes, await asked)

    with ThreadPoolExecutor(2) as pool:
        assert asyncio.run(ask(DynamicBatcher(pool, 2, 9, PATIENCE))) == b"a"
