"""The code shown with a grade does what it says."""

import subprocess
import sys
from pathlib import Path

import pytest
from components.predict import as_code

from tests.ui.fake_api import FakeApi

# A name that shell, curl and Python would each misinterpret.
NAME = """it's "a;type=image-jpeg" $(touch hacked) `touch hacked`.jpg"""
PIXELS = b"a photo"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / NAME).write_bytes(PIXELS)
    return tmp_path


def command(language: str, address: str, **options: bool) -> list[str]:
    if language == "curl":
        return ["sh", "-c", as_code.curl(address, NAME, **options)]
    return [sys.executable, "-c", as_code.python(address, NAME, **options)]


@pytest.mark.slow
@pytest.mark.parametrize("by_fruit", [False, True])
@pytest.mark.parametrize("language", ["curl", "python"])
def test_it_sends_the_photo(api: FakeApi, folder: Path, language: str, by_fruit: bool) -> None:
    run = command(language, api.address, by_fruit=by_fruit, has_key=False)
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=True)

    assert "freshapples" in done.stdout
    [(path, body)] = api.received
    assert path == ("/predict?instances=true" if by_fruit else "/predict")
    assert PIXELS in body
    assert b'name="file"' in body
    assert [file.name for file in folder.iterdir()] == [NAME]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["curl", "python"])
def test_key_comes_from_the_environment(api: FakeApi, folder: Path, language: str) -> None:
    run = command(language, api.address, by_fruit=False, has_key=True)
    done = subprocess.run(
        run,
        cwd=folder,
        capture_output=True,
        text=True,
        env={as_code.KEY: "k", "PATH": "/usr/bin:/bin"},
        check=True,
    )

    assert "freshapples" in done.stdout
    assert api.keys == ["Bearer k"]


def test_javascript_quotes_the_address() -> None:
    code = as_code.javascript('http://a"b', by_fruit=True, has_key=True)

    assert 'fetch("http://a\\"b/predict?instances=true"' in code
    assert "Authorization: `Bearer ${key}`" in code
