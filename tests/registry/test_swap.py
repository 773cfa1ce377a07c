"""Two API processes on one catalog switch to a new champion without a failed request."""

import threading
from contextlib import ExitStack
from functools import partial
from itertools import groupby
from pathlib import Path

import httpx
import pytest

from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.processes import running_api
from tests.registry.versions import SHIPPED, a_shipped_package, register_package
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import ANSWER_SECONDS, until

pytestmark = pytest.mark.slow


class Client(threading.Thread):
    """Sends predictions one after another and records each (status, version)."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.responses: list[tuple[int, str]] = []
        self.failure: Exception | None = None
        self.ended = threading.Event()
        self._address = address

    def run(self) -> None:
        photo = encode(draw_fruit("freshapples"), "JPEG")
        try:
            with httpx.Client(base_url=self._address, timeout=ANSWER_SECONDS) as client:
                while not self.ended.is_set():
                    answer = client.post("/predict", files={"file": photo})
                    version = answer.json().get("model_version", "")
                    self.responses.append((answer.status_code, version))
        except Exception as error:
            self.failure = error

    def is_served(self, version: str) -> bool:
        return bool(self.responses) and self.responses[-1][1] == version


def test_every_process_switches_without_a_failed_request(database_url: str, tmp_path: Path) -> None:
    environment = {"RIPELINE_STATE_DIR": str(tmp_path / "state"), "DATABASE_URL": database_url}
    with ExitStack() as processes:
        addresses = [processes.enter_context(running_api(environment)) for _ in range(2)]
        database = Database(database_url)
        package = a_shipped_package(tmp_path, "b")
        register_package(database, Blobs(str(tmp_path / "state" / "blobs")), package)
        database.close()

        clients = [Client(address) for address in addresses * 2]
        for client in clients:
            client.start()
        try:
            for path, version in (("b/promote", "b"), ("rollback", SHIPPED)):
                until(lambda: all(len(client.responses) > 5 for client in clients))
                answer = httpx.post(f"{addresses[0]}/models/{path}", timeout=ANSWER_SECONDS)
                assert answer.json()["version"] == version
                for client in clients:
                    until(partial(client.is_served, version))
        finally:
            for client in clients:
                client.ended.set()
            for client in clients:
                client.join()

    assert [client.failure for client in clients] == [None] * 4
    for client in clients:
        assert {status for status, _ in client.responses} == {200}
        # Each client got the versions only in this order.
        versions = [version for version, _ in groupby(version for _, version in client.responses)]
        assert versions == [SHIPPED, "b", SHIPPED]
