"""The values of the Helm chart: the place of each in the kustomization, its default and its schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

BASE = Path(__file__).parents[1] / "kubernetes"
NAME = "image-handler"
COMPONENTS = ("worker", "postgresql", "store")
"""Folders of the kustomization that a value `enabled` switches on."""
OF_LIBRARIES = ("VIPS_CONCURRENCY",)
"""Variables of the pods that the handler does not read."""


class Value(NamedTuple):
    """A place in a file that becomes a value."""

    file: str
    path: tuple[str | int, ...]
    name: str
    """Of the value, with dots."""
    kind: str
    """Of its JSON schema."""


_POD = ("spec", "template", "spec")
_CONTAINER = (*_POD, "containers", 0)
_CLAIM = ("spec", "volumeClaimTemplates", 0, "spec", "resources", "requests", "storage")
VALUES = (
    Value("deployment.yaml", (*_CONTAINER, "args"), "server.args", "array"),
    Value("deployment.yaml", (*_CONTAINER, "resources"), "server.resources", "object"),
    Value(
        "deployment.yaml", (*_POD, "terminationGracePeriodSeconds"), "server.terminationGracePeriodSeconds", "integer"
    ),
    Value("deployment.yaml", (*_POD, "topologySpreadConstraints", 0, "whenUnsatisfiable"), "server.spread", "string"),
    Value("autoscaler.yaml", ("spec", "minReplicas"), "autoscaling.minReplicas", "integer"),
    Value("autoscaler.yaml", ("spec", "maxReplicas"), "autoscaling.maxReplicas", "integer"),
    Value("autoscaler.yaml", ("spec", "metrics"), "autoscaling.metrics", "array"),
    Value("autoscaler.yaml", ("spec", "behavior"), "autoscaling.behavior", "object"),
    Value("disruption.yaml", ("spec", "minAvailable"), "disruptionBudget.minAvailable", "integer"),
    Value("service.yaml", ("spec", "ports", 0, "port"), "service.port", "integer"),
    Value("networkpolicy.yaml", ("spec", "ingress"), "networkPolicy.ingress", "array"),
    Value("networkpolicy.yaml", ("spec", "egress"), "networkPolicy.egress", "array"),
    Value("worker/deployment.yaml", ("spec", "replicas"), "worker.replicas", "integer"),
    Value("worker/deployment.yaml", (*_CONTAINER, "args"), "worker.args", "array"),
    Value("worker/deployment.yaml", (*_CONTAINER, "resources"), "worker.resources", "object"),
    Value("worker/networkpolicy.yaml", ("spec", "egress"), "worker.egress", "array"),
    Value("postgresql/statefulset.yaml", (*_CONTAINER, "image"), "postgresql.image", "string"),
    Value("postgresql/statefulset.yaml", (*_CONTAINER, "args"), "postgresql.args", "array"),
    Value("postgresql/statefulset.yaml", (*_CONTAINER, "resources"), "postgresql.resources", "object"),
    Value("postgresql/statefulset.yaml", _CLAIM, "postgresql.size", "string"),
    Value("store/statefulset.yaml", (*_CONTAINER, "image"), "store.image", "string"),
    Value("store/statefulset.yaml", (*_POD, "initContainers", 0, "image"), "store.image", "string"),
    Value("store/statefulset.yaml", (*_POD, "initContainers", 0, "args"), "store.folders", "array"),
    Value("store/statefulset.yaml", (*_CONTAINER, "resources"), "store.resources", "object"),
    Value("store/statefulset.yaml", _CLAIM, "store.size", "string"),
)
OPTIONAL = {
    "account.yaml": (("metadata",), "annotations", "serviceAccount.annotations", "object"),
    "service.yaml": (("metadata",), "annotations", "service.annotations", "object"),
    "deployment.yaml": (_POD, "imagePullSecrets", "image.pullSecrets", "array"),
    "worker/deployment.yaml": (_POD, "imagePullSecrets", "image.pullSecrets", "array"),
    "postgresql/statefulset.yaml": (("spec", "volumeClaimTemplates", 0, "spec"), "storageClassName",
                                    "postgresql.storageClassName", "string"),
    "store/statefulset.yaml": (("spec", "volumeClaimTemplates", 0, "spec"), "storageClassName",
                               "store.storageClassName", "string"),
}  # fmt: skip
"""What the kustomization does not have, by its file: where it is added, its key, its value, its kind."""
SWITCHES = {
    "autoscaler.yaml": "autoscaling",
    "disruption.yaml": "disruptionBudget",
    "networkpolicy.yaml": "networkPolicy",
}
"""Files of the kustomization that a value `enabled`, on by default, switches."""
_OWN_VALUES: Mapping[str, Any] = {
    "image": {"repository": NAME, "tag": "", "digest": "", "pullSecrets": []},
    "secrets": {"keys": "", "files": ""},
    "gallery": {"enabled": False},
    "replicas": 2,
    "postgresql": {"secret": ""},
    "ingress": {"enabled": False, "className": "", "annotations": {}, "host": "images.example.com", "tlsSecret": ""},
}
_OWN_SCHEMA: Mapping[str, Any] = {
    "image": {
        "repository": {"type": "string", "pattern": "^[a-z0-9][a-z0-9._/:-]*$"},
        "tag": {"type": "string", "pattern": "^[A-Za-z0-9_.-]{0,128}$"},
        "digest": {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
        "pullSecrets": {"type": "array", "items": {"type": "object", "required": ["name"]}},
    },
    "secrets": {"keys": {"type": "string"}, "files": {"type": "string"}},
    "gallery": {"enabled": {"type": "boolean"}},
    "replicas": {"type": "integer", "minimum": 0},
    "postgresql": {"secret": {"type": "string"}},
    "ingress": {
        "enabled": {"type": "boolean"},
        "className": {"type": "string"},
        "annotations": {"type": "object"},
        "host": {"type": "string", "minLength": 1},
        "tlsSecret": {"type": "string"},
    },
}
COMMENTS = {
    "image": "The container image of your own build; a digest is better than a tag",
    "settings": "Settings of the service; docs/configuration.md lists all. Secrets do not belong here",
    "secrets": "Names of secrets that you create (docs/kubernetes.md). Empty: RELEASE-keys and RELEASE-secrets",
    "gallery": "The gallery under /_gallery/. Needs the source `gallery` in settings.SOURCE_BUCKETS",
    "replicas": "Number of pods, if autoscaling is off",
    "ingress": "Cookies and uploads of the gallery need https",
    "worker": "Pods that process uploads from the queue in settings.UPLOAD_QUEUE",
    "postgresql": "A small database for the records, with one pod and no backups. Its secret has the field `password`",
    "store": "A small S3-compatible store with one pod and no backups. Its keys are those in secrets.keys",
}


def read(file: str) -> dict[str, Any]:
    """Return a file of the kustomization."""
    content: dict[str, Any] = yaml.safe_load((BASE / file).read_text("utf-8"))
    return content


def files() -> Iterator[str]:
    """Yield the files of resources, those of the components with their folder."""
    yield from read("kustomization.yaml")["resources"]
    for component in COMPONENTS:
        yield from (f"{component}/{name}" for name in read(f"{component}/kustomization.yaml")["resources"])


def read_settings(file: str) -> dict[str, str]:
    """Return the settings in an env file."""
    lines = (BASE / file).read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def at(content: Any, path: tuple[str | int, ...]) -> Any:
    """Return what is at a path of a document."""
    for key in path:
        content = content[key]
    return content


def values() -> dict[str, Any]:
    """Return the defaults of all values."""
    found: dict[str, Any] = {
        "image": _OWN_VALUES["image"],
        "settings": read_settings("settings.env"),
        "secrets": _OWN_VALUES["secrets"],
        "gallery": _OWN_VALUES["gallery"],
        "replicas": _OWN_VALUES["replicas"],
        **{name: {"enabled": True} for name in SWITCHES.values()},
        "ingress": _OWN_VALUES["ingress"],
        **{name: {"enabled": False} for name in COMPONENTS},
    }
    found["postgresql"] |= _OWN_VALUES["postgresql"]
    for value in VALUES:
        group, _, name = value.name.partition(".")
        found.setdefault(group, {})[name] = at(read(value.file), value.path)
    for _, _, full, kind in OPTIONAL.values():
        group, _, name = full.partition(".")
        found.setdefault(group, {}).setdefault(name, {"array": [], "object": {}, "string": ""}[kind])
    return found


def schema() -> dict[str, Any]:
    """Return the JSON schema of the values: nothing but what is there, each setting as a text."""
    kinds = {value.name: value.kind for value in VALUES} | {name: kind for _, _, name, kind in OPTIONAL.values()}
    properties: dict[str, Any] = {}
    for group, defaults in values().items():
        if group == "settings":
            # settings.txt lists their names, and the template compares them.
            properties[group] = {"type": "object", "additionalProperties": {"type": "string"}}
            continue
        own = _OWN_SCHEMA.get(group, {})
        if not isinstance(defaults, dict):
            properties[group] = own
            continue
        inner = {
            name: own.get(name, {"type": "boolean" if name == "enabled" else kinds.get(f"{group}.{name}", "string")})
            for name in defaults
        }
        properties[group] = {"type": "object", "properties": inner, "additionalProperties": False}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {**properties, "global": {"type": "object"}},
        "additionalProperties": False,
    }
