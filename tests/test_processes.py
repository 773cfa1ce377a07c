"""Ports for the services that tests start: no two services of a test run get the same one.

A port is chosen before its service binds it, seconds later on a busy machine. So many are drawn
here that without the rule some would almost certainly be the same.
"""

import socket

import pytest

from tests.processes import free_port

PORTS = 300
PROCESSES = 3


def ports_of(process: int, monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The ports that one of several processes of a test run gets."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER", f"gw{process}")
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", str(PROCESSES))
    monkeypatch.setattr("tests.processes._given", set())
    return {free_port() for _ in range(PORTS)}


def test_no_two_processes_get_the_same_port(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [ports_of(process, monkeypatch) for process in range(PROCESSES)]
    assert len(set.union(*ports)) == sum(map(len, ports))


def test_no_process_gets_a_port_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    for process in range(PROCESSES):
        assert len(ports_of(process, monkeypatch)) == PORTS


def test_process_that_replaces_a_crashed_one_gets_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number is beyond the count of processes."""
    assert len(ports_of(PROCESSES, monkeypatch)) == PORTS


def test_port_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(variable, raising=False)
    with socket.socket() as server:
        server.bind(("127.0.0.1", free_port()))
