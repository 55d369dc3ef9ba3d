"""The files that `image-handler init` writes, and the commands to run after it."""

from __future__ import annotations

import json
import os
import secrets
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

_CONTAINER_USER = 65532
"""The user of the container image."""
_SECRET_BYTES = 24
_SECRETS = "secrets"
_DATA = "data"

_COMPOSE = """\
# Written by image-handler init. Settings: docs/configuration.md
services:
  image-handler:
    image: {image}
    entrypoint: [image-handler, serve]
    command: {command}
    # Only this machine reaches the port. Put a proxy with TLS in front of it, or remove 127.0.0.1.
    ports: ["127.0.0.1:{port}:8000"]
    environment:
{environment}
    secrets: {secret_names}
    volumes:
{volumes}
    # The files that it reads and writes belong to this user.
    user: "{user}"
    read_only: true
    tmpfs: ["/tmp:size=512m"]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    init: true
    cpus: 2
    mem_limit: 2g
    pids_limit: 512
    stop_grace_period: 40s
    restart: unless-stopped
    healthcheck:
      test: [CMD, python3, -c, "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/_health', timeout=4)"]
      interval: 10s
      timeout: 5s
      retries: 6
      start_period: 30s
    logging:
      driver: json-file
      options: {{max-size: 10m, max-file: "3"}}
secrets:
{secrets}
"""
_PARAMETERS = """\
# Parameters of template/serverless-image-handler-template.yaml, one a line; each has a description there.
# Written by image-handler init.
{lines}
"""
_VALUES = """\
# Values of the chart deploy/chart, which lists all of them in its values.yaml. Written by image-handler init.
image:
{image}
settings:
{settings}
ingress:
  enabled: {has_ingress}
  host: {host}
"""


_KEYS = (
    "kubectl create secret generic images-keys --from-literal=AWS_ACCESS_KEY_ID=… "
    "--from-literal=AWS_SECRET_ACCESS_KEY=…   # unless the pods have a role"
)


class Plan(NamedTuple):
    """Files to write, and what the user does next."""

    files: Mapping[str, str]
    """Text by path below the folder. What is under `secrets` is kept if it exists, and for its owner alone."""
    next_steps: tuple[str, ...]
    folders: tuple[str, ...] = ()
    """Folders to create."""


def plan_compose(folder: Path, images: Path, image: str, port: int, *, signatures: bool, uploads: bool) -> Plan:
    """Return a Compose file for one server, with its secrets."""
    names = ["operator", *(["signature"] if signatures else [])]
    environment = {
        "OPERATOR_TOKEN_FILE": "/run/secrets/operator",
        # Two images at a time share the memory.
        "MEMORY_BUDGET": "600000000",
        "VIPS_CONCURRENCY": "2",
    }
    if signatures:
        environment |= {"ENABLE_SIGNATURE": "Yes", "SIGNATURE_SECRET_FILE": "/run/secrets/signature"}
    # Every client has the address of Docker's bridge, so a limit for one address would be one for all.
    command = ["--host=0.0.0.0", "--images=/images", "--workers=2", "--connections-per-address=0"]
    volumes = [("/images", _relative(images, folder), True)]
    if uploads:
        command.append("--uploads=/data")
        volumes.append(("/data", f"./{_DATA}", False))
    text = _COMPOSE.format(
        image=_quote(image),
        command=json.dumps(command),
        port=port,
        environment=_write_mapping(environment, 6),
        secret_names=f"[{', '.join(names)}]",
        volumes="\n".join(_write_volume(*volume) for volume in volumes),
        user=f"{owner()[0]}:{owner()[1]}",
        secrets="\n".join(f"  {name}: {{file: ./{_SECRETS}/{name}}}" for name in names),
    )
    return Plan(
        {"compose.yaml": text, f"{_SECRETS}/.gitignore": "*\n"}
        | {f"{_SECRETS}/{name}": secrets.token_hex(_SECRET_BYTES) + "\n" for name in names},
        (
            f"docker build -t {image} .            # in a checkout, unless a registry has the image",
            f"docker compose --project-directory {_word(folder)} up --detach --wait",
            f"image-handler open --url http://127.0.0.1:{port}",
            f"The demo page asks for the operator's token once: it is in {folder / _SECRETS / 'operator'}.",
        ),
        ((_DATA,) if uploads else ()) + (() if images.exists() else (images.name,)),
    )


