"""Alertmanager's configuration is valid, and alerts reach the service that Compose starts for
them."""

import shutil
import subprocess

import pytest
import yaml

from api.settings import PROJECT
from tests.deploy.composition import services, variables

FILE = PROJECT / "deploy" / "alertmanager" / "alertmanager.yml"


def test_prometheus_sends_to_it_and_it_to_the_service_that_tells_people() -> None:
    known = services(variables(full=True), full=True)
    prometheus = yaml.safe_load((PROJECT / "deploy/prometheus/prometheus.yml").read_text())
    [sends] = prometheus["alerting"]["alertmanagers"]
    [target] = sends["static_configs"][0]["targets"]
    name, _, port = target.partition(":")
    assert known[name]["ports"] == [f"127.0.0.1:{port}:{port}"]
    configuration = yaml.safe_load(FILE.read_text())
    names = {receiver["name"] for receiver in configuration["receivers"]}
    assert configuration["route"]["receiver"] in names
    [webhook] = configuration["receivers"][0]["webhook_configs"]
    told = webhook["url"].removeprefix("http://").partition(":")[0]
    assert known[told]["command"] == ["python", "-m", "api.commands.alerts"]
    assert "RIPELINE_NOTIFY" in known[told]["environment"]


@pytest.fixture
def amtool() -> str:
    path = shutil.which("amtool")
    if not path:
        pytest.skip("needs amtool: on Debian or Ubuntu, apt-get install prometheus-alertmanager")
    return path


@pytest.mark.slow
def test_configuration_is_valid(amtool: str) -> None:
    done = subprocess.run(
        [amtool, "check-config", str(FILE)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("severity", ["info", "warning", "critical"])
def test_every_severity_has_a_receiver(amtool: str, severity: str) -> None:
    done = subprocess.run(
        [amtool, "config", "routes", "test", f"--config.file={FILE}", f"severity={severity}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "people"), done.stderr
