"""The password is compared, and guessed only slowly."""

import pytest
from access.guard import MOST_TRIES, WINDOW_SECONDS, Guard


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(clock: Clock) -> Guard:
    return Guard(clock)


def test_only_the_password_opens(guard: Guard) -> None:
    assert guard.admits("kürbis", "kürbis")
    assert not guard.admits("kürbis", "kurbis")
    assert not guard.admits("kürbis", "")


def test_after_too_many_tries_even_the_password_has_to_wait(guard: Guard, clock: Clock) -> None:
    for _ in range(MOST_TRIES):
        assert guard.seconds_to_wait() == 0
        assert not guard.admits("right", "wrong")
        clock.now += 1

    assert guard.seconds_to_wait() == WINDOW_SECONDS - MOST_TRIES
    assert not guard.admits("right", "right")
    clock.now = WINDOW_SECONDS
    assert guard.admits("right", "right")


def test_right_passwords_are_not_counted(guard: Guard) -> None:
    for _ in range(2 * MOST_TRIES):
        assert guard.admits("right", "right")
