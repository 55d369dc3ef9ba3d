"""deploy/kubernetes: what Kubernetes' own schemas say of it, and whether its parts and the handler agree."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import kubernetes_validate
import pytest
import yaml
from tests.weights import ROOT

from handler.cli import serve as serving
from handler.cli import worker as working
from handler.config import SETTINGS, Settings
from handler.entrypoints.readiness import PATIENCE_SECONDS, VALID_SECONDS
from handler.entrypoints.server.server import HEALTH, READY
from handler.storage.sources import read_locations

FOLDER = ROOT / "deploy" / "kubernetes"
OLDEST, NEWEST = "1.30", kubernetes_validate.latest_version()
# libvips' own, which the handler does not read.
OF_LIBRARIES = {"VIPS_CONCURRENCY"}


def read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text("utf-8"))
    return content


KUSTOMIZATION = read("kustomization.yaml")
COMPONENTS = ("worker", "gallery", "postgresql", "store")
WORKER = read("worker/deployment.yaml")
RESOURCES = {resource["kind"]: resource for resource in map(read, KUSTOMIZATION["resources"])}
PODS = RESOURCES["Deployment"]["spec"]["template"]
CONTAINER = PODS["spec"]["containers"][0]
SETTINGS_FILE = KUSTOMIZATION["configMapGenerator"][0]
GUIDE = (ROOT / "docs/kubernetes.md").read_text("utf-8")
OVERLAY = yaml.safe_load(textwrap.dedent(re.split("```(?:yaml)?\n", GUIDE)[1]))
GALLERY_OVERLAY = yaml.safe_load(GUIDE.partition("## Add the gallery")[2].partition("```yaml\n")[2].partition("```")[0])


def check_probes(container: dict[str, Any]) -> None:
    """Only the readiness depends on the database: Kubernetes restarts what fails the other two."""
    (port,) = container["ports"]
    pages = {"startupProbe": HEALTH, "readinessProbe": READY, "livenessProbe": HEALTH}
    assert {probe: container[probe]["httpGet"] for probe in pages} == {
        probe: {"path": page, "port": port["name"]} for probe, page in pages.items()
    }
    assert container["readinessProbe"]["timeoutSeconds"] > PATIENCE_SECONDS
    assert container["readinessProbe"]["periodSeconds"] > VALID_SECONDS


def environment() -> dict[str, str]:
    lines = (FOLDER / SETTINGS_FILE["envs"][0]).read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("kind", RESOURCES)
def test_kubernetes_knows_every_field(kind: str, version: str) -> None:
    kubernetes_validate.validate(RESOURCES[kind], version, strict=True)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_knows_every_field_of_the_worker(version: str) -> None:
    kubernetes_validate.validate(WORKER, version, strict=True)


def test_the_worker_has_the_rights_settings_and_secrets_of_the_server() -> None:
    pods = WORKER["spec"]["template"]
    (container,) = pods["spec"]["containers"]
    for name in ("image", "envFrom", "securityContext", "volumeMounts", "resources"):
        assert container[name] == CONTAINER[name], name
    for name in ("serviceAccountName", "securityContext", "volumes", "automountServiceAccountToken"):
        assert pods["spec"][name] == PODS["spec"][name], name
    assert WORKER["spec"]["selector"] == {"matchLabels": pods["metadata"]["labels"]}
    assert pods["metadata"]["labels"] != PODS["metadata"]["labels"], "the service must not send requests to it"


def test_the_worker_s_options_and_probes_are_those_of_the_command() -> None:
    pods = WORKER["spec"]["template"]["spec"]
    (container,) = pods["containers"]
    queue, *options = container["args"]
    assert (container["command"], queue) == (["image-handler", "worker"], "--queue=$(UPLOAD_QUEUE)")
    given = working.worker.make_context("worker", ["--queue=https://sqs.eu-west-1.amazonaws.com/1/q", *options]).params
    (port,) = container["ports"]
    assert given["health"] == ("0.0.0.0", port["containerPort"])
    assert given["jobs"] == int(container["resources"]["limits"]["cpu"])
    assert pods["terminationGracePeriodSeconds"] > given["grace"]
    check_probes(container)
    for name in ("UPLOAD_QUEUE", "RECORDS_FILE", "components", "image-handler redrive"):
        assert name in GUIDE


def test_a_field_that_is_not_known_would_be_told() -> None:
    wrong = {**RESOURCES["Service"], "spec": {**RESOURCES["Service"]["spec"], "port": 80}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


def test_every_file_is_named_once() -> None:
    named = {*KUSTOMIZATION["resources"], *SETTINGS_FILE["envs"], "kustomization.yaml"}
    assert named == {path.name for path in FOLDER.iterdir()} - set(COMPONENTS)
    for component in COMPONENTS:
        about = read(f"{component}/kustomization.yaml")
        assert about["kind"] == "Component", "a component is applied only by those who list it"
        files = {*about.get("resources", ()), "kustomization.yaml"}
        files |= {name for generator in about.get("configMapGenerator", ()) for name in generator["envs"]}
        assert files == {path.name for path in (FOLDER / component).iterdir()}
    assert set(KUSTOMIZATION) == {"apiVersion", "kind", "resources", "configMapGenerator"}


def test_all_speak_of_the_same_pods() -> None:
    labels = PODS["metadata"]["labels"]
    assert RESOURCES["Deployment"]["spec"]["selector"] == {"matchLabels": labels}
    assert RESOURCES["PodDisruptionBudget"]["spec"]["selector"] == {"matchLabels": labels}
    assert RESOURCES["Service"]["spec"]["selector"] == labels
    assert [spread["labelSelector"] for spread in PODS["spec"]["topologySpreadConstraints"]] == [
        {"matchLabels": labels}
    ]
    target = RESOURCES["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    deployment = RESOURCES["Deployment"]
    assert (target["apiVersion"], target["kind"]) == (deployment["apiVersion"], deployment["kind"])
    assert target["name"] == deployment["metadata"]["name"]
    assert "replicas" not in deployment["spec"], "an apply would undo what the autoscaler did"
    assert PODS["spec"]["serviceAccountName"] == RESOURCES["ServiceAccount"]["metadata"]["name"]
    # A name that the base had changed would no longer be there for the overlay to change.
    assert CONTAINER["image"] == OVERLAY["images"][0]["name"]
    assert {"name": SETTINGS_FILE["name"]} in [source.get("configMapRef") for source in CONTAINER["envFrom"]]


def test_ports_and_probes_are_those_of_the_server() -> None:
    (port,) = CONTAINER["ports"]
    context = serving.serve.make_context("serve", list(CONTAINER["args"]))
    assert CONTAINER["command"] == ["image-handler", "serve"]
    assert (context.params["host"], context.params["port"]) == ("0.0.0.0", port["containerPort"])
    assert context.params["workers"] == int(CONTAINER["resources"]["limits"]["cpu"])
    assert RESOURCES["Service"]["spec"]["ports"][0]["targetPort"] == port["name"]
    check_probes(CONTAINER)


def test_a_pod_ends_after_its_requests() -> None:
    pause = CONTAINER["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert PODS["spec"]["terminationGracePeriodSeconds"] > pause + serving._GRACE_SECONDS


def test_nobody_has_more_rights_than_needed() -> None:
    user = re.search(r"^USER (\d+):(\d+)$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert user is not None
    pod, container = PODS["spec"]["securityContext"], CONTAINER["securityContext"]
    assert (pod["runAsNonRoot"], pod["runAsUser"], pod["runAsGroup"]) == (True, int(user[1]), int(user[2]))
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert PODS["spec"]["automountServiceAccountToken"] is False
    volumes = {volume["name"]: set(volume) - {"name"} for volume in PODS["spec"]["volumes"]}
    assert volumes == {"tmp": {"emptyDir"}, "secrets": {"secret"}}
    writable = [mount["mountPath"] for mount in CONTAINER["volumeMounts"] if not mount.get("readOnly")]
    assert writable == ["/tmp"]


def test_the_settings_are_the_handlers() -> None:
    said = environment()
    assert set(said) - OF_LIBRARIES <= {setting.variable for setting in SETTINGS.values()}
    settings = Settings.from_environment(said)
    assert [place.bucket for place in read_locations(settings.storage.source_buckets)] == ["photos"]
    workers, limit = int(CONTAINER["resources"]["limits"]["cpu"]), CONTAINER["resources"]["limits"]["memory"]
    assert workers * settings.limits.memory_budget + 500_000_000 < int(limit.removesuffix("Gi")) * 2**30


def test_the_guide_names_what_is_there() -> None:
    assert OVERLAY["configMapGenerator"][0]["name"] == SETTINGS_FILE["name"]
    secrets = PODS["spec"]["volumes"][1]["secret"]["secretName"]
    keys = next(source["secretRef"]["name"] for source in CONTAINER["envFrom"] if "secretRef" in source)
    for name in (secrets, keys, SETTINGS_FILE["name"], "SIGNATURE_SECRET_FILE", "OPERATOR_TOKEN_FILE", "/_metrics"):
        assert name in GUIDE
    assert CONTAINER["volumeMounts"][1]["mountPath"] in GUIDE


DATABASE, STORE = read("postgresql/statefulset.yaml"), read("store/statefulset.yaml")


@pytest.mark.parametrize("stateful", [DATABASE, STORE])
def test_database_and_store_have_no_more_rights_than_the_server(stateful: dict[str, Any]) -> None:
    pod = stateful["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] != 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in (*pod["containers"], *pod.get("initContainers", ())):
        assert container["securityContext"] == CONTAINER["securityContext"]
        assert set(container["resources"]) == {"requests", "limits"}
        assert re.search(r":v?\d+\.\d+", container["image"]), "a version, not the latest"
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(pod["containers"][0])
    labels = stateful["spec"]["template"]["metadata"]["labels"]
    assert stateful["spec"]["selector"] == {"matchLabels": labels}


@pytest.mark.parametrize("component", ["postgresql", "store"])
def test_only_servers_and_workers_reach_database_and_store(component: str) -> None:
    stateful, policy, service = (
        read(f"{component}/{name}.yaml") for name in ("statefulset", "networkpolicy", "service")
    )
    labels = stateful["spec"]["template"]["metadata"]["labels"]
    assert policy["spec"]["podSelector"] == {"matchLabels": labels}
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in policy["spec"], "it needs to reach nothing"
    (rule,) = policy["spec"]["ingress"]
    (allowed,) = rule["from"][0]["podSelector"]["matchExpressions"]
    pods = [
        each["spec"]["template"]["metadata"]["labels"][allowed["key"]] for each in (RESOURCES["Deployment"], WORKER)
    ]
    assert allowed["values"] == pods
    (port,) = stateful["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert rule["ports"] == [{"protocol": "TCP", "port": port["name"]}]
    assert service["spec"]["selector"] == labels
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]


@pytest.mark.parametrize("name", ["networkpolicy.yaml", "worker/networkpolicy.yaml"])
def test_pods_cannot_ask_the_cloud_for_the_credentials_of_their_node(name: str) -> None:
    policy = read(name)["spec"]
    blocks = [block["ipBlock"] for rule in policy["egress"] for block in rule.get("to", ())]
    assert {block["cidr"]: block["except"] for block in blocks} == {
        "0.0.0.0/0": ["169.254.169.254/32"],
        "::/0": ["fd00:ec2::254/128"],
    }
    pods = PODS if name == "networkpolicy.yaml" else WORKER["spec"]["template"]
    assert policy["podSelector"] == {"matchLabels": pods["metadata"]["labels"]}
    (port,) = pods["spec"]["containers"][0]["ports"]
    assert policy["ingress"] == [{"ports": [{"protocol": "TCP", "port": port["name"]}]}]


def test_the_store_has_the_keys_of_the_pods_and_a_folder_for_each_bucket_of_the_guide() -> None:
    pod = STORE["spec"]["template"]["spec"]
    keys = [each["valueFrom"]["secretKeyRef"] for each in pod["containers"][0]["env"] if "valueFrom" in each]
    assert {key["name"] for key in keys} == {source["secretRef"]["name"] for source in CONTAINER["envFrom"][1:]}
    assert [key["key"] for key in keys] == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    folders = [argument.removeprefix("/data/") for argument in pod["initContainers"][0]["args"]]
    said = GALLERY_OVERLAY["configMapGenerator"][0]["literals"]
    settings = Settings.from_environment({**settings_of("gallery"), **dict(each.split("=", 1) for each in said)})
    locations = read_locations(settings.storage.source_buckets)
    results = read_locations(settings.storage.results_bucket, "RESULTS_BUCKET")
    assert {location.bucket for location in (*locations, *results)} == set(folders)
    service = read("store/service.yaml")["metadata"]["name"]
    assert {location.endpoint for location in (*locations, *results)} == {f"http://{service}"}
    assert settings.gallery.gallery_source in {location.name for location in locations}
    assert GALLERY_OVERLAY["components"] == [
        f"../image-handler/deploy/kubernetes/{name}" for name in ("gallery", "postgresql", "store")
    ]
    database = read("postgresql/service.yaml")["metadata"]["name"]
    env = {each["name"]: each["value"] for each in DATABASE["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert f"postgresql+psycopg://{env['POSTGRES_USER']}:$password@{database}/{env['POSTGRES_DB']}" in GUIDE


def settings_of(component: str) -> dict[str, str]:
    lines = (FOLDER / component / "settings.env").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
