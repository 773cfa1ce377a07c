"""The content of each image, tested without Docker: `make test-images`. Uses the Dockerfiles' lock
files, install commands, files and start command, with this machine's Python.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.settings import PROJECT
from tests.deploy.dockerfile import Stage, copied, exec_form, image, last, sources, stages
from tests.processes import free_port
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.images
TRAINING = ("tensorflow", "keras", "mlflow", "sklearn", "scipy", "matplotlib", "torch")
# Dockerfile, target, modules that it must import, maximum size in MB without Python.
IMAGES = {
    "serve": (
        "Dockerfile.api",
        "serve",
        ("api.app", "api.worker", "api.retraining.run_process"),
        400,
    ),
    "ui": ("Dockerfile.ui", "", ("streamlit", "plotly", "httpx"), 350),
    "worker": (
        "Dockerfile.api",
        "worker",
        ("api.worker", "api.training.train", "mlflow.server"),
        1600,
    ),
}


@dataclass(frozen=True)
class Built:
    """The image's /venv and /app."""

    name: str
    chain: list[Stage]
    venv: Path
    app: Path

    def environment(self) -> dict[str, str]:
        """The environment, with only PATH from this process."""
        path = f"{self.venv / 'bin'}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.app), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.app,
            env={**self.environment(), **more},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module", params=list(IMAGES))
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    name: str = request.param
    file, target, _, _ = IMAGES[name]
    folder = tmp_path_factory.mktemp(name)
    chain = image(PROJECT / file, target)
    built = Built(name, chain, folder / "venv", folder / "app")
    built.app.mkdir()
    install(built, PROJECT / file)
    for stage in chain:
        for patterns, destination in copied(stage):
            for pattern in patterns:
                copy(pattern, built.app, destination)
    return built


def install(built: Built, file: Path) -> None:
    """Run the steps of the stage that `COPY --from=… /venv /venv` names."""
    copies = [rest for stage in built.chain for rest in stage.all("COPY") if "/venv" in rest]
    stage = next(one for one in stages(file) if f"--from={one.name} " in copies[-1])
    ([lock], _), ([script], _) = copied(stage)
    subprocess.run([sys.executable, "-m", "venv", str(built.venv)], check=True)
    installing, pruning = stage.all("RUN")
    match = re.search(r"pip install (.*)", installing)
    assert match
    options = match[1].replace("/requirements.txt", str(PROJECT / lock)).split()
    pip = [str(built.venv / "bin" / "pip"), "install", "--quiet", *options]
    subprocess.run([*pip, "--disable-pip-version-check"], check=True)
    assert Path(script).name in pruning
    python = str(built.venv / "bin" / "python")
    _, _, arguments = pruning.partition(Path(script).name)
    given = arguments.replace("/venv", str(built.venv)).split()
    subprocess.run([python, str(PROJECT / script), *given], check=True)


def copy(pattern: str, app: Path, destination: str) -> None:
    inside = PROJECT / pattern if (PROJECT / pattern).is_dir() else PROJECT / Path(pattern).parent
    for file in sources(pattern):
        target = app / destination / file.relative_to(inside)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)


def test_required_modules_can_be_imported(built: Built) -> None:
    for module in IMAGES[built.name][2]:
        done = built.run("python", "-c", f"import {module}")
        assert done.returncode == 0, done.stderr


def test_only_the_worker_has_training_libraries(built: Built) -> None:
    code = f"import importlib.util as u; print([n for n in {TRAINING} if u.find_spec(n)])"
    installed = built.run("python", "-c", code).stdout.strip()
    assert (installed == "[]") is (built.name != "worker"), installed


def test_image_is_below_its_maximum_size(built: Built) -> None:
    megabytes = (
        sum(
            path.stat().st_size
            for root in (built.venv, built.app)
            for path in root.rglob("*")
            if path.is_file() and not path.is_symlink()
        )
        / 1e6
    )
    print(f"\n{built.name}: {megabytes:.0f} MB without Python itself")
    assert megabytes < IMAGES[built.name][3]


def test_command_starts_a_healthy_service_that_stops_on_sigterm(
    built: Built, tmp_path: Path
) -> None:
    health = last(built.chain, "HEALTHCHECK")
    if health == "NONE":
        pytest.skip("has no HTTP endpoint")
    settings = {"PORT": str(free_port()), "RIPELINE_STATE_DIR": str(tmp_path)}
    # The container listens on all interfaces.
    command = [part.replace("0.0.0.0", "127.0.0.1") for part in exec_form(last(built.chain, "CMD"))]  # noqa: S104
    with started(built, command, settings) as process:
        check = exec_form(health.partition("CMD")[2])
        until(lambda: process.poll() is not None or built.run(*check, **settings).returncode == 0)
        assert process.poll() is None
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) in (0, -15)


@contextmanager
def started(
    built: Built, command: list[str], settings: dict[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(command, cwd=built.app, env={**built.environment(), **settings})
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
