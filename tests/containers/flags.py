"""Translates a service of docker-compose.yml into flags of an engine's `run`. An unknown key fails,
so that nothing in the file is ignored.
"""

import shlex
from collections.abc import Callable, Mapping
from typing import Any

# Keys that are not container flags; other modules of this package read them.
READ_ELSEWHERE = {
    *("build", "image", "profiles", "depends_on", "deploy"),
    *("command", "volumes", "ports", "secrets"),
}


def flags(key: str, value: Any, *, podman: bool) -> list[str]:
    """The flags for a key. Raises KeyError for an unknown one."""
    if key == "tmpfs" and podman:
        # Podman has no option for the owner, but anybody may write there anyway.
        value = [one.partition(":")[0] for one in value]
    return _FLAGS[key](value)


def image_command(service: Mapping[str, Any]) -> list[str]:
    """The arguments after the image."""
    return [str(part) for part in service.get("command", ())]


def _each(flag: str) -> Callable[[Any], list[str]]:
    return lambda values: [part for value in values for part in (flag, str(value))]


def _health_check(stated: Mapping[str, Any]) -> list[str]:
    if stated.get("disable"):
        return ["--no-healthcheck"]
    kind, *command = stated["test"]
    assert kind == "CMD", kind
    options = ["--health-cmd", shlex.join(command)]
    times = {"interval": "interval", "timeout": "timeout", "start_period": "start-period"}
    assert set(stated) <= {"test", *times}
    for name, flag in times.items():
        if name in stated:
            options += [f"--health-{flag}", stated[name]]
    return options


_FLAGS: dict[str, Callable[[Any], list[str]]] = {
    "environment": lambda known: _each("--env")(f"{key}={value}" for key, value in known.items()),
    "tmpfs": _each("--tmpfs"),
    "cap_drop": _each("--cap-drop"),
    "security_opt": _each("--security-opt"),
    "read_only": lambda is_set: ["--read-only"] if is_set else [],
    "restart": lambda policy: ["--restart", policy],
    "stop_grace_period": lambda period: ["--stop-timeout", period.removesuffix("s")],
    "cpu_shares": lambda shares: ["--cpu-shares", str(shares)],
    "user": lambda user: ["--user", user],
    "healthcheck": _health_check,
}
