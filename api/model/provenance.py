"""What made a model package: the versions of the libraries, and of this project with its revision.

A version that misbehaves months later can then be rebuilt with the code that made it.
"""

import os
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from api import __version__
from api.settings import PROJECT

# Set in container images, which hold no git repository.
REVISION_VARIABLE = "RIPELINE_REVISION"
_GIT_SECONDS = 10
_PROJECT_NAME = "ripeline"


def versions_of(libraries: Iterable[str]) -> dict[str, str]:
    """The versions of those `libraries` that are installed, and of the project as `ripeline`."""
    code = revision()
    versions = {_PROJECT_NAME: f"{__version__}+{code}" if code else __version__}
    for name in libraries:
        with suppress(PackageNotFoundError):
            versions[name] = _version(name)
    return versions


def changed_libraries(made_with: Mapping[str, str]) -> dict[str, bool]:
    """Whether the installed version differs from the one that `versions_of` found, by library.

    Libraries that are not installed are left out, such as TensorFlow where photos are only graded,
    and so is the project itself.
    """
    changed = {}
    for name in made_with.keys() - {_PROJECT_NAME}:
        with suppress(PackageNotFoundError):
            changed[name] = _version(name) != made_with[name]
    return changed


def _version(library: str) -> str:
    """Raises PackageNotFoundError."""
    try:
        return version(library)
    except PackageNotFoundError:
        # The worker's image has tensorflow-cpu.
        return version(f"{library}-cpu")


def revision() -> str | None:
    """The short hash of this code's commit, with `-dirty` if files differ from it.

    None outside a git repository and without git, unless the environment names it.
    """
    if named := os.environ.get(REVISION_VARIABLE):
        return named
    if not (PROJECT / ".git").exists():  # A repository further up holds other code.
        return None
    command = ["git", "-C", str(PROJECT), "describe", "--always", "--dirty", "--exclude", "*"]
    try:
        done = subprocess.run(  # noqa: S603  (all arguments are ours)
            command, capture_output=True, text=True, check=True, timeout=_GIT_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
