"""The simulation of users and processes obeys the laws that hold for any queue."""

import pytest

from benchmarks.queueing import Machine, simulate

SERVER, LOAD = 0.004, 0.001


def test_one_user_waits_for_nobody() -> None:
    found = simulate(Machine(2, SERVER, LOAD), processes=1, users=1)
    assert found.per_second == pytest.approx(1 / (SERVER + LOAD), rel=0.01)
    assert found.p95 == pytest.approx(SERVER)


def test_one_process_serves_one_request_at_a_time() -> None:
    found = simulate(Machine(8, SERVER), processes=1, users=16)
    assert found.per_second == pytest.approx(1 / SERVER, rel=0.01)
    # J. D. C. Little's law (1961): users equal requests per second times seconds per request.
    assert found.p95 == pytest.approx(16 * SERVER, rel=0.01)


@pytest.mark.parametrize("processes", [2, 4, 8])
def test_cores_are_the_bound_of_many_processes(processes: int) -> None:
    found = simulate(Machine(2, SERVER, LOAD), processes=processes, users=64)
    assert found.per_second == pytest.approx(2 / (SERVER + LOAD), rel=0.02)


def test_processes_are_the_bound_of_many_cores() -> None:
    found = simulate(Machine(16, SERVER), processes=4, users=64)
    assert found.per_second == pytest.approx(4 / SERVER, rel=0.02)


def test_users_on_one_process_leave_the_others_idle() -> None:
    """Two users land on the same process by chance in about half of all cases."""
    machine = Machine(4, SERVER)
    rates = [simulate(machine, processes=2, users=2, seed=seed).per_second for seed in range(40)]
    together = sum(rate == pytest.approx(1 / SERVER, rel=0.01) for rate in rates)
    apart = sum(rate == pytest.approx(2 / SERVER, rel=0.01) for rate in rates)
    assert together + apart == 40
    assert 10 <= together <= 30
