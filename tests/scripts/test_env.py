"""The .env file that `make env` writes."""

import shutil
from pathlib import Path

import pytest
from dotenv import dotenv_values

from scripts.env import main
from tests.deploy.composition import EXAMPLE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(EXAMPLE, tmp_path)
    return tmp_path


def test_secrets_are_different_and_the_file_is_private(folder: Path) -> None:
    assert main(folder) == 0
    written = dotenv_values(folder / ".env", interpolate=False)
    empty = [name for name, value in dotenv_values(EXAMPLE, interpolate=False).items() if not value]
    secrets = [written[name] for name in empty]
    assert len(secrets) >= 4
    assert len(set(secrets)) == len(secrets)
    assert all(len(secret or "") >= 32 for secret in secrets)
    assert (folder / ".env").stat().st_mode & 0o077 == 0


def test_existing_env_is_kept(folder: Path) -> None:
    (folder / ".env").write_text("POSTGRES_PASSWORD=mine\n")
    assert main(folder) == 0
    assert (folder / ".env").read_text() == "POSTGRES_PASSWORD=mine\n"
