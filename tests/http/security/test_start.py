"""`python -m api` as a person or a container starts it."""

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

PASSWORD = "the-word-nobody-may-read"  # noqa: S105


def started(settings: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """What a start ends with that cannot succeed."""
    return subprocess.run(
        [sys.executable, "-m", "api"],
        cwd=PROJECT,
        env={**service_environment(""), **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
def test_a_public_address_without_keys_is_refused() -> None:
    ended = started({"RIPELINE_HOST": "0.0.0.0"})  # noqa: S104
    assert ended.returncode == 1
    assert "RIPELINE_HOST=0.0.0.0 can be reached from other machines" in ended.stderr
    assert "RIPELINE_ALLOW_OPEN=1" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_a_setting_that_cannot_be_used_is_named_and_no_secret_shown() -> None:
    ended = started({"RIPELINE_CHANGE_KEYS": f"{CHANGE_KEY},short", "RIPELINE_RATE_LIMIT": "many"})
    assert ended.returncode == 1
    assert "RIPELINE_CHANGE_KEYS cannot be used: key 2 is shorter than 16" in ended.stderr
    assert "RIPELINE_RATE_LIMIT cannot be used" in ended.stderr
    assert CHANGE_KEY not in ended.stderr


@pytest.mark.slow
def test_one_threshold_without_the_other_is_refused() -> None:
    ended = started({"RIPELINE_ROTTEN_BELOW": "0.3"})
    assert ended.returncode == 1
    assert "RIPELINE_FRESH_FROM go together" in ended.stderr
    assert "Traceback" not in ended.stderr


# In place of the server: what it would find.
COUNTING = """
import uvicorn
def run(*_, **__):
    import numpy, threadpoolctl
    print([library["num_threads"] for library in threadpoolctl.threadpool_info()])
uvicorn.run = run
from api.__main__ import main
main()
"""


@pytest.mark.slow
def test_the_products_of_a_grade_take_no_threads_of_their_own() -> None:
    environment = service_environment("")
    environment.pop("OPENBLAS_NUM_THREADS", None)
    said = subprocess.check_output(
        [sys.executable, "-c", COUNTING], cwd=PROJECT, env=environment, text=True
    )
    assert said.strip() == "[1]"


@pytest.fixture(scope="module")
def without_database() -> Iterator[Served]:
    """A service on a public address, with a key, whose database is away."""
    settings = {
        "RIPELINE_HOST": "0.0.0.0",  # noqa: S104
        "RIPELINE_CHANGE_KEYS": CHANGE_KEY,
        "DATABASE_URL": f"postgresql://ripeline:{PASSWORD}@127.0.0.1:1/catalog",
        "RIPELINE_ACCESS_LOG": "true",
    }
    with serving(settings) as served:
        yield served


@pytest.mark.slow
def test_no_log_has_the_password_or_a_key_in_it(without_database: Served) -> None:
    with httpx.Client(base_url=without_database.url, trust_env=False) as client:
        assert client.get("/health").status_code == 200
        assert client.get("/runs").status_code == 401
        assert client.get("/runs", headers=bearer(CHANGE_KEY)).status_code == 503
        assert client.post("/retrain", headers={"X-API-Key": CHANGE_KEY}).status_code == 503
    said = without_database.log_text()
    assert "/runs" in said
    assert "The catalog cannot be used" in said
    assert PASSWORD not in said
    assert CHANGE_KEY not in said


@pytest.mark.slow
def test_the_server_does_not_say_what_it_is(without_database: Served) -> None:
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
def test_an_address_that_is_wrong_is_not_repeated(address: str) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011  (each in its own way)
        Database(address)
    assert PASSWORD not in "".join(traceback.format_exception(raised.value))
