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
    found = [one for one in (*RESOURCES, *SECRETS) if one["kind"] == kind]
    return {one["metadata"]["name"]: one for one in found}


def container(name: str) -> dict[str, Any]:
    [found] = PODS[name]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    "resource",
    [*RESOURCES, *SECRETS],
    ids=lambda one: f"{one['kind']}-{one['metadata']['name']}",
)
def test_the_resource_is_valid(resource: dict[str, Any]) -> None:
    kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)


def test_every_file_is_a_resource_but_the_example() -> None:
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
def test_every_setting_of_a_pod_exists(name: str) -> None:
    given = {variable["name"] for variable in container(name).get("env", ())}
    for source in container(name)["envFrom"]:
        if "configMapRef" in source:
            given |= set(of_kind("ConfigMap")[source["configMapRef"]["name"]]["data"])
        else:
            given |= set(of_kind("Secret")[source["secretRef"]["name"]]["stringData"])
    assert given <= (app_variables() if name == "app" else api_variables())


def test_the_example_has_no_secret() -> None:
    for secret in SECRETS:
        assert set(secret["stringData"].values()) == {""}


def test_services_budgets_and_the_autoscaler_find_their_pods() -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in PODS.items()}
    for service in of_kind("Service").values():
        assert service["spec"]["selector"] in labels.values()
    for budget in of_kind("PodDisruptionBudget").values():
        assert budget["spec"]["selector"]["matchLabels"] in labels.values()
    for scaler in of_kind("HorizontalPodAutoscaler").values():
        target = of_kind("Deployment")[scaler["spec"]["scaleTargetRef"]["name"]]
        # Each `kubectl apply` would reset the autoscaler's number.
        assert "replicas" not in target["spec"]
    for ingress in of_kind("Ingress").values():
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                assert path["backend"]["service"]["name"] in of_kind("Service")


def test_the_grace_period_is_long_enough() -> None:
    """25 s for requests under way, after the pause of the preStop hook."""
    assert PODS["api"]["spec"]["terminationGracePeriodSeconds"] >= 25 + 5
