"""A container engine, podman or docker, through its command line."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# For podman on a machine without systemd. crun cannot start containers there if cgroups of both
# versions are mounted, and its default limit on open files may be above the machine's.
PODMAN_SETTINGS = """
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
"""
CERTIFICATES = "/etc/ssl/certs"
STAND_IN = "ripeline.stand-in"


class EngineError(Exception):
    """A command of the engine failed; the text is its last line of output."""


class Engine:
    """`program` is podman or docker. `folder` keeps podman's settings for the session."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program = program
        self.is_podman = program == "podman"
        settings = folder / "containers.conf"
        settings.write_text(PODMAN_SETTINGS)
        self._environment = {**os.environ}
        if self.is_podman:
            self._environment["CONTAINERS_CONF"] = str(settings)

    def run(self, *arguments: str) -> str:
        """The output of the command. Raises EngineError."""
        done = self._done(arguments)
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            reason = lines[-1] if lines else f"status {done.returncode}"
            raise EngineError(f"{self.program} {arguments[0]}: {reason}")
        return done.stdout.strip()

    def logs(self, container: str) -> str:
        done = self._done(["logs", container])
        return done.stdout + done.stderr

    def _done(self, arguments: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.program, *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def works(self, *arguments: str) -> bool:
        try:
            self.run(*arguments)
        except EngineError:
            return False
        return True

    def build(self, image: str, context: Path, build: Mapping[str, Any]) -> None:
        """Build an image as a service's `build` in docker-compose.yml says, in `context`."""
        options = ["--tag", image, "--file", str(context / build["dockerfile"])]
        if "target" in build:
            options += ["--target", build["target"]]
        for name, value in build.get("args", {}).items():
            options += ["--build-arg", f"{name}={value}"]
        for name, value in build.get("labels", {}).items():
            options += ["--label", f"{name}={value}"]
        if self.is_podman:
            # Only this format has health checks. The machine's certificates are mounted during the
            # build only, for an index behind a proxy; they do not end up in the image.
            options += ["--format", "docker", "--isolation", "chroot", "--network", "host"]
            options += ["--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro", "--pull=never"]
        self.run("build", *options, str(context))

    def has_image(self, name: str) -> bool:
        return self.works("image", "inspect", name)

    def image(self, name: str) -> dict[str, Any]:
        """What the engine says about an image: `Size` in bytes, `Config` with its labels."""
        [inspected] = json.loads(self.run("image", "inspect", name))
        return dict(inspected)

    def stood_in_for(self, image: str) -> str:
        """What stands in for the image's base; empty if it has the published one."""
        labels: Mapping[str, str] = self.image(image)["Config"].get("Labels") or {}
        return labels.get(STAND_IN, "")

    def state(self, container: str) -> dict[str, Any]:
        """A container's state: `Running`, `Pid`, `ExitCode`, `OOMKilled`."""
        [inspected] = json.loads(self.run("container", "inspect", container))
        return dict(inspected["State"])

    def is_healthy(self, container: str) -> bool:
        """Run the image's own health check now, since podman leaves its schedule to systemd."""
        if self.is_podman:
            return self.works("healthcheck", "run", container)
        return bool(self.state(container)["Health"]["Status"] == "healthy")

    def crash(self, container: str, image: str) -> None:
        """SIGKILL the container's first process as the kernel would, so that it is restarted. The
        engine's own `kill` would count as a wanted stop. The image's Python sends the signal from a
        container that sees the machine's processes, which needs no root here.
        """
        code = f"import os; os.kill({self.state(container)['Pid']}, 9)"
        options = ["--rm", "--pid", "host", "--user", "0", "--network", "none"]
        self.run("run", *options, "--entrypoint", "python", image, "-c", code)


def find_engine(folder: Path) -> Engine:
    """The first engine that works. Raises EngineError with the reason if there is none."""
    reasons = []
    for program in ("podman", "docker"):
        if shutil.which(program) is None:
            reasons.append(f"{program} is not installed")
            continue
        engine = Engine(program, folder)
        try:
            engine.run("info")
        except EngineError as error:
            reasons.append(str(error))
            continue
        return engine
    raise EngineError("; ".join(reasons))
