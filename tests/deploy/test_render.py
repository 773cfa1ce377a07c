"""render.yaml, as far as it can be checked offline.

Fields and plans are from Render's blueprint reference; only `render blueprints validate` is
authoritative.
"""

from typing import Any

import pytest
import yaml

from api.app import create_app
from api.settings import PROJECT, Settings
from tests.deploy.dockerfile import exec_form, image, last
from tests.deploy.known import api_variables, app_variables

BLUEPRINT: dict[str, Any] = yaml.safe_load((PROJECT / "render.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = {one["name"]: one for one in BLUEPRINT["services"]}
FIELDS = {
    *("type", "name", "runtime", "plan", "dockerfilePath", "dockerContext", "dockerCommand"),
    *("healthCheckPath", "maxShutdownDelaySeconds", "envVars"),
}
PLANS = {"free", "starter", "standard", "pro", "pro plus", "pro max", "pro ultra"}
SOURCES = {"value", "generateValue", "sync", "fromService", "fromDatabase"}
SET_BY_RENDER = {"RENDER_EXTERNAL_URL"}

each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def variables(service: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["key"]: one for one in service["envVars"]}


@each_service
def test_every_field_and_plan_is_known_to_render(service: dict[str, Any]) -> None:
    assert set(service) <= FIELDS
    assert service["type"] in ("web", "worker")
    assert service["plan"] in PLANS
    assert service["plan"] != "free" or service["type"] == "web"
    assert ("healthCheckPath" in service) is (service["type"] == "web")
    assert (PROJECT / service["dockerfilePath"]).exists()
    assert 1 <= service.get("maxShutdownDelaySeconds", 30) <= 300


@each_service
def test_every_variable_has_one_source_that_exists(service: dict[str, Any]) -> None:
    databases = {one["name"] for one in BLUEPRINT["databases"]}
    for key, variable in variables(service).items():
        assert len(set(variable) & SOURCES) == 1, key
        assert set(variable) <= SOURCES | {"key"}
        assert isinstance(variable.get("value", ""), str), key
        if source := variable.get("fromService"):
            other = SERVICES[source["name"]]
            assert other["type"] == source["type"]
            assert source["envVarKey"] in set(variables(other)) | SET_BY_RENDER
            assert "fromService" not in variables(other).get(source["envVarKey"], {})
        if source := variable.get("fromDatabase"):
            assert source["name"] in databases


@each_service
def test_file_has_no_secrets(service: dict[str, Any]) -> None:
    for key, variable in variables(service).items():
        if any(word in key for word in ("KEY", "PASSWORD", "SECRET")):
            assert "value" not in variable, key


@each_service
def test_every_variable_is_read_by_its_service(service: dict[str, Any]) -> None:
    is_app = service["dockerfilePath"].endswith(".ui")
    assert set(variables(service)) <= (app_variables() if is_app else api_variables())


@each_service
def test_web_service_listens_on_the_port_of_render(service: dict[str, Any]) -> None:
    if service["type"] == "web":
        file = PROJECT / service["dockerfilePath"]
        command = exec_form(last(image(file, ""), "CMD"))
        assert "${PORT:-" in command[-1] or command[:3] == ["python", "-m", "api"]


def test_api_and_worker_share_catalog_and_bucket() -> None:
    api, worker = (variables(SERVICES[name]) for name in ("ripeline-api", "ripeline-worker"))
    assert api["DATABASE_URL"] == worker["DATABASE_URL"]
    assert set(worker) <= set(api)


def test_health_check_path_is_an_api_path(settings: Settings) -> None:
    paths = create_app(settings).openapi()["paths"]
    assert SERVICES["ripeline-api"]["healthCheckPath"] in paths
