"""Starts a profile of docker-compose.yml as the containers that Compose would start."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from api.settings import PROJECT
from tests.containers.engine import Engine, EngineError
from tests.containers.flags import READ_ELSEWHERE, flags, image_command
from tests.containers.stand_ins import is_stand_in, provide
from tests.deploy.composition import composition, services, variables
from tests.processes import free_port
from tests.waiting import ANSWER_SECONDS, until

# The image of each pair of Dockerfile and target in a service's `build`.
IMAGES = {
    ("Dockerfile.api", "serve"): "ripeline-test/serve",
    ("Dockerfile.api", "worker"): "ripeline-test/worker",
    ("Dockerfile.ui", ""): "ripeline-test/ui",
}
# Last byte of the first replica's fixed address, for an nginx that resolves names only once.
FIRST_ADDRESS = 100


class Profile:
    """Its services as containers, with their own network and volumes. `settings` take precedence
    over those of the profile. `folder` keeps secrets, which are mounted as files. `images` are for
    services that run another image than the file says. Services whose image cannot be obtained are
    in `left_out`, with the reason.
    """

    def __init__(
        self, engine: Engine, folder: Path, settings: Mapping[str, str], *, full: bool
    ) -> None:
        self._engine, self._folder, self._full = engine, folder, full
        self.project = f"ripeline-test-{uuid4().hex[:8]}"
        self.known = {**variables(full=full), **settings}
        self.services = services(self.known, full=full)
        self.left_out: dict[str, str] = {}
        self.images: dict[str, str] = {}
        whole = composition(self.known)
        self._volumes, self._secrets = list(whole["volumes"]), whole["secrets"]
        self.key = self.known["RIPELINE_API_KEY"]
        self._ports: dict[tuple[str, str], int] = {}

    def build(self) -> None:
        """Make sure that all images exist."""
        for name, service in list(self.services.items()):
            try:
                if "build" in service:
                    self._engine.build(self.image(name), PROJECT, service["build"])
                else:
                    provide(self._engine, service["image"])
            except EngineError as error:
                if "build" in service:
                    raise
                self.left_out[name] = str(error)
                del self.services[name]

    def up(self, only: str = "") -> None:
        """Create network and volumes, and start the services in the order of their dependencies, or
        only one."""
        if not self._engine.works("network", "inspect", self.project):
            self._engine.run("network", "create", self.project)
        waiting = {name: self.services[name] for name in ([only] if only else self.services)}
        while waiting:
            ready = [name for name in waiting if not set(self._dependencies(name)) & set(waiting)]
            assert ready, f"These depend on each other: {sorted(waiting)}"
            for name in ready:
                for dependency, condition in self._dependencies(name).items():
                    self._wait(dependency, condition)
                service = waiting.pop(name)
                for container in self.containers(name):
                    options = self._options(name, container, service)
                    self._engine.run("run", "--detach", *options)

    def down(self) -> None:
        """Remove the containers, but keep the volumes."""
        every = [container for name in self.services for container in self.containers(name)]
        for container in every:
            if self._engine.works("container", "inspect", container):
                self._engine.run("rm", "--force", "--volumes", container)

    def remove(self) -> None:
        self.down()
        for volume in self._volumes:
            if self._engine.works("volume", "inspect", f"{self.project}-{volume}"):
                self._engine.run("volume", "rm", f"{self.project}-{volume}")
        if self._engine.works("network", "inspect", self.project):
            self._engine.run("network", "rm", self.project)

    def containers(self, service: str) -> list[str]:
        """The names of a service's containers, one for each replica, as Compose names them."""
        count = int(self.services[service].get("deploy", {"replicas": 1})["replicas"])
        return [f"{self.project}-{service}-{number}" for number in range(1, count + 1)]

    def container(self, service: str) -> str:
        """The container of a service with one replica."""
        [only] = self.containers(service)
        return only

    def image(self, service: str) -> str:
        stated = self.services[service]
        if service in self.images:
            return self.images[service]
        if "build" not in stated:
            return str(stated["image"])
        return IMAGES[stated["build"]["dockerfile"], stated["build"].get("target", "")]

    def url(self, container: str, port: int) -> str:
        """The URL at which this machine reaches the container's port."""
        return f"http://127.0.0.1:{self._ports[container, str(port)]}"

    def log(self, container: str) -> str:
        return self._engine.logs(container)

    def until_healthy(self, service: str) -> None:
        for container in self.containers(service):
            until(partial(self._engine.is_healthy, container))

    def client(self, url: str) -> httpx.Client:
        """A client with the key for changes."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=url, headers=headers, timeout=ANSWER_SECONDS, trust_env=False)

    def _dependencies(self, name: str) -> dict[str, str]:
        """Services of this profile that must start first, with the condition to wait for."""
        needed = self.services[name].get("depends_on", {})
        if isinstance(needed, list):
            needed = {one: {"condition": "service_started"} for one in needed}
        return {one: str(needed[one]["condition"]) for one in needed if one in self.services}

    def _wait(self, service: str, condition: str) -> None:
        if condition == "service_healthy":
            self.until_healthy(service)
        elif condition == "service_completed_successfully":
            container = self.container(service)
            until(lambda: not self._engine.state(container)["Running"])
            assert self._engine.state(container)["ExitCode"] == 0, self.log(container)
        else:
            assert condition == "service_started", condition

    def _options(self, name: str, container: str, service: Mapping[str, Any]) -> list[str]:
        """The arguments of `run`."""
        options = ["--name", container, "--network", self.project, "--network-alias", name]
        for key, value in self._adapted(name, service).items():
            if key not in READ_ELSEWHERE:
                options += flags(key, value, podman=self._engine.is_podman)
        for port in service.get("ports", ()):
            # A free port of this machine instead of the one in the file.
            _, _, inside = port.rpartition(":")
            known = self._ports.setdefault((container, inside), free_port())
            options += ["--publish", f"127.0.0.1:{known}:{inside}"]
        for volume in service.get("volumes", ()):
            options += ["--volume", self._mounted(volume)]
        for secret in service.get("secrets", ()):
            file = self._folder / secret
            file.write_text(self.known[self._secrets[secret]["environment"]])
            options += ["--volume", f"{file}:/run/secrets/{secret}:ro"]
        if name == "api" and self._is_nginx_old():
            number = FIRST_ADDRESS + self.containers(name).index(container)
            options += ["--ip", f"{self._gateway().rpartition('.')[0]}.{number}"]
        if self._engine.is_podman and service.get("read_only"):
            # Without this, podman makes more folders writable than Compose does.
            options.append("--read-only-tmpfs=false")
        return [*options, self.image(name), *image_command(service)]

    def _mounted(self, volume: str) -> str:
        source, _, target = volume.partition(":")
        if not target:
            return source
        if source.startswith("."):
            return f"{(PROJECT / source).resolve()}:{target}"
        return f"{self.project}-{volume}"

    def _adapted(self, name: str, service: Mapping[str, Any]) -> Mapping[str, Any]:
        """Adapt nginx: podman's resolver has another address, and Debian's older nginx resolves
        names only at startup.
        """
        if name != "nginx" or not self._engine.is_podman:
            return service
        environment = {**service["environment"], "RESOLVER": self._gateway()}
        if self._is_nginx_old():
            for servers in ("API_SERVERS", "APP_SERVERS"):
                environment[servers] = environment[servers].replace(" resolve", "")
        return {**service, "environment": environment}

    def _is_nginx_old(self) -> bool:
        return "nginx" in self.services and is_stand_in(self._engine, self.image("nginx"))

    def _gateway(self) -> str:
        """The network's gateway, where podman resolves names."""
        form = "{{(index .Subnets 0).Gateway}}"
        return self._engine.run("network", "inspect", "--format", form, self.project)
