"""Builds a kustomization like `kubectl kustomize`, with the features that deploy/ uses. An unknown
field fails, so that nothing in a file is ignored.
"""

import re
from pathlib import Path
from typing import Any

import yaml

Resource = dict[str, Any]
KNOWN = {"apiVersion", "kind", "namespace", "labels", "resources", "images", "patches"}
CLUSTER_WIDE = ("Namespace",)


def build(folder: Path) -> list[Resource]:
    """All resources of the folder's kustomization, including its bases."""
    stated = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert set(stated) <= KNOWN, set(stated) - KNOWN
    resources: list[Resource] = []
    for name in stated["resources"]:
        path = folder / name
        resources += build(path) if path.is_dir() else yaml.safe_load_all(path.read_text())
    for patch in stated.get("patches", ()):
        _patch(resources, patch)
    for resource in resources:
        if resource["kind"] not in CLUSTER_WIDE:
            resource["metadata"]["namespace"] = stated["namespace"]
        for label in stated.get("labels", ()):
            assert set(label) == {"pairs"}  # Not in selectors.
            resource["metadata"].setdefault("labels", {}).update(label["pairs"])
        for container in _containers(resource):
            container["image"] = _image(container["image"], stated.get("images", ()))
    return resources


def _patch(resources: list[Resource], patch: dict[str, Any]) -> None:
    """Apply JSON patches (RFC 6902) to the resources that match the target; at least one must."""
    assert set(patch) == {"target", "patch"}
    target = patch["target"]
    assert set(target) <= {"kind", "name"}
    matching = [
        one
        for one in resources
        if one["kind"] == target["kind"]
        and re.fullmatch(target.get("name", ".*"), one["metadata"]["name"])
    ]
    assert matching, f"No resource is {target}"
    for resource in matching:
        for operation in yaml.safe_load(patch["patch"]):
            _apply(resource, **operation)


def _apply(resource: Resource, *, op: str, path: str, value: Any = None) -> None:
    *way, last = path.strip("/").split("/")
    place: Any = resource
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if isinstance(place, list):
        assert (op, last) == ("add", "-"), f"{op} {path}"
        place.append(value)
    elif op == "remove":
        del place[last]
    else:
        assert op == "add" or last in place, f"{path} is not there"
        place[last] = value


def _containers(resource: Resource) -> list[dict[str, Any]]:
    template = resource.get("spec", {}).get("template", {}) if "spec" in resource else {}
    return list(template.get("spec", {}).get("containers", ()))


def _image(image: str, known: list[dict[str, str]]) -> str:
    name, colon, tag = image.partition(":")
    for one in known:
        if one["name"] == name:
            name, tag = one.get("newName", name), one.get("newTag", tag)
            return f"{name}:{tag}" if tag else name
    return f"{name}{colon}{tag}"
