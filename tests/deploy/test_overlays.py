"""The overlays for three clouds: schema, references, and what each changes."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from api.settings import PROJECT, Settings
from tests.deploy.kustomized import Resource, build

BASE = PROJECT / "deploy" / "kubernetes"
OVERLAYS = sorted(path.parent for path in (PROJECT / "deploy").glob("overlays/*/*ization.yaml"))
STORAGE = {"aws": "s3://ripeline", "azure": "/data", "gcp": "gs://ripeline"}
each_overlay = pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)


def of_kind(resources: list[Resource], kind: str) -> dict[str, Resource]:
    return {one["metadata"]["name"]: one for one in resources if one["kind"] == kind}


def pods(resources: list[Resource]) -> dict[str, dict[str, Any]]:
    deployments = of_kind(resources, "Deployment")
    return {name: one["spec"]["template"]["spec"] for name, one in deployments.items()}


def test_there_is_one_for_each_cloud_with_a_guide() -> None:
    guides = {path.stem.lower() for path in (PROJECT / "docs" / "deploy").glob("[AG]*.md")}
    assert {path.name for path in OVERLAYS} == guides == set(STORAGE)


@each_overlay
def test_resources_match_the_schema(overlay: Path) -> None:
    for resource in build(overlay):
        kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)


@each_overlay
def test_accounts_and_claims_exist(overlay: Path) -> None:
    resources = build(overlay)
    assert {"api", "worker", "app"} == set(pods(resources))
    for name, pod in pods(resources).items():
        data = [one for one in pod["volumes"] if "persistentVolumeClaim" in one]
        account = pod.get("serviceAccountName")
        # The API and the worker have access to photos and models, the app does not.
        assert (account is not None) + len(data) == (name != "app")
        assert account in {None, *of_kind(resources, "ServiceAccount")}
        mounted = {one["name"] for one in pod["containers"][0]["volumeMounts"]}
        assert mounted == {one["name"] for one in pod["volumes"]}
        for volume in data:
            claim = volume["persistentVolumeClaim"]["claimName"]
            assert of_kind(resources, "PersistentVolumeClaim")[claim]["spec"]["accessModes"] == [
                "ReadWriteMany"
            ]


@each_overlay
def test_settings_say_where_photos_are(overlay: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resources = build(overlay)
    settings = of_kind(resources, "ConfigMap")["api"]["data"]
    assert settings["STORAGE_URL"] == STORAGE[overlay.name]
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert Settings().storage == STORAGE[overlay.name]
    mounts = pods(resources)["api"]["containers"][0]["volumeMounts"]
    is_folder = settings["STORAGE_URL"].startswith("/")
    assert (settings["STORAGE_URL"] in {one["mountPath"] for one in mounts}) == is_folder
    for ingress in of_kind(resources, "Ingress").values():
        assert ingress["spec"]["ingressClassName"] == "nginx"


@each_overlay
def test_all_else_is_as_in_the_base(overlay: Path) -> None:
    """Above all, the restrictions of the pods."""
    resources = {(one["kind"], one["metadata"]["name"]): one for one in build(overlay)}
    for one in build(BASE):
        changed = resources[one["kind"], one["metadata"]["name"]]
        if one["kind"] not in ("Deployment", "ConfigMap", "Ingress"):
            assert changed == one
        if one["kind"] == "Deployment":
            before, after = (part["spec"]["template"]["spec"] for part in (one, changed))
            assert after["securityContext"] == before["securityContext"]
            assert after["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
            assert after["containers"][0]["image"] == before["containers"][0]["image"]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("kubectl"), reason="needs kubectl")
@pytest.mark.parametrize("folder", [BASE, *OVERLAYS], ids=lambda path: path.name)
def test_kubectl_builds_the_same(folder: Path) -> None:
    built = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True
    )
    assert _ordered(list(yaml.safe_load_all(built.stdout))) == _ordered(build(folder))


def _ordered(resources: list[Resource]) -> list[Resource]:
    return sorted(resources, key=lambda one: (one["kind"], one["metadata"]["name"]))
