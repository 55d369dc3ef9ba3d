"""deploy/chart says what deploy/kubernetes says: helm and kustomize render the same objects."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deploy.manifests import CHART, Objects, helm, kustomize, rendered, validate
from tests.tools import require_tool
from tests.weights import ROOT

from handler.config import SETTINGS

pytestmark = pytest.mark.slow

NAME = "image-handler"
OWN_LABELS = {"app.kubernetes.io/managed-by", "helm.sh/chart"}
COMBINATIONS = [
    (),
    ("worker",),
    ("gallery",),
    ("postgresql",),
    ("store",),
    ("worker", "gallery", "postgresql", "store"),
]


def switched_on(components: tuple[str, ...]) -> dict[str, Any]:
    return {name: {"enabled": True} for name in components}


def plain(objects: Objects) -> Objects:
    """Take away what only one of both adds: helm's labels and checksum, and the digest in the names of settings."""
    found: Objects = {}
    for (kind, name), each in deepcopy(objects).items():
        labels = each["metadata"].pop("labels", {})
        assert set(labels) <= OWN_LABELS
        if kind == "Deployment":
            each["spec"]["template"]["metadata"].pop("annotations", None)
        text = re.sub(r"image-handler-settings-[a-z0-9]{10}\b", f"{NAME}-settings", json.dumps(each))
        found[kind, re.sub(r"-settings-[a-z0-9]{10}$", "-settings", name)] = json.loads(text)
    return found


def test_the_chart_is_as_generated() -> None:
    command = [sys.executable, "-m", "deploy.chart.generate", "--check"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=ROOT,
                         env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"})  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("components", COMBINATIONS)
def test_helm_renders_what_kustomize_builds(tmp_path: Path, components: tuple[str, ...]) -> None:
    by_kustomize = kustomize(tmp_path / "own", components)
    by_helm = rendered(switched_on(components))
    assert plain(by_helm) == plain(by_kustomize)
    validate(by_kustomize)
    validate(by_helm)


def texts(node: Any, key: object = None) -> Iterator[tuple[object, str]]:
    """Yield every text of an object with the key under which it is."""
    if isinstance(node, dict):
        is_container = "image" in node and "name" in node
        for each, value in node.items():
            if not (each == "name" and is_container) and each != "command":
                yield from texts(value, each)
    elif isinstance(node, list):
        for each in node:
            yield from texts(each, key)
    elif isinstance(node, str):
        yield key, node


def test_two_releases_share_a_namespace() -> None:
    """Every name begins with that of the release."""
    everything = {**switched_on(COMBINATIONS[-1]), "ingress": {"enabled": True}}
    found = rendered(everything, "second")
    assert {name.partition("-")[0] for _, name in found} == {"second"}
    for each in found.values():
        for key, text in texts(each):
            if key not in ("image", "helm.sh/chart", "mountPath") and not text.startswith("/run/"):
                assert NAME not in text, (key, text)


VALUES: dict[str, Any] = {
    "image": {
        "repository": "registry.example/image-handler", "digest": f"sha256:{'ab' * 32}", "pullSecrets": [{"name": "r"}]
    },
    "settings": {"SOURCE_BUCKETS": "gallery=s3://gallery?endpoint=http://store", "PRESETS": '{"a": "width=9"}'},
    "secrets": {"keys": "my-keys", "files": "my-files"},
    "autoscaling": {"enabled": False},
    "replicas": 3,
    "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/images"}},
    "service": {"port": 8080, "annotations": {"a": "b"}},
    "disruptionBudget": {"enabled": False},
    "networkPolicy": {"enabled": False},
    "ingress": {
        "enabled": True, "className": "nginx", "host": "a.example", "tlsSecret": "tls", "annotations": {"c": "d"}
    },
    "worker": {"enabled": True, "replicas": 4},
    "postgresql": {"enabled": True, "storageClassName": "fast", "size": "1Gi", "secret": "my-password"},
    "gallery": {"enabled": True},
}  # fmt: skip


