"""The full profile of docker-compose.yml as plain processes on loopback.

Each gets its environment from Compose, with loopback addresses in place of host names. moto serves
the bucket.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.deploy.composition import services, variables
from tests.monitoring.webhook import Webhook, running_webhook
from tests.postgres import Server, fresh_database
from tests.processes import API, WORKER, Processes, app_command, free_port, service_environment
from tests.stack.prometheus import Prometheus, alertmanager_command, prometheus_command
from tests.stack.proxy import nginx_command
from tests.waiting import ANSWER_SECONDS, until

PARTS = ("nginx", "nginx-app", "app", "bucket", "prometheus", "alertmanager", "alerts")
READY = "Ready for retraining runs."


class Stack:
    """Starts services in Compose's order. `replicas` are the URLs of the API's replicas by name;
    `webhook` receives the alerts."""

    def __init__(self, folder: Path, database: Server, webhook: Webhook) -> None:
        self.database = database
        self.webhook = webhook
        self.processes = Processes(folder)
        self._folder = folder
        self._ports = {name: free_port() for name in PARTS}
        settings = self._settings(fresh_database(database.address))
        self._services = services(settings, full=True)
        api, worker = (int(self._services[one]["deploy"]["replicas"]) for one in ("api", "worker"))
        self.replica_ports = {f"api-{number}": free_port() for number in range(1, api + 1)}
        self.replicas = {name: _at(port) for name, port in self.replica_ports.items()}
        self.workers = [f"worker-{number}" for number in range(1, worker + 1)]
        self.url, self.app_url = _at(self._ports["nginx"]), _at(self._ports["nginx-app"])
        self.prometheus = Prometheus(_at(self._ports["prometheus"]))
        self.key = settings["RIPELINE_API_KEY"]
        self._metrics_key = settings["RIPELINE_METRICS_KEY"]

    def start(self) -> None:
        self._start_bucket()
        self._start_app()
        self.start_stopped()
        self._start_nginx()
        self._start_alertmanager()
        self._start_prometheus()
        # Grading the same image again and again is drift, which would trigger runs.
        with self.client() as client:
            client.put("/triggers/drift", json={"enabled": False}).raise_for_status()

    def start_stopped(self) -> None:
        """Start the replicas and workers that are not running, and wait until all are ready."""
        for name, port in self.replica_ports.items():
            if not self.processes.is_running(name):
                environment = {**self._environment("api", name), "RIPELINE_API_PORT": str(port)}
                self.processes.start(name, API, environment)
        for name in self.workers:
            if not self.processes.is_running(name):
                self.processes.start(name, WORKER, self._environment("worker", name))
        for name, url in self.replicas.items():
            self.processes.wait_until_ready(name, f"{url}/ready")
        for name in self.workers:
            self._wait_for_worker(name)

    def client(self, url: str = "") -> httpx.Client:
        """A client with a key for changes, through nginx or at `url`."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(
            base_url=url or self.url, headers=headers, timeout=ANSWER_SECONDS, trust_env=False
        )

    def versions(self) -> dict[str, str]:
        """The version that each replica serves."""
        served = {}
        for name, url in self.replicas.items():
            with self.client(url) as replica:
                served[name] = replica.get("/model-info").json()["model_info"]["version"]
        return served

    def until_all_serve(self, version: str) -> None:
        until(lambda: set(self.versions().values()) == {version})

    def _settings(self, database_url: str) -> dict[str, str]:
        return {
            **variables(full=True),
            "DATABASE_URL": database_url,
            "AWS_ENDPOINT_URL": _at(self._ports["bucket"]),
            "RIPELINE_API_URL": _at(self._ports["nginx"]),
            # Each worker tracks its runs in its state folder.
            "MLFLOW_TRACKING_URI": "",
        }

    def _environment(self, service: str, name: str) -> dict[str, str]:
        """What Compose passes to the service, plus its own state folder."""
        folder = self._folder / f"state-{name}"
        environment: Mapping[str, str] = self._services[service]["environment"]
        return {**service_environment(str(folder)), **environment}

    def _wait_for_worker(self, name: str) -> None:
        """Count the ready lines, since the log also has those of earlier starts."""
        until(lambda: self.processes.log(name).count(READY) == self.processes.starts[name])

    def _start_bucket(self) -> None:
        port = self._ports["bucket"]
        moto = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port))
        self.processes.start("bucket", moto)
        self.processes.wait_until_ready("bucket", f"{_at(port)}/moto-api/")
        python, *arguments = self._services["bucket"]["command"]
        assert python == "python"
        environment = self._environment("bucket", "bucket")
        subprocess.run([sys.executable, *arguments], env=environment, check=True)

    def _start_app(self) -> None:
        port = self._ports["app"]
        environment = {**os.environ, **self._services["ui"]["environment"]}
        self.processes.start("app", app_command(port), environment)
        self.processes.wait_until_ready("app", f"{_at(port)}/_stcore/health")

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
        self.processes.wait_until_ready("nginx", f"{self.url}/ready")

    def _start_alertmanager(self) -> None:
        """Start Alertmanager and its receiver, which notifies the webhook."""
        port, relay = self._ports["alertmanager"], self._ports["alerts"]
        python, *arguments = self._services["alerts"]["command"]
        assert python == "python"
        environment = {
            **self._environment("alerts", "alerts"),
            "RIPELINE_API_PORT": str(relay),
            "RIPELINE_NOTIFY": self.webhook.url,
        }
        self.processes.start("alerts", (sys.executable, *arguments), environment)
        self.processes.wait_until_ready("alerts", f"{_at(relay)}/ready")
        self.processes.start("alertmanager", alertmanager_command(self._folder, port, relay))
        self.processes.wait_until_ready("alertmanager", f"{_at(port)}/-/ready")

    def _start_prometheus(self) -> None:
        port = self._ports["prometheus"]
        replicas = list(self.replica_ports.values())
        command = prometheus_command(
            self._folder, port, replicas, self._metrics_key, self._ports["alertmanager"]
        )
        self.processes.start("prometheus", command)
        self.processes.wait_until_ready("prometheus", f"{_at(port)}/-/ready")


@contextmanager
def running_stack(folder: Path, database: Server) -> Iterator[Stack]:
    with running_webhook() as webhook:
        stack = Stack(folder, database, webhook)
        try:
            stack.start()
            yield stack
        finally:
            stack.processes.stop()


def _at(port: int) -> str:
    return f"http://127.0.0.1:{port}"
