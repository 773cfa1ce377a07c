"""Parcels are sent to the end, whatever happens on the way."""

from collections.abc import Iterator, Sequence
from threading import Event

import pytest
from photos import Photo
from problems import ApiProblem
from transfer import sending
from transfer.parcels import Parcel
from transfer.sending import MOST_TRIES, Sending

PATIENCE_SECONDS = 20
AWAY = ApiProblem("Away", "Nothing answers.", passing=True)
REFUSED = ApiProblem("No", "The body is too large.", passing=False)


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "FIRST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(sending, "LONGEST_WAIT_SECONDS", 0.001)


def parcel(*names: str) -> Parcel:
    photos = tuple(Photo(name, b"x") for name in names)
    return Parcel(photos, photos)


class Api:
    """Takes parcels, but first raises the problems in `problems`, one a call."""

    def __init__(self, *problems: ApiProblem, alive: bool = True) -> None:
        self.problems = list(problems)
        self.alive = alive
        self.calls = 0

    def send(self, parcel: Parcel) -> Sequence[str]:
        self.calls += 1
        if self.problems:
            raise self.problems.pop(0)
        return [piece.name for piece in parcel.pieces]

    def sending(self, *parcels: Parcel) -> Sending[str]:
        return Sending(
            iter(parcels),
            sum(parcel.count for parcel in parcels),
            send=self.send,
            refused=lambda name, reason: f"{name}: {reason}",
            alive=lambda: self.alive,
        )


def ended(found: Sending[str]) -> Sending[str]:
    assert found.wait(PATIENCE_SECONDS)
    return found


def test_every_parcel_is_sent_in_order() -> None:
    found = ended(Api().sending(parcel("a", "b"), parcel("c")))

    assert found.rows == ["a", "b", "c"]
    assert (found.done, found.total, found.stopped) == (3, 3, False)
    assert found.seconds_left == 0


def test_after_an_outage_it_goes_on_by_itself_and_nothing_is_lost() -> None:
    # Longer than it is patient with a parcel that alone fails.
    api = Api(*[AWAY] * (3 * MOST_TRIES), alive=False)

    found = ended(api.sending(parcel("a"), parcel("b")))

    assert found.rows == ["a", "b"]
    assert found.problem is None


def test_a_parcel_that_is_refused_costs_only_itself() -> None:
    found = ended(Api(REFUSED).sending(parcel("a", "b"), parcel("c")))

    assert found.rows == ["a: The body is too large.", "b: The body is too large.", "c"]
    assert found.done == 3


def test_a_parcel_that_fails_again_and_again_is_given_up() -> None:
    api = Api(*[AWAY] * MOST_TRIES)

    found = ended(api.sending(parcel("a"), parcel("b")))

    assert found.rows == ["a: Nothing answers.", "b"]
    assert api.calls == MOST_TRIES + 1


def test_what_could_not_be_read_is_told_and_not_sent() -> None:
    api = Api()

    found = ended(api.sending(Parcel((), (), (("a", "damaged"),))))

    assert (found.rows, found.done, api.calls) == (["a: damaged"], 1, 0)


def test_stopping_keeps_what_was_done() -> None:
    arrived, go_on = Event(), Event()

    def send(parcel: Parcel) -> list[str]:
        arrived.set()
        assert go_on.wait(PATIENCE_SECONDS)
        return ["a"]

    found = Sending(
        iter([parcel("a"), parcel("b")]),
        2,
        send=send,
        refused=lambda name, reason: name,
        alive=lambda: True,
    )
    assert arrived.wait(PATIENCE_SECONDS)
    found.stop()
    go_on.set()

    ended(found)
    assert (found.rows, found.done, found.stopped) == (["a"], 1, True)


def test_an_outage_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "FIRST_WAIT_SECONDS", PATIENCE_SECONDS)
    asked = Event()

    def alive() -> bool:
        asked.set()
        return False

    def send(parcel: Parcel) -> list[str]:
        raise AWAY

    found = Sending(
        iter([parcel("a")]), 1, send=send, refused=lambda name, reason: name, alive=alive
    )
    assert asked.wait(PATIENCE_SECONDS)
    found.stop()

    ended(found)
    assert (found.rows, found.stopped) == ([], True)


def test_a_fault_of_the_sender_is_an_end_and_not_a_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threading.excepthook", lambda args: None)

    def cut() -> Iterator[Parcel]:
        yield parcel("a")
        raise MemoryError

    found = Sending(
        cut(), 2, send=lambda parcel: ["a"], refused=lambda name, reason: name, alive=lambda: True
    )

    ended(found)
    assert found.rows == ["a"]
    assert found.stopped
