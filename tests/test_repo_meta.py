"""Files around the code: the CI workflow, pre-commit, the changelog, links between documents."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from api import __version__
from api.settings import PROJECT

WORKFLOW = PROJECT / ".github" / "workflows" / "ci.yml"
WORKFLOWS = sorted(WORKFLOW.parent.glob("*.yml"))
each_workflow = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
PAGES = [*sorted(PROJECT.glob("*.md")), *sorted((PROJECT / "docs").rglob("*.md"))]


@pytest.mark.slow
@each_workflow
def test_workflow_is_valid(workflow: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    for schema in ("vendor.github-workflows", "custom.github-workflows-require-timeout"):
        result = subprocess.run(
            [*command, schema, str(workflow)], capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stdout


@each_workflow
def test_actions_are_pinned_by_commit(workflow: Path) -> None:
    used = re.findall(r"uses: (\S+)", workflow.read_text())
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in used)


@pytest.mark.parametrize("file", [*WORKFLOWS, PROJECT / ".pre-commit-config.yaml"])
def test_commands_of_ci_and_pre_commit_exist(file: Path) -> None:
    called = set(re.findall(r"(?:run|entry): (\S.*)", file.read_text()))
    assert called
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    for command in called:
        program, _, target = command.partition(" ")
        assert target in targets if program == "make" else (PROJECT / program).is_file()


def test_every_supported_python_is_tested() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11,<3.14"
    assert 'python: ["3.11", "3.12", "3.13"]' in WORKFLOW.read_text()


def test_newest_changelog_entry_is_this_version() -> None:
    newest = re.search(r"^## \[(.+)\](.*)$", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest
    assert __version__ in newest.group(0)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_documents_work(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
