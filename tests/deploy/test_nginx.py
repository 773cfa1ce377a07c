"""nginx accepts its configuration, with the same limits as the API."""

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from api.app import MANY_PHOTOS, create_app
from api.settings import Settings
from tests.deploy.composition import services, variables
from tests.processes import Processes, free_port
from tests.stack.proxy import TEMPLATE, nginx_command


@pytest.fixture
def environment() -> dict[str, str]:
    expanded: dict[str, str] = services(variables(full=True), full=True)["nginx"]["environment"]
    return expanded


@pytest.mark.slow
def test_nginx_accepts_the_configuration(environment: dict[str, str], tmp_path: Path) -> None:
    if not shutil.which("nginx"):
        pytest.skip("needs nginx: on Debian or Ubuntu, apt-get install nginx-light")
    command = nginx_command(
        tmp_path, environment, api_port=18000, app_port=18501, replicas=[18001, 18002], app=18502
    )
    done = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_compose_sets_exactly_the_variables_of_the_template(environment: dict[str, str]) -> None:
    used = set(re.findall(r"\$\{(\w+)\}", TEMPLATE.read_text())) - {"NAMES"}
    assert used == set(environment) - {"NGINX_ENVSUBST_OUTPUT_DIR"}


def test_body_limits_match_the_api(environment: dict[str, str], settings: Settings) -> None:
    assert int(environment["RIPELINE_MAX_BODY_BYTES"]) == settings.max_body_bytes
    assert int(environment["RIPELINE_MAX_UPLOAD_BYTES"]) == settings.max_upload_bytes
    api = services(variables(full=True), full=True)["api"]["environment"]
    for name in ("RIPELINE_MAX_BODY_BYTES", "RIPELINE_MAX_UPLOAD_BYTES"):
        assert api[name] == environment[name]


def test_large_uploads_pass_wherever_the_api_accepts_them() -> None:
    api_server = TEMPLATE.read_text().partition("listen ${APP_LISTEN}")[0]
    [[pattern]] = [
        re.findall(r"location ~ (\S+) ", block)
        for block in api_server.split("\n\n")
        if "client_max_body_size ${RIPELINE_MAX_UPLOAD_BYTES}" in block
    ]
    posts = [
        path
        for path, methods in create_app(Settings()).openapi()["paths"].items()
        if "post" in methods
    ]
    many = {path for path in posts if re.fullmatch(MANY_PHOTOS, path)}
    assert len(many) == 5
    assert {path for path in posts if re.search(pattern, path)} == many


class _Replica(BaseHTTPRequestHandler):
    """Answers every request with its path."""

    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _send_path(socket: ServerConnection) -> None:
    assert socket.request
    socket.send(socket.request.path)


@pytest.fixture
def proxied(environment: dict[str, str], tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The addresses of nginx for API and app, in front of servers that accept any path. A photo may
    have 1,000 bytes, an upload 5,000."""
    if not shutil.which("nginx"):
        pytest.skip("needs nginx: on Debian or Ubuntu, apt-get install nginx-light")
    ports = [free_port(), free_port()]
    processes = Processes(tmp_path)
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), _Replica) as replica,
        serve(_send_path, "127.0.0.1", 0) as app,
    ):
        for server in (replica, app):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        command = nginx_command(
            tmp_path,
            environment | {"RIPELINE_MAX_BODY_BYTES": "1000", "RIPELINE_MAX_UPLOAD_BYTES": "5000"},
            api_port=ports[0],
            app_port=ports[1],
            replicas=[replica.server_port],
            app=app.socket.getsockname()[1],
        )
        try:
            processes.start("nginx", command)
            processes.wait_until_ready("nginx", f"http://127.0.0.1:{ports[0]}/ready")
            yield f"http://127.0.0.1:{ports[0]}", f"ws://127.0.0.1:{ports[1]}"
        finally:
            processes.stop()
            replica.shutdown()


@pytest.mark.slow
def test_api_and_app_may_be_below_a_path(proxied: tuple[str, str]) -> None:
    api, app = proxied
    for prefix in ("", "/grader", "/a/b"):
        assert httpx.get(f"{api}{prefix}/live", trust_env=False).text == f"{prefix}/live"
        # They would be the metrics of a random replica.
        assert httpx.get(f"{api}{prefix}/metrics", trust_env=False).status_code == 404
        page = f"{app}{prefix}/_stcore/stream"
        with connect(page, proxy=None) as socket:
            assert socket.recv() == f"{prefix}/_stcore/stream"


@pytest.mark.slow
def test_app_takes_files_that_its_uploaders_take(proxied: tuple[str, str]) -> None:
    """A zip of training photos is larger than a photo."""
    _, app = proxied
    address = app.replace("ws:", "http:")
    for prefix in ("", "/fruit"):
        path = f"{address}{prefix}/_stcore/upload_file/session/file"
        statuses = [
            httpx.put(path, content=bytes(size), trust_env=False).status_code
            for size in (4000, 6000)
        ]
        assert [status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE for status in statuses] == [
            False,
            True,
        ]


def test_upload_limit_of_the_app_is_not_above_that_of_nginx(environment: dict[str, str]) -> None:
    from components.upload_progress import MAX_MEGABYTES  # noqa: PLC0415

    assert int(environment["RIPELINE_MAX_UPLOAD_BYTES"]) > MAX_MEGABYTES * 2**20
