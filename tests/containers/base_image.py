"""The base image of the Dockerfiles: pulled, or built from Debian's packages under the same
name."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.containers.engine import STAND_IN, Engine, EngineError

BASE = re.compile(r"python:(?P<python>3\.\d+)(?P<slim>-slim)?-(?P<suite>[a-z]+)")
PACKAGES = "python3,python3-venv,ca-certificates,netbase,tzdata"
# What the Dockerfiles use of the full image's additional packages.
MORE = ",binutils"
# Paths that the published image leaves out as well.
LEFT_OUT = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*", "/usr/share/info/*")
# Gives commands the published image's names, and removes the package sources.
FINISH = """
ln -s /usr/bin/python3 "$1/usr/local/bin/python"
rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* "$1"/etc/resolv.conf
rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/log/*
"""


def provide_base(engine: Engine, name: str) -> None:
    """Make sure that the engine has the image. Raises EngineError if it cannot be obtained."""
    if engine.has_image(name) or engine.works("pull", f"docker.io/library/{name}"):
        return
    match = BASE.fullmatch(name)
    if match is None:
        raise EngineError(f"{name} cannot be pulled, and has no stand-in")
    make_debian(engine, name, match["suite"], PACKAGES if match["slim"] else PACKAGES + MORE)
    version = engine.run("run", "--rm", "--network", "none", name, "python", "--version")
    if not version.startswith(f"Python {match['python']}."):
        engine.run("image", "rm", name)
        raise EngineError(f"Debian {match['suite']} has {version}, {name} another")


def make_debian(engine: Engine, name: str, suite: str, packages: str) -> None:
    """Build an image of that name with a minimal Debian and `packages`. Raises EngineError."""
    if shutil.which("mmdebstrap") is None:
        raise EngineError(f"{name} cannot be pulled, and mmdebstrap is not installed")
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "base.tar"
        _bootstrap(suite, packages, archive)
        stand_in = f"Debian {suite} by mmdebstrap, in place of {name}"
        changes = ["--change", f'LABEL {STAND_IN}="{stand_in}"', "--change", 'CMD ["python"]']
        engine.run("import", *changes, str(archive), name)


def _bootstrap(suite: str, packages: str, archive: Path) -> None:
    """Write a minimal Debian with its Python, from this machine's own package sources."""
    listed = _output("apt-get", "indextargets", "--format", "$(REPO_URI)", "Label: Debian")
    mirrors = sorted(set(listed.split()))
    if not mirrors:
        raise EngineError("apt-get knows no repository of Debian: run apt-get update")
    excluded = [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    options = ["--variant=minbase", f"--include={packages}", *excluded, "--quiet"]
    _output("mmdebstrap", *options, f"--customize-hook={FINISH}", suite, str(archive), mirrors[0])


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        # Leaves out the output, which names the machine's package sources.
        raise EngineError(f"{command[0]} ended with status {done.returncode}")
    return done.stdout
