"""Prometheus and Grafana: queries are valid, metrics exist, and alerts fire when they should."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from api.core import telemetry
from api.settings import PROJECT
from tests.deploy.composition import services, variables

PROMETHEUS = PROJECT / "deploy" / "prometheus"
GRAFANA = PROJECT / "deploy" / "grafana"
RULES = PROMETHEUS / "rules" / "alerts.yml"
RUNBOOK = PROJECT / "docs" / "RUNBOOK.md"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
NAME = re.compile(r"ripeline_[a-z_]+")
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def exported() -> set[str]:
    """Metric names as Prometheus sees them, from api/core/telemetry.py."""
    assert telemetry.REQUESTS
    return {
        f"{family.name}{suffix}"
        for family in REGISTRY.collect()
        if family.name.startswith("ripeline_")
        for suffix in SUFFIXES[family.type]
    }


def panels(dashboard: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(dashboard.read_text())["panels"]
    return listed


def queries() -> dict[str, str]:
    """Every query of rules and dashboards by location."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    expressions = {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}
    for dashboard in DASHBOARDS:
        for panel in panels(dashboard):
            for target in panel["targets"]:
                location = f"{dashboard.stem}: {panel['title']} {target['refId']}"
                expressions[location] = target["expr"]
    return expressions


def test_every_metric_in_a_query_exists() -> None:
    known = exported()
    unknown = {where: set(NAME.findall(query)) - known for where, query in queries().items()}
    assert {where: names for where, names in unknown.items() if names} == {}


def test_dashboards_show_every_metric() -> None:
    queried = {name for query in queries().values() for name in NAME.findall(query)}
    families = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in exported()}
    assert families <= {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in queried}


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_dashboards_use_the_provisioned_data_source(dashboard: Path) -> None:
    folder = GRAFANA / "provisioning" / "datasources"
    sources = yaml.safe_load((folder / "prometheus.yml").read_text())["datasources"]
    known = {(source["type"], source["uid"]) for source in sources}
    used = [panel["datasource"] for panel in panels(dashboard)]
    assert {(source["type"], source["uid"]) for source in used} <= known
    ids = [panel["id"] for panel in panels(dashboard)]
    assert len(set(ids)) == len(ids)


def test_compose_mounts_what_grafana_reads() -> None:
    known = services(variables(full=True), full=True)
    mounted = {volume.split(":")[1] for volume in known["grafana"]["volumes"]}
    provider = yaml.safe_load(
        (GRAFANA / "provisioning" / "dashboards" / "ripeline.yml").read_text()
    )["providers"][0]
    assert provider["options"]["path"] in mounted
    home = known["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert Path(home).name in {dashboard.name for dashboard in DASHBOARDS}
    assert "prometheus" in known


def test_prometheus_scrapes_the_services_of_compose() -> None:
    configuration = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    job = next(one for one in configuration["scrape_configs"] if one["job_name"] == "api")
    assert job["dns_sd_configs"][0]["names"] == ["api"]
    secret = Path(job["authorization"]["credentials_file"])
    known = services(variables(full=True), full=True)
    assert known["prometheus"]["secrets"] == [secret.name]


def test_runbook_has_a_section_for_every_alert() -> None:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    linked = {rule["alert"]: rule["annotations"]["runbook"] for g in groups for rule in g["rules"]}
    sections = re.findall(r"^## (\w+)$", RUNBOOK.read_text(), flags=re.MULTILINE)
    assert sections == list(linked)
    for alert, link in linked.items():
        assert link == f"docs/{RUNBOOK.name}#{alert.lower()}"


@pytest.fixture
def promtool() -> str:
    path = shutil.which("promtool")
    if not path:
        pytest.skip("needs promtool: on Debian or Ubuntu, apt-get install prometheus")
    return path


@pytest.mark.slow
def test_prometheus_configuration_is_valid(promtool: str) -> None:
    file = PROMETHEUS / "prometheus.yml"
    check([promtool, "check", "config", "--syntax-only", str(file)])
    check([promtool, "check", "rules", str(RULES)])


@pytest.mark.slow
def test_every_query_is_valid(promtool: str, tmp_path: Path) -> None:
    """Queries are written as rules, with an interval in place of Grafana's variable."""
    rules = [
        {"record": f"query:{number}", "expr": query.replace("$__rate_interval", "1m")}
        for number, query in enumerate(queries().values())
    ]
    written = tmp_path / "queries.yml"
    written.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    check([promtool, "check", "rules", str(written)])


@pytest.mark.slow
def test_every_alert_fires_only_on_its_condition(promtool: str, tmp_path: Path) -> None:
    files = sorted(Path(__file__).parent.glob("alerts_*test.yml"))
    tested = [case for file in files for case in yaml.safe_load(file.read_text())["tests"]]
    expected = [alert for case in tested for alert in case["alert_rule_test"]]
    fired = {alert["alertname"] for alert in expected if alert["exp_alerts"]}
    rules = yaml.safe_load(RULES.read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            del rule["annotations"]  # Not tested here.
    assert fired == {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump(rules))
    copies = [shutil.copy(file, tmp_path) for file in files]
    check([promtool, "test", "rules", *map(str, copies)])


def check(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
