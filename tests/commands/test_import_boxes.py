"""`python -m api.commands.dataset import-boxes`, run from the command line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from api.catalog import boxed_repository
from api.settings import PROJECT, Settings
from api.storage.db import Database
from tests.catalog.photographs import photo
from tests.catalog.test_box_upload import voc
from tests.catalog.zips import zipped


def run(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RIPELINE_STATE_DIR": str(state)}
    for name in ("DATABASE_URL", "STORAGE_URL"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "api.commands.dataset", "import-boxes", *arguments]
    return subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_folder_and_zip_are_imported_once(tmp_path: Path) -> None:
    source = tmp_path / "set"
    files = {"Annotations/a.xml": voc(), "a.jpg": photo(1), "b.jpg": photo(2)}
    for name, data in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(data)
    (source / "c.jpg").symlink_to(source / "a.jpg")
    packed = tmp_path / "set.zip"
    packed.write_bytes(zipped(files))
    first = run(tmp_path / "state", str(source))
    assert first.returncode == 0, first.stderr
    assert "1 photo stored with 1 box, 0 known already, 1 refused." in first.stdout
    assert "b.jpg: No file of boxes" in first.stdout
    assert "0 photos stored with 0 boxes, 1 known" in run(tmp_path / "state", str(packed)).stdout
    settings = Settings(state_dir=tmp_path / "state", database_url="", storage_url="")
    database = Database(settings.database)
    with database.reading() as session:
        assert boxed_repository.box_counts(session) == {"freshapples": 1}
    database.close()
    missing = run(tmp_path / "state", str(tmp_path / "none"))
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "no such folder" in missing.stderr
