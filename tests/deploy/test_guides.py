"""The cloud guides: their shell commands and manifests are valid."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from api.settings import PROJECT

pytestmark = pytest.mark.slow

GUIDES = sorted((PROJECT / "docs" / "deploy").glob("[AG]*.md"))
BASE = PROJECT / "deploy" / "kubernetes"
OVERLAYS = PROJECT / "deploy" / "overlays"
# Variables that the reader of a guide sets.
READER_VARIABLES = "set -eu; REGISTRY=registry.test BUCKET=my-bucket AWS_REGION=eu-central-1"


def commands(guide: Path) -> str:
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", guide.read_text(), re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_commands_of_the_guide_are_valid_shell(guide: Path) -> None:
    result = subprocess.run(
        ["bash", "-n"], input=commands(guide), capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("kubectl"), reason="needs kubectl")
@pytest.mark.skipif(not BASE.is_dir(), reason="needs the manifests that the guides build on")
@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_manifests_of_the_guide_can_be_built(guide: Path, tmp_path: Path) -> None:
    for folder in (BASE, OVERLAYS):
        shutil.copytree(folder, tmp_path / "deploy" / folder.name)
    manifests = re.findall(
        r"^(?:mkdir[^\n]*)?cat > deploy/mine/.*?^EOF$", commands(guide), re.DOTALL | re.MULTILINE
    )
    assert len(manifests) == 1
    script = "\n".join([READER_VARIABLES, *manifests])
    subprocess.run(["bash"], cwd=tmp_path, input=script, text=True, check=True)
    built = subprocess.run(
        ["kubectl", "kustomize", "deploy/mine"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert built.stdout.count("image: registry.test") == 3
    assert "registry.example.com" not in built.stdout
    data = "serviceAccountName: ripeline-data", "claimName: data"
    assert sum(built.stdout.count(line) for line in data) == 2  # API and worker, not the app.
    assert re.search(r"STORAGE_URL: (s3://my-bucket|gs://my-bucket|/data)$", built.stdout, re.M)