def test_values_reach_the_objects() -> None:
    found = rendered(VALUES)
    validate(found)
    deployment = found["Deployment", NAME]["spec"]
    pod = deployment["template"]["spec"]
    assert deployment["replicas"] == 3
    assert pod["containers"][0]["image"] == f"registry.example/image-handler@sha256:{'ab' * 32}"
    assert pod["imagePullSecrets"] == [{"name": "r"}]
    assert pod["containers"][0]["envFrom"][1]["secretRef"]["name"] == "my-keys"
    assert pod["volumes"][1]["secret"]["secretName"] == "my-files"
    settings = found["ConfigMap", f"{NAME}-settings"]["data"]
    assert settings["PRESETS"] == '{"a": "width=9"}'
    assert (settings["GALLERY_SOURCE"], settings["AWS_REGION"]) == ("gallery", "eu-central-1")
    assert found["ServiceAccount", NAME]["metadata"]["annotations"] == VALUES["serviceAccount"]["annotations"]
    assert found["Service", NAME]["spec"]["ports"][0]["port"] == 8080
    assert found["Deployment", f"{NAME}-worker"]["spec"]["replicas"] == 4
    ingress = found["Ingress", NAME]["spec"]
    assert ingress["tls"] == [{"hosts": ["a.example"], "secretName": "tls"}]
    assert ingress["rules"][0]["http"]["paths"][0]["backend"]["service"] == {"name": NAME, "port": {"name": "http"}}
    database = found["StatefulSet", f"{NAME}-postgresql"]["spec"]
    claim = database["volumeClaimTemplates"][0]["spec"]
    assert (claim["storageClassName"], claim["resources"]["requests"]["storage"]) == ("fast", "1Gi")
    assert database["template"]["spec"]["volumes"][-1]["secret"]["secretName"] == "my-password"
    kinds = {kind for kind, _ in found}
    assert not kinds & {"HorizontalPodAutoscaler", "PodDisruptionBudget"}
    # The database keeps its own policy: it is never open to the whole cluster.
    assert [name for kind, name in found if kind == "NetworkPolicy"] == [f"{NAME}-postgresql"]


def test_a_changed_setting_replaces_the_pods() -> None:
    def checksum(value: str) -> str:
        spec = rendered({"settings": {"AUTO_FORMAT": value}})["Deployment", NAME]["spec"]
        return str(spec["template"]["metadata"]["annotations"]["checksum/settings"])

    assert checksum("Yes") != checksum("No")


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"settings": {"SOURCE_BUCKET": "photos"}}, "SOURCE_BUCKET"),
        ({"settings": {"MEMORY_BUDGET": 600000000}}, "MEMORY_BUDGET"),  # helm would write 6e+08
        ({"replicas": -1}, "replicas"),
        ({"image": {"digest": "abc"}}, "digest"),
        ({"gallery": {"enabled": "Yes"}}, "enabled"),
        ({"galery": {"enabled": True}}, "galery"),
        ({"worker": {"replica": 2}}, "replica"),
    ],
)
def test_wrong_values_are_refused_by_name(values: dict[str, Any], word: str) -> None:
    ran = helm("template", NAME, values=values)
    assert ran.returncode != 0
    assert word in ran.stderr


def test_every_setting_may_be_set() -> None:
    settings = {setting.variable: "1" for setting in SETTINGS.values()} | {"VIPS_CONCURRENCY": "1", "IMGPROXY_X": "1"}
    data = rendered({"settings": settings})["ConfigMap", f"{NAME}-settings"]["data"]
    assert {name: data[name] for name in settings} == settings


def test_helm_has_nothing_to_say_of_the_chart(tmp_path: Path) -> None:
    linted = helm("lint", "--strict", values=VALUES)
    assert linted.returncode == 0, linted.stdout
    assert "[WARNING]" not in linted.stdout
    with tarfile.open(_package(tmp_path)) as archive:
        names = archive.getnames()
    assert "image-handler/values.schema.json" in names
    assert not [name for name in names if name.endswith(".py")]


def _package(folder: Path) -> Path:
    command = [require_tool("helm", "make setup"), "package", str(CHART), "--destination", str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=120, env={"HOME": str(folder), "PATH": "/usr/bin"})
    (packed,) = folder.glob("*.tgz")
    return packed


def test_the_chart_needs_the_kubernetes_of_the_guide() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    guide = (ROOT / "docs/kubernetes.md").read_text("utf-8")
    assert chart["kubeVersion"] == ">=1.30.0-0"
    assert "Kubernetes 1.30" in guide


def test_the_command_of_the_documentation_renders() -> None:
    """Helm takes `--set image.tag=1` for a number, which is no tag."""
    text = (ROOT / "docs" / "kubernetes.md").read_text("utf-8")
    (command,) = re.findall(r"^helm install (\w+) deploy/chart ((?:.*\\\n)*.*)$", text, re.MULTILINE)
    release, options = command[0], shlex.split(command[1].replace("\\\n", " "))
    ran = helm("template", release, *options)
    assert ran.returncode == 0, ran.stderr
    assert f"image: registry.example/{NAME}:1\n" in ran.stdout
    assert 'host: "images.example.com"' in ran.stdout
