"""The service under a path, behind a proxy that strips or keeps it."""

import re
from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr, ValidationError

from api.app import create_app
from api.settings import Settings
from tests.http.security.conftest import CHANGE_KEY, bearer
from tests.synthetic_images import draw_fruit, encode

ROOT = "/grader"
HTML = {"accept": "text/html"}
STRANGER = {"host": "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "http"}


@pytest.fixture(scope="module")
def below(settings: Settings) -> Iterator[TestClient]:
    changed = {"root_path": ROOT, "change_keys": (SecretStr(CHANGE_KEY),)}
    app = create_app(settings.model_copy(update=changed))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def links(page: str) -> list[str]:
    found = re.findall(r'href="([^"]+)"|url: \'([^\']+)\'', page)
    return [one or other for one, other in found if not (one or other).startswith("http")]


@pytest.mark.parametrize("page", ["/", "/docs"])
def test_links_work_under_a_path_that_is_not_configured(client: TestClient, page: str) -> None:
    """The proxy strips the path, so the browser's requests arrive without it."""
    found = links(client.get(page, headers=HTML).text)
    assert found
    for link in found:
        target = urljoin(f"{ROOT}{page}", link)
        assert target.startswith(f"{ROOT}/")
        assert client.get(target.removeprefix(ROOT)).status_code == 200


@pytest.mark.parametrize("prefix", ["", ROOT])
def test_root_path_may_be_stripped_or_left(below: TestClient, prefix: str) -> None:
    for page in ("/", "/docs"):
        for link in links(below.get(f"{prefix}{page}", headers=HTML).text):
            assert link.startswith(f"{ROOT}/")
            assert below.get(link.removeprefix(ROOT if not prefix else "")).status_code == 200
    document = below.get(f"{prefix}/openapi.json").json()
    assert document["servers"] == [{"url": ROOT}]
    photo = {"file": encode(draw_fruit("freshapples"), "JPEG")}
    assert below.post(f"{prefix}/predict", files=photo).status_code == 200
    assert below.get(f"{prefix}/health").status_code == 200
    assert below.get(f"{prefix}/models").status_code == 401
    assert below.post(f"{prefix}/models/rollback").status_code == 401
    key = bearer(CHANGE_KEY)
    assert below.post(f"{prefix}/models/rollback", headers=key).status_code == 409
    policy = below.get(f"{prefix}/docs").headers["content-security-policy"]
    assert "cdn.jsdelivr.net" in policy


def test_root_path_itself_is_the_front_page(below: TestClient) -> None:
    page = below.get(ROOT, headers=HTML)
    assert page.status_code == 200
    assert page.text == below.get(f"{ROOT}/", headers=HTML).text
    assert below.head(ROOT).status_code == 200
    assert "style-src" in page.headers["content-security-policy"]


def test_other_paths_that_begin_like_the_root_path(below: TestClient) -> None:
    for path in ("/graderhealth", "/grader-x/health", "/grader/grader/health"):
        assert below.get(path, headers=bearer(CHANGE_KEY)).status_code == 404


@pytest.mark.parametrize("path", ["/predict/", "/health/", "/predictions/", "/nowhere/"])
def test_nothing_is_redirected(client: TestClient, path: str) -> None:
    """A redirect would lead to a host named in the request."""
    method = "POST" if path == "/predict/" else "GET"
    files = {"file": encode(draw_fruit("freshapples"), "JPEG")} if method == "POST" else None
    answer = client.request(method, path, files=files, headers=STRANGER, follow_redirects=False)
    assert answer.status_code == 404
    assert "slash" in answer.json()["detail"]
    assert "location" not in answer.headers
    assert "evil.example" not in answer.text


@pytest.mark.parametrize("path", ["grader", "https://x.example/grader", "/a b", "/a?b", "//x", "/"])
def test_root_path_is_a_path(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("RIPELINE_ROOT_PATH", path)
    if path == "/":
        assert Settings().root_path == ""
    else:
        with pytest.raises(ValidationError, match="/grader"):
            Settings()
