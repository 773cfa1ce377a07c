"""The text of the Dockerfiles; test_images.py tests what the images contain."""

import re
import tomllib
from pathlib import Path

import pytest

from api.settings import PROJECT
from tests.deploy.dockerfile import Stage, copied, exec_form, ignored, image, last, sources, stages

FILES = sorted(PROJECT.glob("Dockerfile.*"))
IMAGES = [("Dockerfile.api", "serve"), ("Dockerfile.api", "worker"), ("Dockerfile.ui", "")]
INSTRUCTIONS = {
    "ARG",
    "CMD",
    "COPY",
    "ENV",
    "EXPOSE",
    "HEALTHCHECK",
    "LABEL",
    "RUN",
    "USER",
    "WORKDIR",
}
each_file = pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)


@pytest.fixture(params=IMAGES, ids=lambda one: "-".join(one).rstrip("-"))
def chain(request: pytest.FixtureRequest) -> list[Stage]:
    file, target = request.param
    return image(PROJECT / file, target)


@each_file
def test_every_line_is_an_instruction(file: Path) -> None:
    """Not what is left of one whose start ended up in a comment."""
    for stage in stages(file):
        assert {instruction for instruction, _ in stage.lines} <= INSTRUCTIONS


@each_file
def test_base_images_are_pinned(file: Path) -> None:
    known = {stage.name for stage in stages(file)}
    supported = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    least, below = re.findall(r"3\.(\d+)", supported["requires-python"])
    for stage in stages(file):
        if stage.base not in known:
            name, _, tag = stage.base.partition(":")
            assert name == "python"
            # The build stage has `strip`; the final image has no additional packages.
            slim = "" if stage.name.endswith("packages") else "-slim"
            assert re.fullmatch(rf"3\.\d+{slim}-[a-z]+", tag), stage.base
            assert int(least) <= int(tag.split("-")[0].removeprefix("3.")) < int(below)


@each_file
def test_packages_are_installed_from_a_lock_file_with_hashes(file: Path) -> None:
    for stage in stages(file):
        for command in stage.all("RUN"):
            assert not re.search(r"apt-get|curl|wget", command), command
            if "pip install" in command:
                assert "--require-hashes" in command
                assert "--no-cache-dir" in command
        assert stage.all("ADD") == []
        assert not re.search(r"PASSWORD|SECRET|_KEY=", " ".join(stage.all("ENV")))


@each_file
def test_copied_files_exist_and_are_not_ignored(file: Path) -> None:
    for stage in stages(file):
        for patterns, _ in copied(stage):
            for pattern in patterns:
                assert sources(pattern), f"{file.name}: COPY {pattern}"


def test_build_context_excludes_secrets_data_and_tests() -> None:
    for name in (".git/HEAD", ".env", "tests/conftest.py", "state/catalog.db", "data/README.md"):
        assert ignored(Path(name)), name
    for name in ("ui/.streamlit/secrets.toml", "api/__pycache__/app.pyc"):
        assert ignored(Path(name)), name
    assert not ignored(Path("ui/.streamlit/config.toml"))


def test_image_does_not_run_as_root(chain: list[Stage]) -> None:
    """The user is numeric because Kubernetes cannot tell whether a named user is root."""
    assert int(last(chain, "USER")) >= 10000


def test_signals_reach_the_process(chain: list[Stage]) -> None:
    command = exec_form(last(chain, "CMD"))
    if command[0] == "sh":
        assert command[1] == "-c"
        assert command[2].startswith("exec ")


def test_image_that_serves_has_a_health_check(chain: list[Stage]) -> None:
    health = last(chain, "HEALTHCHECK")
    serves = any(stage.all("EXPOSE") for stage in chain)
    if serves:
        assert "--timeout=" in health
        exec_form(health.partition("CMD")[2])
    else:
        assert health == "NONE"


def test_image_has_labels(chain: list[Stage]) -> None:
    labels = " ".join(label for stage in chain for label in stage.all("LABEL"))
    for name in ("title", "description", "version", "licenses"):
        assert f"org.opencontainers.image.{name}=" in labels
