"""A real PostgreSQL server for tests."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

from tests.processes import free_port

INSTALLED = Path("/usr/lib/postgresql")  # On Debian.
START_SECONDS = 600  # For a busy machine; the default is 60.


def binaries() -> Path | None:
    """The folder with the newest server's programs, if one is installed."""
    installed = sorted(INSTALLED.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if installed:
        return installed[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


class Server:
    """A server on loopback with its own data folder, which can be killed and started again."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._port = free_port()
        # The path of a socket must be short, and the server refuses to run as root.
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._account = _account()
        if self._account:
            os.chown(self._folder, self._account.pw_uid, self._account.pw_gid)
        self._data = self._folder / "data"
        # The URL of its first database.
        self.address = f"postgresql://ripeline@127.0.0.1:{self._port}/postgres"
        self._run("initdb", "-D", str(self._data), "-U", "ripeline", "-A", "trust", "-N")

    def start(self) -> None:
        options = f"-c listen_addresses=127.0.0.1 -p {self._port} -k {self._folder} -c fsync=off"
        log = str(self._folder / "log")
        arguments = ("-w", "-t", str(START_SECONDS), "-l", log, "-o", options)
        self._run("pg_ctl", "-D", str(self._data), *arguments, "start")

    def kill(self) -> None:
        """Stop it without finishing running transactions."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", "immediate", "stop")

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._programs / program), *arguments],
            check=True,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            user=self._account.pw_uid if self._account else None,
            group=self._account.pw_gid if self._account else None,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        )


@contextmanager
def server(programs: Path) -> Iterator[Server]:
    """A running server; a test that kills it must start it again."""
    server = Server(programs)
    try:
        server.start()
        try:
            yield server
        finally:
            server.kill()
    finally:
        server.remove()


@contextmanager
def running_server(programs: Path) -> Iterator[str]:
    """The URL of the first database of a running server."""
    with server(programs) as running:
        yield running.address


def fresh_database(server: str, template: str = "template1", encoding: str = "") -> str:
    """The URL of a new database on the server, copied from the one named `template`. Only template0
    can be copied in another encoding."""
    name = f"test_{uuid4().hex}"
    other = f"ENCODING '{encoding}' LOCALE 'C'" if encoding else ""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} {other}".encode())
    return f"{server.rpartition('/')[0]}/{name}"


def _account() -> pwd.struct_passwd | None:
    """The account for the server if the tests run as root, which it refuses to do."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None
