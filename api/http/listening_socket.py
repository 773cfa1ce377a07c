"""The sockets of several API processes on one port.

With one socket for all, the process that wakes first takes all waiting connections. Clients keep
their connections, so one process would then serve them all while the others idle.
"""

import socket
import sys

import uvicorn
from uvicorn.supervisors import Multiprocess

# Elsewhere the kernel may give all connections to the process that bound its socket last.
_DEALT_BY_KERNEL = sys.platform == "linux"
_Address = tuple[str | int, ...]


class SocketOfEachProcess(socket.socket):
    """Bound, not listening. A process that receives it binds its own to the same port, and Linux
    spreads the connections evenly among those that listen.
    """

    def __reduce__(self) -> tuple[object, tuple[int, _Address]]:
        return bind, (int(self.family), self.getsockname())


def bind(family: int, address: _Address) -> SocketOfEachProcess:
    """Raises OSError if another user's process has the port."""
    bound = SocketOfEachProcess(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(address)
    return bound


def run_processes(config: uvicorn.Config) -> None:
    """Serve with `config.workers` processes until SIGTERM or SIGINT."""
    shared = config.bind_socket()  # Ends the program if anything listens on this port already.
    if _DEALT_BY_KERNEL:
        family, address = shared.family, shared.getsockname()
        shared.close()
        shared = bind(family, address)
    Multiprocess(config, sockets=[shared]).run()
