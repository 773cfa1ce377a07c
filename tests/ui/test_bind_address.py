"""The app is not open to other machines by accident."""

import os
import subprocess
import sys

import pytest
from bind_address import check_bind_address
from settings import Settings

from api.settings import PROJECT
from tests.processes import free_port

KEY = {"RIPELINE_API_KEY": "0123456789abcdef"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RIPELINE_API_KEY", "RIPELINE_UI_PASSWORD", "RIPELINE_ALLOW_OPEN"):
        monkeypatch.delenv(name, raising=False)


def check(monkeypatch: pytest.MonkeyPatch, address: str, **values: str) -> str:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return check_bind_address(Settings(), address, has_login=False)


@pytest.mark.parametrize("address", ["0.0.0.0", "", "::", "192.0.2.1", "fruit.example"])  # noqa: S104
def test_public_address_with_a_key_needs_a_password(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    assert "RIPELINE_UI_PASSWORD" in check(monkeypatch, address, **KEY)
    assert check_bind_address(Settings(), address, has_login=True) == ""
    assert check(monkeypatch, address, RIPELINE_UI_PASSWORD="secret") == ""  # noqa: S106
    monkeypatch.delenv("RIPELINE_UI_PASSWORD")
    assert check(monkeypatch, address, RIPELINE_ALLOW_OPEN="1") == ""


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_needs_none(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    assert check(monkeypatch, address, **KEY) == ""


def test_without_a_key_the_api_on_this_machine_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(monkeypatch, "")
    assert check(monkeypatch, "", RIPELINE_API_URL="http://api:8000") == ""


@pytest.mark.slow
def test_app_does_not_start() -> None:
    command = [sys.executable, "-m", "streamlit", "run", "ui/streamlit_app.py"]
    result = subprocess.run(
        [*command, "--server.headless", "true", "--server.port", str(free_port())],
        cwd=PROJECT,
        env={**os.environ, **KEY},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert result.returncode != 0
    assert "RIPELINE_UI_PASSWORD" in result.stdout + result.stderr
    assert KEY["RIPELINE_API_KEY"] not in result.stdout + result.stderr
