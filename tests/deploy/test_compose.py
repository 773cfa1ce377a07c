"""docker-compose.yml without Docker: schema, variables and references."""

import re
import subprocess
import sys

import pytest
import yaml

from api.settings import PROJECT, Settings
from tests.deploy.composition import COMPOSE, EXAMPLE, composition, expand, services, variables
from tests.deploy.known import api_variables, app_variables

PROFILES = pytest.mark.parametrize("full", [False, True], ids=["small", "full"])
SMALL = {"api", "worker", "ui"}
# Inside the images; and keys are always set, so the API is never open.
FIXED = {
    *("RIPELINE_HOST", "RIPELINE_API_PORT", "PORT", "RIPELINE_ALLOW_OPEN", "MLFLOW_TRACKING_URI"),
    *("RIPELINE_STATE_DIR", "RIPELINE_MODEL_DIR", "RIPELINE_REPORT_DIR"),
}


@pytest.mark.slow
def test_compose_file_matches_the_schema() -> None:
    check = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec")
    done = subprocess.run([*check, str(COMPOSE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_missing_secret_stops_the_start() -> None:
    with pytest.raises(KeyError, match="make env"):
        composition({})
    known = variables(full=True)
    for name in ("RIPELINE_CHANGE_KEYS", "POSTGRES_PASSWORD", "GRAFANA_PASSWORD"):
        with pytest.raises(KeyError, match=name):
            composition({**known, name: ""})


def test_no_secret_has_a_default() -> None:
    for line in EXAMPLE.read_text().splitlines():
        name, _, value = line.partition("=")
        if any(word in name for word in ("PASSWORD", "SECRET", "KEYS", "_KEY")) and line[0] != "#":
            assert value == "" or value.startswith("${") or name == "AWS_ACCESS_KEY_ID", line


@PROFILES
def test_profile_has_its_services(full: bool) -> None:
    selected = services(variables(full=full), full=full)
    assert set(selected) >= SMALL
    full_only = {"nginx", "postgres", "store", "bucket", "mlflow", "prometheus", "grafana"}
    full_only |= {"alertmanager", "alerts"}
    assert set(selected) == (SMALL | full_only if full else SMALL)
    assert int(selected["api"]["deploy"]["replicas"]) == (3 if full else 1)


@PROFILES
def test_every_variable_is_read_by_its_service(full: bool) -> None:
    selected = services(variables(full=full), full=full)
    for name in ("api", "worker", *(["alerts"] if full else [])):
        assert set(selected[name]["environment"]) <= api_variables(), name
    assert set(selected["ui"]["environment"]) <= app_variables()


def test_every_documented_setting_reaches_its_service() -> None:
    """A line in .env that has no effect is not noticed: photos are then kept for the default."""
    rows = re.findall(r"^\| (`.*?) \|", (PROJECT / "docs" / "SETTINGS.md").read_text(), re.M)
    documented = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    assert len(documented) > 50
    selected = services(variables(full=False), full=False)
    api, worker, app = (set(selected[name]["environment"]) for name in ("api", "worker", "ui"))
    assert documented & api_variables() - FIXED <= api
    assert documented & app_variables() <= app
    # What training and serving must agree on.
    assert {"RIPELINE_ENGINE", "RIPELINE_MAX_PIXELS", "RIPELINE_LOG_LEVEL"} <= worker


@PROFILES
def test_api_settings_of_the_profile_are_valid(full: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = services(variables(full=full), full=full)["api"]["environment"]
    for name, value in environment.items():
        monkeypatch.setenv(name, str(value))
    settings = Settings()
    assert settings.database.startswith("postgresql://" if full else "sqlite:///")
    assert settings.storage == "s3://ripeline" if full else settings.storage.startswith("/")


@pytest.mark.parametrize("name", sorted(set(variables(full=True)) - set(variables(full=False))))
def test_each_setting_of_the_full_profile_can_be_used_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {**variables(full=False), name: variables(full=True)[name]}
    selected = services(known, full=False)
    for variable, value in selected["api"]["environment"].items():
        monkeypatch.setenv(variable, str(value))
    settings = Settings()
    assert settings.database_url == known.get("DATABASE_URL", "")
    assert settings.storage_url == known.get("STORAGE_URL", "")
    assert int(selected["api"]["deploy"]["replicas"]) == int(known.get("RIPELINE_API_REPLICAS", 1))


@PROFILES
def test_services_that_others_wait_for_have_a_health_check(full: bool) -> None:
    selected = services(variables(full=full), full=full)
    for name, service in selected.items():
        waits = service.get("depends_on", {})
        for other, condition in waits.items() if isinstance(waits, dict) else ():
            if other not in selected:
                assert condition.get("required") is False, (name, other)
            elif condition["condition"] == "service_healthy":
                # Images that are built here define their own health check.
                assert "healthcheck" in selected[other] or "build" in selected[other], (name, other)


def test_third_party_images_have_a_version() -> None:
    for name, service in services(variables(full=True), full=True).items():
        if "build" in service:
            file = PROJECT / service["build"]["dockerfile"]
            target = service["build"].get("target")
            assert f" AS {target}\n" in file.read_text() if target else file.exists(), name
        else:
            tag = service["image"].rpartition("/")[2].partition(":")[2]
            assert tag.count(".") >= 1, f"{name}: {service['image']}"


def test_mounted_files_and_volumes_exist() -> None:
    compose = composition(variables(full=True))
    for name, service in compose["services"].items():
        for volume in service.get("volumes", ()):
            source, _, target = volume.partition(":")
            if source.startswith("./"):
                assert (PROJECT / source).exists(), (name, volume)
            elif target:
                assert source in compose["volumes"], (name, volume)
        assert set(service.get("secrets", ())) <= set(compose["secrets"])


def test_only_postgres_keeps_capabilities() -> None:
    for name, service in services(variables(full=True), full=True).items():
        assert "no-new-privileges:true" in service["security_opt"], name
        if name != "postgres":
            assert service["cap_drop"] == ["ALL"], name


def test_every_setting_of_the_full_profile_is_used() -> None:
    text = yaml.safe_dump(yaml.safe_load(COMPOSE.read_text()))
    for name in set(variables(full=True)) - {"RIPELINE_METRICS_KEY"}:
        assert f"${{{name}" in text, name


def test_variables_are_expanded_like_compose_does() -> None:
    assert expand("${A} ${A:-b} ${B:-b} ${C-c} ${B-c}", {"A": "a", "B": ""}) == "a a b c "
