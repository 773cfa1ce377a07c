"""Rate limits, and how clients are identified."""

import time

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from api.http.security.rate_limit import RateLimit, TooManyRequestsError
from api.settings import Settings
from tests.hostile.serving import serving
from tests.http.security.conftest import CHANGE_KEY, PREDICT_KEY, Serve, bearer


def test_requests_above_the_limit_get_429_with_retry_after(serve: Serve) -> None:
    client = serve(rate_limit="3/hour")
    assert [client.get("/status").status_code for _ in range(3)] == [200, 200, 200]
    answer = client.get("/status")
    assert (answer.status_code, answer.json()["code"]) == (429, "too-many-requests")
    assert 0 < int(answer.headers["retry-after"]) <= 3600
    assert [client.get(path).status_code for path in ("/live", "/ready", "/health")] == [200] * 3


def test_each_key_is_limited_separately_and_invalid_keys_by_address(serve: Serve) -> None:
    client = serve(
        rate_limit="2/hour",
        predict_keys=(SecretStr(PREDICT_KEY),),
        change_keys=(SecretStr(CHANGE_KEY),),
    )
    invented = [client.get("/runs", headers=bearer(f"made-up-{n}")).status_code for n in range(4)]
    assert invented == [401, 401, 429, 429]
    for key in (PREDICT_KEY, CHANGE_KEY):
        statuses = [client.get("/runs", headers=bearer(key)).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]


@pytest.mark.slow
@pytest.mark.parametrize(("trusted", "last"), [("", 429), ("127.0.0.1", 200)])
def test_x_forwarded_for_is_used_only_from_a_trusted_proxy(trusted: str, last: int) -> None:
    settings = {"RIPELINE_RATE_LIMIT": "2/hour", "RIPELINE_TRUSTED_PROXIES": trusted}
    with serving(settings) as served:
        statuses = [
            httpx.get(
                f"{served.url}/status",
                headers={"X-Forwarded-For": f"192.0.2.{number}"},
                trust_env=False,
            ).status_code
            for number in range(3)
        ]
    assert statuses == [200, 200, last]


def test_each_address_is_limited_separately() -> None:
    limit = RateLimit("1/hour")
    limit.count(("192.0.2.7", 1000), "")
    with pytest.raises(TooManyRequestsError):
        limit.count(("192.0.2.7", 2000), "")
    limit.count(("192.0.2.8", 1000), "")


def test_ipv6_addresses_of_one_network_share_a_limit() -> None:
    limit = RateLimit("1/hour")
    limit.count(("2001:db8:1:2::1", 1000), "")
    with pytest.raises(TooManyRequestsError):
        limit.count(("2001:db8:1:2:ffff::9", 1000), "")
    limit.count(("2001:db8:1:3::1", 1000), "")


def test_connection_without_an_address_is_limited() -> None:
    limit = RateLimit("1/hour")
    limit.count(None, "")
    with pytest.raises(TooManyRequestsError):
        limit.count(None, "")


@pytest.mark.parametrize("hours", [0, -1, 1])
def test_setting_the_clock_does_not_change_limits(
    monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    passed, wall = 1000.0, time.time()
    monkeypatch.setattr(time, "time", lambda: wall)
    limit = RateLimit("2/minute", clock=lambda: passed)
    for _ in range(2):
        limit.count(None, "")
    wall, passed = wall + 3600 * hours + 59, passed + 59
    with pytest.raises(TooManyRequestsError) as caught:
        limit.count(None, "")
    assert caught.value.retry_after_seconds == 1
    wall, passed = wall + 1, passed + 1
    for _ in range(2):
        limit.count(None, "")
    with pytest.raises(TooManyRequestsError):
        limit.count(None, "")


def test_inactive_clients_are_forgotten() -> None:
    passed = 1000.0
    limit = RateLimit("2/minute", clock=lambda: passed)
    for number in range(50):
        limit.count((f"192.0.2.{number}", 1), "")
    passed += 61
    limit.count(("192.0.2.99", 1), "")
    assert list(limit._windows) == ["192.0.2.99"]


def test_invalid_rate_limit_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIPELINE_RATE_LIMIT", "many")
    with pytest.raises(ValidationError, match="rate_limit"):
        Settings()
