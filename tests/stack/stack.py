"""The full profile of docker-compose.yml as plain processes on loopback.

Each gets the environment that Compose would give it, with loopback addresses in the place of names.
moto's server stands in for the bucket.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.deploy.composition import services, variables
from tests.fleet import API, WORKER, Processes
from tests.postgres import Server, fresh_database
from tests.processes import app_command, free_port, service_environment
from tests.stack.front import nginx_command
from tests.stack.watch import Prometheus, prometheus_command
from tests.waiting import until

PARTS = ("nginx", "nginx-app", "app", "bucket", "prometheus")
READY = "Ready for retraining runs."


class Stack:
    """Starts in the order in which Compose would. `replicas` are the addresses by name."""

    def __init__(self, folder: Path, database: Server) -> None:
        self.database = database
        self.processes = Processes(folder)
        self._folder = folder
        self._ports = {name: free_port() for name in PARTS}
        known = self._known(fresh_database(database.address))
        self._services = services(known, full=True)
        api, worker = (int(self._services[one]["deploy"]["replicas"]) for one in ("api", "worker"))
        self.replica_ports = {f"api-{number}": free_port() for number in range(1, api + 1)}
        self.replicas = {name: _at(port) for name, port in self.replica_ports.items()}
        self.workers = [f"worker-{number}" for number in range(1, worker + 1)]
        self.url, self.app_url = _at(self._ports["nginx"]), _at(self._ports["nginx-app"])
        self.prometheus = Prometheus(_at(self._ports["prometheus"]))
        self.key = known["RIPELINE_API_KEY"]
        self._metrics_key = known["RIPELINE_METRICS_KEY"]

    def start(self) -> None:
        self._start_bucket()
        self._start_app()
        self.make_whole()
        self._start_nginx()
        self._start_prometheus()
        # The same picture graded again and again is drift, which would start runs by itself.
        with self.client() as client:
            client.put("/triggers/drift", json={"enabled": False}).raise_for_status()

    def make_whole(self) -> None:
        """Start the replicas and workers that do not run; all are ready when this returns."""
        for name, port in self.replica_ports.items():
            if not self.processes.runs(name):
                environment = {**self._environment("api", name), "RIPELINE_API_PORT": str(port)}
                self.processes.start(name, API, environment)
        for name in self.workers:
            if not self.processes.runs(name):
                self.processes.start(name, WORKER, self._environment("worker", name))
        for name, url in self.replicas.items():
            self.processes.wait_until_it_answers(name, f"{url}/ready")
        for name in self.workers:
            self._wait_for_worker(name)

    def client(self, url: str = "") -> httpx.Client:
        """Who may change things, through nginx or at `url`."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=url or self.url, headers=headers, timeout=60, trust_env=False)

    def versions(self) -> dict[str, str]:
        """What each replica serves."""
        found = {}
        for name, url in self.replicas.items():
            with self.client(url) as replica:
                found[name] = replica.get("/model-info").json()["model_info"]["version"]
        return found

    def until_all_serve(self, version: str) -> None:
        until(lambda: set(self.versions().values()) == {version})

    def _known(self, database_url: str) -> dict[str, str]:
        return {
            **variables(full=True),
            "DATABASE_URL": database_url,
            "AWS_ENDPOINT_URL": _at(self._ports["bucket"]),
            "RIPELINE_API_URL": _at(self._ports["nginx"]),
            # Runs are tracked in each worker's own folder.
            "MLFLOW_TRACKING_URI": "",
        }

    def _environment(self, service: str, name: str) -> dict[str, str]:
        """What Compose gives the service, and a state folder as on a machine of its own."""
        folder = self._folder / f"state-{name}"
        given: Mapping[str, str] = self._services[service]["environment"]
        return {**service_environment(str(folder)), **given}

    def _wait_for_worker(self, name: str) -> None:
        """One that was killed said it before, too."""
        until(lambda: self.processes.said(name).count(READY) == self.processes.starts[name])

    def _start_bucket(self) -> None:
        port = self._ports["bucket"]
        moto = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port))
        self.processes.start("bucket", moto)
        self.processes.wait_until_it_answers("bucket", f"{_at(port)}/moto-api/")
        python, *makes_it = self._services["bucket"]["command"]
        assert python == "python"
        given = self._environment("bucket", "bucket")
        subprocess.run([sys.executable, *makes_it], env=given, check=True)

    def _start_app(self) -> None:
        port = self._ports["app"]
        given = {**os.environ, **self._services["ui"]["environment"]}
        self.processes.start("app", app_command(port), given)
        self.processes.wait_until_it_answers("app", f"{_at(port)}/_stcore/health")

    def _start_nginx(self) -> None:
        command = nginx_command(
            self._folder,
            self._services["nginx"]["environment"],
            api_port=self._ports["nginx"],
            app_port=self._ports["nginx-app"],
            replicas=list(self.replica_ports.values()),
            app=self._ports["app"],
        )
        self.processes.start("nginx", command)
        self.processes.wait_until_it_answers("nginx", f"{self.url}/ready")

    def _start_prometheus(self) -> None:
        port = self._ports["prometheus"]
        replicas = list(self.replica_ports.values())
        command = prometheus_command(self._folder, port, replicas, self._metrics_key)
        self.processes.start("prometheus", command)
        self.processes.wait_until_it_answers("prometheus", f"{_at(port)}/-/ready")


@contextmanager
def running_stack(folder: Path, database: Server) -> Iterator[Stack]:
    stack = Stack(folder, database)
    try:
        stack.start()
        yield stack
    finally:
        stack.processes.stop()


def _at(port: int) -> str:
    return f"http://127.0.0.1:{port}"
