"""Reads Dockerfiles: stages, the files they copy, and .dockerignore."""

import json
import re
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from api.settings import PROJECT


@dataclass
class Stage:
    """A build stage. `lines` are (instruction, arguments)."""

    base: str
    name: str
    lines: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        return [rest for name, rest in self.lines if name == instruction]


def stages(file: Path) -> list[Stage]:
    result: list[Stage] = []
    text = re.sub(r"^\s*#.*\n", "", file.read_text(), flags=re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        instruction, _, rest = line.strip().partition(" ")
        if instruction == "FROM":
            base, _, name = rest.partition(" AS ")
            result.append(Stage(base.strip(), name.strip()))
        elif instruction:
            result[-1].lines.append((instruction, " ".join(rest.split())))
    return result


def image(file: Path, target: str) -> list[Stage]:
    """The chain of stages up to `target`, or to the last stage if it is empty."""
    known = {stage.name: stage for stage in stages(file)}
    chain = [known[target] if target else stages(file)[-1]]
    while chain[0].base in known:
        chain.insert(0, known[chain[0].base])
    return chain


def last(chain: list[Stage], instruction: str) -> str:
    """The arguments of the last such instruction, which is the one that counts."""
    return [rest for stage in chain for rest in stage.all(instruction)][-1]


def exec_form(arguments: str) -> list[str]:
    """The command of `["a", "b"]`. Raises ValueError for the shell form."""
    _, _, listed = arguments.partition("[")
    command: list[str] = json.loads(f"[{listed}")
    return command


def copied(stage: Stage) -> list[tuple[list[str], str]]:
    """Sources and destination of each COPY from the build context."""
    result = []
    for rest in stage.all("COPY"):
        if not rest.startswith("--from="):
            *sources, destination = rest.split()
            result.append((sources, destination))
    return result


def sources(pattern: str) -> list[Path]:
    """The files that `COPY pattern` copies, without ignored ones."""
    matched = PROJECT.glob(pattern)
    files = [file for path in matched for file in (path.rglob("*") if path.is_dir() else (path,))]
    return [file for file in files if file.is_file() and not ignored(file.relative_to(PROJECT))]


def ignored(path: Path) -> bool:
    """By .dockerignore: the last line that matches the path or a parent folder counts."""
    parts = PurePosixPath(path.as_posix())
    candidates = [parts, *parts.parents]
    is_ignored = False
    for line in (PROJECT / ".dockerignore").read_text().split():
        pattern = line.removeprefix("!")
        if any(_matches(str(candidate), pattern) for candidate in candidates):
            is_ignored = not line.startswith("!")
    return is_ignored


def _matches(path: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch(PurePosixPath(path).name, pattern.removeprefix("**/"))
    return path.count("/") == pattern.count("/") and path != "." and fnmatch(path, pattern)
