"""docker-compose.yml without Docker: schema, variables and references."""

import subprocess
import sys

import pytest
import yaml

from api.settings import PROJECT, Settings
from tests.deploy.composition import COMPOSE, EXAMPLE, composition, expand, services, variables
from tests.deploy.known import api_variables, app_variables

PROFILES = pytest.mark.parametrize("full", [False, True], ids=["small", "full"])
SMALL = {"api", "worker", "ui"}


@pytest.mark.slow
def test_it_is_valid() -> None:
    check = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec")
    done = subprocess.run([*check, str(COMPOSE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_passwords_nothing_starts() -> None:
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
def test_the_profile_has_its_services(full: bool) -> None:
    found = services(variables(full=full), full=full)
    assert set(found) >= SMALL
    more = {"nginx", "postgres", "store", "bucket", "mlflow", "prometheus", "grafana"}
    assert set(found) == (SMALL | more if full else SMALL)
    assert int(found["api"]["deploy"]["replicas"]) == (3 if full else 1)


@PROFILES
def test_every_variable_is_read_by_its_service(full: bool) -> None:
    found = services(variables(full=full), full=full)
    for name in ("api", "worker"):
        assert set(found[name]["environment"]) <= api_variables(), name
    assert set(found["ui"]["environment"]) <= app_variables()


@PROFILES
def test_the_settings_are_valid(full: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    given = services(variables(full=full), full=full)["api"]["environment"]
    for name, value in given.items():
        monkeypatch.setenv(name, str(value))
    settings = Settings()
    assert settings.database.startswith("postgresql://" if full else "sqlite:///")
    assert settings.storage == "s3://ripeline" if full else settings.storage.startswith("/")


@pytest.mark.parametrize("name", sorted(set(variables(full=True)) - set(variables(full=False))))
def test_each_setting_of_the_full_profile_can_be_turned_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {**variables(full=False), name: variables(full=True)[name]}
    found = services(known, full=False)
    for variable, value in found["api"]["environment"].items():
        monkeypatch.setenv(variable, str(value))
    settings = Settings()
    assert settings.database_url == known.get("DATABASE_URL", "")
    assert settings.storage_url == known.get("STORAGE_URL", "")
    assert int(found["api"]["deploy"]["replicas"]) == int(known.get("RIPELINE_API_REPLICAS", 1))


@PROFILES
def test_services_that_others_wait_for_have_a_health_check(full: bool) -> None:
    found = services(variables(full=full), full=full)
    for name, service in found.items():
        waits = service.get("depends_on", {})
        for other, how in waits.items() if isinstance(waits, dict) else ():
            if other not in found:
                assert how.get("required") is False, (name, other)
            elif how["condition"] == "service_healthy":
                # Of those that are built here the image says how.
                assert "healthcheck" in found[other] or "build" in found[other], (name, other)


def test_third_party_images_have_a_version() -> None:
    for name, service in services(variables(full=True), full=True).items():
        if "build" in service:
            file = PROJECT / service["build"]["dockerfile"]
            target = service["build"].get("target")
            assert f" AS {target}\n" in file.read_text() if target else file.exists(), name
        else:
            tag = service["image"].rpartition("/")[2].partition(":")[2]
            assert tag.count(".") >= 1, f"{name}: {service['image']}"


def test_every_file_and_volume_that_is_mounted_exists() -> None:
    whole = composition(variables(full=True))
    for name, service in whole["services"].items():
        for volume in service.get("volumes", ()):
            source, _, target = volume.partition(":")
            if source.startswith("./"):
                assert (PROJECT / source).exists(), (name, volume)
            elif target:
                assert source in whole["volumes"], (name, volume)
        assert set(service.get("secrets", ())) <= set(whole["secrets"])


def test_only_databases_run_unrestricted() -> None:
    for name, service in services(variables(full=True), full=True).items():
        assert "no-new-privileges:true" in service["security_opt"], name
        if name != "postgres":
            assert service["cap_drop"] == ["ALL"], name


def test_every_setting_of_the_full_profile_is_used_in_the_file() -> None:
    text = yaml.safe_dump(yaml.safe_load(COMPOSE.read_text()))
    for name in set(variables(full=True)) - {"RIPELINE_METRICS_KEY"}:
        assert f"${{{name}" in text, name


def test_variables_are_expanded_as_by_compose() -> None:
    assert expand("${A} ${A:-b} ${B:-b} ${C-c} ${B-c}", {"A": "a", "B": ""}) == "a a b c "
