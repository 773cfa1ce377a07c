"""The Kubernetes manifests: schema and references."""

from typing import Any

import kubernetes_validate
import pytest
import yaml

from api.settings import PROJECT
from tests.deploy.known import api_variables, app_variables

FOLDER = PROJECT / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
EXAMPLE = "secret.example.yaml"


def documents(*files: str) -> list[dict[str, Any]]:
    texts = [(FOLDER / file).read_text() for file in files]
    return [one for text in texts for one in yaml.safe_load_all(text)]


RESOURCES = documents(*KUSTOMIZATION["resources"])
SECRETS = documents(EXAMPLE)
PODS = {
    one["metadata"]["name"]: one["spec"]["template"]
    for one in RESOURCES
    if one["kind"] == "Deployment"
}
each_pod = pytest.mark.parametrize("name", PODS)


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    matching = [one for one in (*RESOURCES, *SECRETS) if one["kind"] == kind]
    return {one["metadata"]["name"]: one for one in matching}


def container(name: str) -> dict[str, Any]:
    [only] = PODS[name]["spec"]["containers"]
    assert isinstance(only, dict)
    return only


@pytest.mark.parametrize(
    "resource",
    [*RESOURCES, *SECRETS],
    ids=lambda one: f"{one['kind']}-{one['metadata']['name']}",
)
def test_resource_matches_the_schema(resource: dict[str, Any]) -> None:
    kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)


def test_every_file_except_the_example_is_a_resource() -> None:
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml", EXAMPLE}
    assert set(KUSTOMIZATION["resources"]) == files


@each_pod
def test_pods_have_least_privilege(name: str) -> None:
    pod = PODS[name]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    allowed = container(name)["securityContext"]
    assert allowed["readOnlyRootFilesystem"] is True
    assert allowed["allowPrivilegeEscalation"] is False
    assert allowed["capabilities"] == {"drop": ["ALL"]}
    assert {"cpu", "memory"} <= set(container(name)["resources"]["requests"])
    assert "memory" in container(name)["resources"]["limits"]


@each_pod
def test_pods_use_images_with_a_version(name: str) -> None:
    known = {one["name"]: one["newTag"] for one in KUSTOMIZATION["images"]}
    assert known[container(name)["image"]] != "latest"


@each_pod
def test_every_variable_of_a_pod_is_read_by_its_service(name: str) -> None:
    names = {variable["name"] for variable in container(name).get("env", ())}
    for source in container(name)["envFrom"]:
        if "configMapRef" in source:
            names |= set(of_kind("ConfigMap")[source["configMapRef"]["name"]]["data"])
        else:
            names |= set(of_kind("Secret")[source["secretRef"]["name"]]["stringData"])
    assert names <= (app_variables() if name == "app" else api_variables())


def test_example_secret_is_empty() -> None:
    for secret in SECRETS:
        assert set(secret["stringData"].values()) == {""}


def test_selectors_and_references_match_existing_resources() -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in PODS.items()}
    for service in of_kind("Service").values():
        assert service["spec"]["selector"] in labels.values()
    for budget in of_kind("PodDisruptionBudget").values():
        assert budget["spec"]["selector"]["matchLabels"] in labels.values()
    for scaler in of_kind("HorizontalPodAutoscaler").values():
        target = of_kind("Deployment")[scaler["spec"]["scaleTargetRef"]["name"]]
        # Otherwise each `kubectl apply` would reset the autoscaler's number.
        assert "replicas" not in target["spec"]
    for ingress in of_kind("Ingress").values():
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                assert path["backend"]["service"]["name"] in of_kind("Service")


def test_grace_period_covers_running_requests() -> None:
    """25 s for running requests after the preStop hook's pause."""
    assert PODS["api"]["spec"]["terminationGracePeriodSeconds"] >= 25 + 5
