"""Starting `python -m api`: rejected settings, and secrets that stay out of the log."""

import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping

import httpx
import pytest

from api.settings import PROJECT
from api.storage.db import Database
from tests.hostile.serving import Served, serving
from tests.http.security.conftest import CHANGE_KEY, bearer
from tests.processes import service_environment
from tests.waiting import PATIENCE_SECONDS

PASSWORD = "database-password-5c1e"  # noqa: S105


def start_api(settings: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run `python -m api` with settings that make it exit."""
    return subprocess.run(
        [sys.executable, "-m", "api"],
        cwd=PROJECT,
        env={**service_environment(""), **settings},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@pytest.mark.slow
def test_public_address_without_keys_is_rejected() -> None:
    result = start_api({"RIPELINE_HOST": "0.0.0.0"})  # noqa: S104
    assert result.returncode == 1
    assert "RIPELINE_HOST=0.0.0.0 can be reached from other machines" in result.stderr
    assert "RIPELINE_ALLOW_OPEN=1" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.slow
def test_invalid_settings_are_named_without_showing_secrets() -> None:
    result = start_api(
        {"RIPELINE_CHANGE_KEYS": f"{CHANGE_KEY},short", "RIPELINE_RATE_LIMIT": "many"}
    )
    assert result.returncode == 1
    assert "RIPELINE_CHANGE_KEYS cannot be used: key 2 is shorter than 16" in result.stderr
    assert "RIPELINE_RATE_LIMIT cannot be used" in result.stderr
    assert CHANGE_KEY not in result.stderr


@pytest.mark.slow
def test_single_freshness_threshold_is_rejected() -> None:
    result = start_api({"RIPELINE_ROTTEN_BELOW": "0.3"})
    assert result.returncode == 1
    assert "RIPELINE_FRESH_FROM go together" in result.stderr
    assert "Traceback" not in result.stderr


# Prints the numbers of BLAS threads instead of starting the server.
PRINT_THREADS = """
import uvicorn
def run(server):
    import numpy, threadpoolctl
    print([library["num_threads"] for library in threadpoolctl.threadpool_info()])
    server.started = True
uvicorn.Server.run = run
from api.__main__ import main
main()
"""


@pytest.mark.slow
def test_blas_uses_one_thread() -> None:
    environment = service_environment("")
    environment.pop("OPENBLAS_NUM_THREADS", None)
    output = subprocess.check_output(
        [sys.executable, "-c", PRINT_THREADS], cwd=PROJECT, env=environment, text=True
    )
    assert output.strip() == "[1]"


@pytest.fixture(scope="module")
def without_database() -> Iterator[Served]:
    """A service on a public address, with a key, whose database is unavailable."""
    settings = {
        "RIPELINE_HOST": "0.0.0.0",  # noqa: S104
        "RIPELINE_CHANGE_KEYS": CHANGE_KEY,
        "DATABASE_URL": f"postgresql://ripeline:{PASSWORD}@127.0.0.1:1/catalog",
        "RIPELINE_ACCESS_LOG": "true",
    }
    with serving(settings) as served:
        yield served


@pytest.mark.slow
def test_log_contains_no_password_or_key(without_database: Served) -> None:
    with httpx.Client(base_url=without_database.url, trust_env=False) as client:
        assert client.get("/health").status_code == 200
        assert client.get("/runs").status_code == 401
        assert client.get("/runs", headers=bearer(CHANGE_KEY)).status_code == 503
        assert client.post("/retrain", headers={"X-API-Key": CHANGE_KEY}).status_code == 503
    log = without_database.log_text()
    assert "/runs" in log
    assert "The catalog cannot be used" in log
    assert PASSWORD not in log
    assert CHANGE_KEY not in log


@pytest.mark.slow
def test_response_has_no_server_header(without_database: Served) -> None:
    assert "server" not in httpx.get(f"{without_database.url}/live", trust_env=False).headers


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://ripeline:{PASSWORD}@host:port/catalog",
        f"postgresql://ripeline:{PASSWORD}@[::1/catalog",
        f"mysql://ripeline:{PASSWORD}@127.0.0.1/catalog",
        f"ripeline:{PASSWORD}@127.0.0.1",
    ],
)
def test_invalid_database_url_is_not_shown_in_the_error(address: str) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011  (of several types)
        Database(address)
    assert PASSWORD not in "".join(traceback.format_exception(raised.value))
