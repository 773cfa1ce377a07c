"""Releases: `make release-check` before a tag, `make version TO=0.3.0` for the next.

`api/__init__.py` holds the version. The other places repeat it, since they are read without Python.
This script writes them, and checks them and everything else that must hold before tagging.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from api import __version__

PROJECT = Path(__file__).resolve().parent.parent
VERSION = r"(\d+\.\d+\.\d+)"
# Each match of the pattern in these files is the version.
PLACES = {
    "api/__init__.py": rf'__version__ = "{VERSION}"',
    "pyproject.toml": rf'^version = "{VERSION}"',
    "Dockerfile.api": rf'image\.version="{VERSION}"',
    "Dockerfile.ui": rf'image\.version="{VERSION}"',
    "deploy/kubernetes/kustomization.yaml": rf"newTag: {VERSION}",
    **{
        f"docs/deploy/{name}.md": rf"ripeline-(?:\w+|\$name):{VERSION}"
        for name in ("AWS", "AZURE", "GCP")
    },
}
HEADING = re.compile(r"^## \[(.+?)\] - (\S+)", re.MULTILINE)


def main(arguments: list[str]) -> int:
    if arguments:
        [version] = arguments
        if not re.fullmatch(VERSION, version):
            print(
                f"{version} is not a version: give three numbers, such as 0.3.0.", file=sys.stderr
            )
            return 2
        write(PROJECT, version)
        print(
            f"Version {version} written. Next: run make openapi and add a section to CHANGELOG.md."
        )
        return 0
    objections = [
        *other_versions(PROJECT, __version__),
        *changelog_objections((PROJECT / "CHANGELOG.md").read_text(), __version__),
        *git_objections(PROJECT, __version__),
    ]
    print(
        *(objections or [f"Version {__version__} can be tagged once all tests have passed."]),
        sep="\n",
    )
    return 1 if objections else 0


def write(project: Path, version: str) -> None:
    """Write the version to all places."""
    for name, pattern in PLACES.items():
        file = project / name
        text = re.sub(
            pattern,
            lambda found: found[0].replace(found[1], version),
            file.read_text(),
            flags=re.MULTILINE,
        )
        file.write_text(text)


def other_versions(project: Path, version: str) -> Iterator[str]:
    """The places that do not have `version`."""
    for name, pattern in PLACES.items():
        said = re.findall(pattern, (project / name).read_text(), re.MULTILINE)
        if not said:
            yield f"{name} has no version."
        for other in sorted(set(said) - {version}):
            yield f"{name} has version {other} instead of {version}."


def changelog_objections(text: str, version: str) -> Iterator[str]:
    """The newest section must be this version's, with the release date."""
    newest = HEADING.search(text)
    if newest is None:
        yield "CHANGELOG.md has no section."
    elif newest[1] == "Unreleased":
        yield f"CHANGELOG.md: change the first heading to '## [{version}] - YYYY-MM-DD'."
    elif newest[1] != version or not re.fullmatch(r"\d{4}-\d\d-\d\d", newest[2]):
        yield f"CHANGELOG.md begins with {newest[0]!r} instead of {version} and the date."


def git_objections(project: Path, version: str) -> Iterator[str]:
    """Everything must be committed, and the tag must be new."""
    if _git(project, "status", "--porcelain", "--untracked-files=no"):
        yield "There are uncommitted changes."
    if _git(project, "tag", "--list", f"v{version}"):
        yield f"The tag v{version} already exists. Choose a new version: make version TO=…"


def _git(project: Path, *arguments: str) -> str:
    command = ["git", "-C", str(project), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
