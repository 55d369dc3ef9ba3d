"""What kustomize and helm make of deploy/, as objects by kind and name."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from tests.tools import require_tool
from tests.weights import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
CHART = ROOT / "deploy" / "chart"
OLDEST, NEWEST = "1.30", kubernetes_validate.latest_version()
Objects = dict[tuple[str, str], dict[str, Any]]


def kustomize(folder: Path, components: Sequence[str] = (), **settings: str) -> Objects:
    """Build the kustomization with these components, as a user's own kustomization in this folder does."""
    kubectl = require_tool("kubectl", "make setup")
    literals = [f"{name}={value}" for name, value in settings.items()]
    content = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["base"],
        "components": [f"base/{name}" for name in components],
        "configMapGenerator": [{"name": "image-handler-settings", "behavior": "merge", "literals": literals}],
    }
    folder.mkdir()
    (folder / "base").symlink_to(KUBERNETES)
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(content), "utf-8")
    command = [kubectl, "kustomize", str(folder), "--load-restrictor=LoadRestrictionsNone"]
    return _objects(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)


def helm(*arguments: str, values: Mapping[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command of helm on the chart; `values` are those of a user's file."""
    program = require_tool("helm", "make setup")
    said = yaml.safe_dump(dict(values or {}))
    environment = {"HOME": "/nonexistent", "HELM_CACHE_HOME": "/nonexistent", "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [program, *arguments, str(CHART), "--values", "-"],
        input=said, capture_output=True, text=True, check=False, timeout=120, env=environment,
    )  # fmt: skip


def rendered(values: Mapping[str, Any] | None = None, release: str = "image-handler") -> Objects:
    """Render the chart with these values."""
    ran = helm("template", release, values=values)
    assert ran.returncode == 0, ran.stderr
    return _objects(ran.stdout)


def validate(objects: Objects) -> None:
    """Fail if Kubernetes does not know a field, in the oldest and the newest version."""
    for version in (OLDEST, NEWEST):
        for each in objects.values():
            kubernetes_validate.validate(each, version, strict=True)


def _objects(text: str) -> Objects:
    documents = [each for each in yaml.safe_load_all(text) if each]
    found = {(each["kind"], each["metadata"]["name"]): each for each in documents}
    assert len(found) == len(documents)
    return found
