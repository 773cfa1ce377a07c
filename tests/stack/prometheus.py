"""Prometheus and Alertmanager with the configuration of deploy/, on loopback, and a client."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import yaml

from api.settings import PROJECT

CONFIGURATION = PROJECT / "deploy" / "prometheus" / "prometheus.yml"
ALERTMANAGER = PROJECT / "deploy" / "alertmanager" / "alertmanager.yml"
# Replaces the minutes for which alerts wait.
WAIT = "5s"


def prometheus_command(
    folder: Path, port: int, replicas: Sequence[int], key: str, alertmanager: int
) -> list[str]:
    """The command that starts Prometheus, with rules that wait for WAIT. `replicas` are the API's
    ports, `key` is its metrics key, `alertmanager` is Alertmanager's port.
    """
    secret = folder / "metrics_key"
    secret.write_text(key)
    configuration = yaml.safe_load(CONFIGURATION.read_text())
    configuration["rule_files"] = [str(_impatient_rules(folder))]
    targets = [f"127.0.0.1:{alertmanager}"]
    configuration["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": targets}]}]
    for job in configuration["scrape_configs"]:
        if job["job_name"] == "api":
            del job["dns_sd_configs"]
            job["authorization"]["credentials_file"] = str(secret)
            job["static_configs"] = [{"targets": [f"127.0.0.1:{port}" for port in replicas]}]
        else:
            job["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    written = folder / "prometheus.yml"
    written.write_text(yaml.safe_dump(configuration))
    return [
        "prometheus",
        f"--config.file={written}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]


def _impatient_rules(folder: Path) -> Path:
    rules = yaml.safe_load((CONFIGURATION.parent / "rules" / "alerts.yml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule["for"] = WAIT
    written = folder / "alerts.yml"
    written.write_text(yaml.safe_dump(rules))
    return written


def alertmanager_command(folder: Path, port: int, relay: int) -> list[str]:
    """The command that starts Alertmanager, which sends each alert to `relay` at once."""
    configuration = yaml.safe_load(ALERTMANAGER.read_text())
    configuration["route"]["group_wait"] = "0s"
    [webhook] = configuration["receivers"][0]["webhook_configs"]
    webhook["url"] = f"http://127.0.0.1:{relay}/"
    written = folder / "alertmanager.yml"
    written.write_text(yaml.safe_dump(configuration))
    return [
        "prometheus-alertmanager",
        f"--config.file={written}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]


class Prometheus:
    """A client of its HTTP API."""

    def __init__(self, url: str) -> None:
        self._url = url

    def series(self, label: str, query: str) -> dict[str, float]:
        """The values of `query` by the label `label`."""
        result = self._data("query", {"query": query})["result"]
        return {one["metric"].get(label, ""): float(one["value"][1]) for one in result}

    def alerts(self) -> dict[str, str]:
        """The state (pending or firing) of the active alerts, by name."""
        return {one["labels"]["alertname"]: one["state"] for one in self._data("alerts")["alerts"]}

    def _data(self, path: str, params: dict[str, str] | None = None) -> Any:
        answer = httpx.get(
            f"{self._url}/api/v1/{path}", params=params, timeout=10, trust_env=False
        ).raise_for_status()
        return answer.json()["data"]