def plan_stack(path: Path, sources: str, *, signatures: bool, uploads: bool) -> Plan:
    """Return parameters of the CloudFormation stack."""
    parameters = {"SourceBuckets": sources, "EnableSignature": "Yes" if signatures else "No", "DeployDemoUI": "Yes"}
    if uploads:
        parameters |= {
            "CreateUploadBuckets": "Yes",
            "UploadApi": "Yes",
            "Presets": '{"thumbnail": "width=400&height=400&fit=inside&format=webp"}',
            "UploadPresets": "thumbnail",
        }
    lines = "\n".join(f"{name}={value}" for name, value in parameters.items())
    return Plan(
        {path.name: _PARAMETERS.format(lines=lines)},
        (f"make deploy STACK=pictures PARAMETERS_FILE={_word(path)}", "image-handler open --stack pictures"),
    )


def plan_kubernetes(path: Path, sources: str, image: str, host: str, *, signatures: bool) -> Plan:
    """Return values of the Helm chart."""
    settings = {"SOURCE_BUCKETS": sources, "OPERATOR_TOKEN_FILE": "/run/image-handler/operator"}
    literals = ["--from-literal=operator=$(openssl rand -hex 24)"]
    if signatures:
        settings |= {"ENABLE_SIGNATURE": "Yes", "SIGNATURE_SECRET_FILE": "/run/image-handler/signature"}
        literals.append("--from-literal=signature=$(openssl rand -hex 24)")
    text = _VALUES.format(
        image=_write_mapping(split_image(image), 2),
        settings=_write_mapping(settings, 2),
        has_ingress="true" if host else "false",
        host=_quote(host or "images.example.com"),
    )
    return Plan(
        {path.name: text},
        (
            f"kubectl create secret generic images-secrets {' '.join(literals)}",
            _KEYS,
            f"helm install images deploy/chart --values {_word(path)}",
            f"image-handler open --url https://{host}" if host else "kubectl port-forward service/images 8000:80",
        ),
    )


def split_image(image: str) -> dict[str, str]:
    """Return repository, tag and digest of a container image, as far as it has them."""
    name, _, digest = image.partition("@")
    at = name.rfind(":")
    # A colon before a slash belongs to the port of the registry.
    repository, tag = (name[:at], name[at + 1 :]) if at > name.rfind("/") else (name, "")
    found = {"repository": repository, "tag": tag, "digest": digest}
    return {each: value for each, value in found.items() if value}


def write(plan: Plan, folder: Path) -> list[Path]:
    """Write the files of a plan and return them, without the secrets that were there before. Raise OSError."""
    written = []
    folder.mkdir(parents=True, exist_ok=True)
    for name in plan.folders:
        (folder / name).mkdir(exist_ok=True)
        _give(folder / name)
    for name, text in plan.files.items():
        path = folder / name
        is_secret = path.parent.name == _SECRETS
        if is_secret:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            _give(path.parent)
        if is_secret and path.exists():
            continue
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if is_secret else 0o666)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        if is_secret:
            _give(path)
        written.append(path)
    return written


def owner() -> tuple[int, int]:
    """Return the user and the group of the server's process: those of the caller, unless that is root."""
    if not hasattr(os, "getuid") or os.getuid() == 0:
        return _CONTAINER_USER, _CONTAINER_USER
    return os.getuid(), os.getgid()


def _give(path: Path) -> None:
    """Let the process of the server read what root has written."""
    if hasattr(os, "getuid") and os.getuid() == 0:
        os.chown(path, *owner())


def _relative(path: Path, folder: Path) -> str:
    """Return a path as the Compose file in a folder names it."""
    if path.is_relative_to(folder):
        return f"./{path.relative_to(folder).as_posix()}"
    return path.as_posix()


def _word(path: Path) -> str:
    """Return a path as a word of a shell's command."""
    return shlex.quote(str(path))


def _quote(text: str) -> str:
    """Return text as a quoted scalar of YAML."""
    return json.dumps(text, ensure_ascii=False)


def _write_mapping(values: Mapping[str, str], indent: int) -> str:
    return "\n".join(f"{' ' * indent}{name}: {_quote(value)}" for name, value in values.items())


def _write_volume(target: str, source: str, is_read_only: bool) -> str:
    """Return a bind mount. Compose would take a `$` in a path for a variable."""
    access = ", read_only: true" if is_read_only else ""
    return f"      - {{type: bind, source: {_quote(source.replace('$', '$$'))}, target: {target}{access}}}"
