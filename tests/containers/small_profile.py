"""The small profile of docker-compose.yml, as the containers that Compose would start.

Each key of a service becomes the flag of the engine that it stands for. A key that is not known
here fails, so that nothing of the file is passed over.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import httpx

from tests.containers.engine import Engine
from tests.deploy.composition import composition, services, variables
from tests.processes import free_port
from tests.waiting import ANSWER_SECONDS, until

# Image of each service, as its `build` names Dockerfile and target.
IMAGES = {
    ("Dockerfile.api", "serve"): "ripeline-test/serve",
    ("Dockerfile.api", "worker"): "ripeline-test/worker",
    ("Dockerfile.ui", ""): "ripeline-test/ui",
}
# Not flags of a container: what they say is read elsewhere in this module.
READ_ELSEWHERE = {"build", "depends_on", "volumes", "deploy"}


def _each(flag: str) -> Callable[[Any], list[str]]:
    return lambda values: [part for value in values for part in (flag, str(value))]


FLAGS: dict[str, Callable[[Any], list[str]]] = {
    "environment": lambda known: _each("--env")(f"{key}={value}" for key, value in known.items()),
    "ports": _each("--publish"),
    "tmpfs": _each("--tmpfs"),
    "cap_drop": _each("--cap-drop"),
    "security_opt": _each("--security-opt"),
    "read_only": lambda is_set: ["--read-only"] if is_set else [],
    "restart": lambda policy: ["--restart", policy],
    "stop_grace_period": lambda period: ["--stop-timeout", period.removesuffix("s")],
    "cpu_shares": lambda shares: ["--cpu-shares", str(shares)],
}


class SmallProfile:
    """API, worker and app as containers, with a network and volumes of their own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._project = f"ripeline-test-{uuid4().hex[:8]}"
        api_port, ui_port = free_port(), free_port()
        known = variables(full=False)
        known["RIPELINE_API_PORT"], known["RIPELINE_UI_PORT"] = str(api_port), str(ui_port)
        self.services = services(known, full=False)
        self._volumes = list(composition(known)["volumes"])
        self.url = f"http://127.0.0.1:{api_port}"
        self.app_url = f"http://127.0.0.1:{ui_port}"
        self.key = known["RIPELINE_API_KEY"]

    def up(self) -> None:
        """Network, volumes, and the services in the order of what they depend on."""
        if not self._engine.works("network", "inspect", self._project):
            self._engine.run("network", "create", self._project)
        waiting = dict(self.services)
        while waiting:
            ready = [name for name in waiting if not self._dependencies(name) & set(waiting)]
            assert ready, f"These depend on each other: {sorted(waiting)}"
            for name in ready:
                for dependency in self._dependencies(name):
                    self.until_healthy(dependency)
                self._engine.run("run", "--detach", *self._options(name, waiting.pop(name)))

    def down(self) -> None:
        """Remove the containers; the volumes stay."""
        for name in self.services:
            if self._engine.works("container", "inspect", self.container(name)):
                self._engine.run("rm", "--force", "--volumes", self.container(name))

    def remove(self) -> None:
        self.down()
        for volume in self._volumes:
            if self._engine.works("volume", "inspect", f"{self._project}-{volume}"):
                self._engine.run("volume", "rm", f"{self._project}-{volume}")
        if self._engine.works("network", "inspect", self._project):
            self._engine.run("network", "rm", self._project)

    def container(self, service: str) -> str:
        return f"{self._project}-{service}"

    def image(self, service: str) -> str:
        build = self.services[service]["build"]
        return IMAGES[build["dockerfile"], build.get("target", "")]

    def log(self, service: str) -> str:
        return self._engine.logs(self.container(service))

    def until_healthy(self, service: str) -> None:
        container = self.container(service)

        def look() -> bool:
            return self._engine.is_healthy(container)

        until(look)

    def client(self) -> httpx.Client:
        """With the key for changes."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(
            base_url=self.url, headers=headers, timeout=ANSWER_SECONDS, trust_env=False
        )

    def _dependencies(self, name: str) -> set[str]:
        """Services of this profile that must be healthy first."""
        needed: Mapping[str, Mapping[str, Any]] = self.services[name].get("depends_on", {})
        for other, how in needed.items():
            assert how["condition"] == "service_healthy" or other not in self.services
            assert other in self.services or how["required"] is False
        return set(needed) & set(self.services)

    def _options(self, name: str, service: Mapping[str, Any]) -> list[str]:
        """The arguments of `run`."""
        assert int(service.get("deploy", {"replicas": 1})["replicas"]) == 1
        options = ["--name", self.container(name), "--network", self._project]
        options += ["--network-alias", name]
        for key, value in service.items():
            if key not in READ_ELSEWHERE:
                options += FLAGS[key](value)
        for volume in service.get("volumes", ()):
            named, _, target = volume.partition(":")
            options += ["--volume", f"{self._project}-{volume}" if target else named]
        if self._engine.is_podman and service.get("read_only"):
            # Podman would make more folders writable than Compose says.
            options.append("--read-only-tmpfs=false")
        return [*options, self.image(name)]
