"""nginx accepts its configuration, with the same limits as the API."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from api.app import MANY_PHOTOS, create_app
from api.settings import Settings
from tests.deploy.composition import services, variables
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


def test_large_uploads_are_let_through_where_the_api_takes_them() -> None:
    [[pattern]] = [
        re.findall(r"location ~ (\S+) ", block)
        for block in TEMPLATE.read_text().split("\n\n")
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
