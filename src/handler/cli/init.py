"""`image-handler init`: write what a deployment starts from."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from handler.cli.init_files import Plan, plan_compose, plan_kubernetes, plan_stack, write

_FILES = {"compose": "compose.yaml", "stack": "stack.parameters", "kubernetes": "values.yaml"}
_FOREIGN = {
    "compose": ("sources", "host"),
    "stack": ("images", "image", "port", "host"),
    "kubernetes": ("images", "port", "uploads"),
}
"""Options that only another kind of deployment has."""
_BUCKETS, _SIGNATURES, _UPLOADS = "Buckets with the originals", "Serve signed URLs only", "Take uploads"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(=[^\s,]+)?")
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._/:-]*(:[A-Za-z0-9_.-]{1,128})?(@sha256:[0-9a-f]{64})?")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


@click.command()
@click.option(
    "--for", "kind", type=click.Choice(tuple(_FILES)),
    help="compose: a Compose file for a server of your own. stack: parameters for the CloudFormation stack. "
    "kubernetes: values for the Helm chart.  [default: compose]",
)  # fmt: skip
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), default=Path(), show_default="this one",
    help="Folder for the files, created if needed.",
)  # fmt: skip
@click.option(
    "--images", type=click.Path(path_type=Path), help="compose: folder with the originals.  [default: images]"
)
@click.option("--sources", help="stack, kubernetes: names of the buckets with the originals, separated by commas.")
@click.option("--image", help="compose, kubernetes: container image.  [default: image-handler]")
@click.option("--port", type=click.IntRange(1, 65535), help="compose: port on this machine.  [default: 8000]")
@click.option("--host", help="kubernetes: host name of the ingress; without it there is no ingress.")
@click.option("--signatures/--no-signatures", default=None, help="Serve signed URLs only.  [default: no-signatures]")
@click.option(
    "--uploads/--no-uploads",
    default=None,
    help="compose, stack: take uploads through /_api/uploads.  [default: uploads]",
)
@click.option("--force", is_flag=True, help="Replace files that exist. Secrets are kept.")
def init(kind: str | None, folder: Path, *, force: bool, **options: Any) -> None:
    """Write a Compose file, parameters for a stack, or values for Kubernetes, and print what to run next.

    On a terminal it asks for what the options leave open. Elsewhere it asks nothing and takes the defaults.

    \b
    Examples:
      image-handler init
      image-handler init --for stack --sources my-photos --signatures
      image-handler init --for kubernetes --sources my-photos --image registry.example/image-handler:1 \\
        --host images.example.com
    """
    ask = _Questions(is_asking=sys.stdin.isatty() and sys.stdout.isatty())
    kind = ask.choice("What for", kind, tuple(_FILES))
    folder = folder.resolve()
    path = folder / _FILES[kind]
    if path.exists() and not force:
        raise click.UsageError(f"{path} exists: pass --force to replace it, or another --folder")
    for name in _FOREIGN[kind]:
        if options[name] is not None:
            raise click.UsageError(f"--{name} must be left out for {kind}")
    plans = {"compose": _ask_for_compose, "stack": _ask_for_stack, "kubernetes": _ask_for_kubernetes}
    _write(plans[kind](ask, path, options), folder)


class _Questions:
    """Asks for what no option states, if there is a terminal; otherwise takes the default."""

    def __init__(self, *, is_asking: bool) -> None:
        self._is_asking = is_asking

    def text(self, question: str, given: str | None, default: str) -> str:
        if given is not None or not self._is_asking:
            return default if given is None else given
        return str(click.prompt(question, default=default, show_default=bool(default)))

    def choice(self, question: str, given: str | None, choices: tuple[str, ...]) -> str:
        if given is not None or not self._is_asking:
            return given or choices[0]
        return str(click.prompt(question, default=choices[0], type=click.Choice(choices)))

    def confirm(self, question: str, given: bool | None, *, default: bool) -> bool:
        if given is not None or not self._is_asking:
            return default if given is None else given
        return click.confirm(question, default=default)

    def port(self, question: str, given: int | None, default: int) -> int:
        if given is not None or not self._is_asking:
            return given or default
        return int(click.prompt(question, default=default, type=click.IntRange(1, 65535)))


def _ask_for_compose(ask: _Questions, path: Path, options: Mapping[str, Any]) -> Plan:
    images = _find_images(ask, path.parent, options["images"])
    return plan_compose(
        path.parent,
        images,
        _ask_for_image(ask, options["image"]),
        ask.port("Port on this machine", options["port"], 8000),
        signatures=ask.confirm(_SIGNATURES, options["signatures"], default=False),
        uploads=ask.confirm(_UPLOADS, options["uploads"], default=True),
    )


def _ask_for_stack(ask: _Questions, path: Path, options: Mapping[str, Any]) -> Plan:
    sources = _check_sources(ask.text(_BUCKETS, options["sources"], ""), _BUCKET)
    signatures = ask.confirm(_SIGNATURES, options["signatures"], default=False)
    return plan_stack(
        path, sources, signatures=signatures, uploads=ask.confirm(_UPLOADS, options["uploads"], default=True)
    )


def _ask_for_kubernetes(ask: _Questions, path: Path, options: Mapping[str, Any]) -> Plan:
    sources = _check_sources(ask.text(_BUCKETS, options["sources"], ""), _SOURCE)
    image = _ask_for_image(ask, options["image"])
    host = ask.text("Host name of the ingress, or nothing for no ingress", options["host"], "")
    if host:
        _check("--host", host, _HOST, "a host name")
    signatures = ask.confirm(_SIGNATURES, options["signatures"], default=False)
    return plan_kubernetes(path, sources, image, host, signatures=signatures)


def _ask_for_image(ask: _Questions, given: str | None) -> str:
    text = ask.text("Container image", given, "image-handler")
    return _check("--image", text, _IMAGE, "a container image, such as registry.example/image-handler:1")


def _check(option: str, text: str, pattern: re.Pattern[str], expected: str) -> str:
    if not pattern.fullmatch(text):
        raise click.UsageError(f"{option} must be {expected}, got {text!r}")
    return text


def _check_sources(text: str, pattern: re.Pattern[str]) -> str:
    names = [each.strip() for each in text.split(",")]
    if not all(map(pattern.fullmatch, names)):
        raise click.UsageError(f"--sources must be the names of your buckets, such as my-photos, got {text!r}")
    return ",".join(names)


def _find_images(ask: _Questions, folder: Path, given: Path | None) -> Path:
    """Return the folder of the originals; the default one is beside the Compose file, and need not exist."""
    default = folder / "images"
    path = Path(ask.text("Folder with the originals", None if given is None else str(given), str(default)))
    path = path.expanduser().resolve()
    if path != default and not path.is_dir():
        raise click.UsageError(f"--images must be a folder, got {str(path)!r}")
    return path


def _write(plan: Plan, folder: Path) -> None:
    try:
        written = write(plan, folder)
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written: {error.strerror or error}") from None
    for path in written:
        click.echo(f"wrote {path}")
    click.echo("\nNext:")
    for step in plan.next_steps:
        click.echo(f"  {step}")
