"""`image-handler open`: open the demo page of a service."""

from __future__ import annotations

import webbrowser
from http import HTTPStatus
from urllib.parse import urlsplit

import click

from handler.aws.client import AnswerTooLarge, Connection
from handler.cli.service_url import parse_service_url

_PATHS = {"demo": "/_demo/", "gallery": "/_gallery/", "docs": "/_docs/", "api": "/_api/docs"}
_OUTPUTS = {"demo": "DemoUrl", "gallery": "GalleryUrl"}
_PARAMETERS = {"demo": "DeployDemoUI", "gallery": "DeployGallery"}
_LOCAL = "http://127.0.0.1:8000"
_SECONDS = 35.0
_PAGE_BYTES = 1_000_000


@click.command("open")
@click.argument("page", type=click.Choice(tuple(_PATHS)), default="demo")
@click.option("--url", callback=parse_service_url, help=f"URL of the service.  [default: {_LOCAL}]")
@click.option("--stack", help="Name of a CloudFormation stack, whose outputs have the URL.")
@click.option("--print", "only_print", is_flag=True, help="Print the URL, and open no browser.")
def open_page(page: str, url: str | None, stack: str | None, *, only_print: bool) -> None:
    """Open a PAGE of a service in the browser: demo page (demo), gallery, documentation (docs), API reference (api).

    The page is requested first, so that an error says what is missing. The exit status is 1 if there is no such page.

    \b
    Examples:
      image-handler open
      image-handler open gallery --url https://images.example.com
      image-handler open --stack pictures --print
    """
    if url and stack:
        raise click.UsageError("--url and --stack exclude each other")
    address = _find_in_stack(stack, page) if stack else (url or _LOCAL) + _PATHS[page]
    _check(address, page)
    click.echo(address)
    if not only_print and not webbrowser.open(address):
        raise click.ClickException("no browser can be started here: open the URL yourself, or pass --print")


def _find_in_stack(stack: str, page: str) -> str:
    """Return the URL of a page that the outputs of a stack hold. Raise ClickException without one."""
    from handler.aws.sdk import SdkError  # noqa: PLC0415 - for `--stack` alone
    from handler.aws.stacks import stack_outputs  # noqa: PLC0415 - for `--stack` alone
    from handler.composition.factories import build_aws_access  # noqa: PLC0415 - for `--stack` alone
    from handler.config import Settings  # noqa: PLC0415 - for `--stack` alone

    try:
        outputs = stack_outputs(stack, build_aws_access(Settings.from_environment()))
    except SdkError as error:
        raise click.ClickException(f"stack {stack} cannot be read: {error}") from error
    if page not in _OUTPUTS and "CdnUrl" in outputs:
        return outputs["CdnUrl"].rstrip("/") + _PATHS[page]
    if _OUTPUTS.get(page, "CdnUrl") not in outputs:
        parameter = _PARAMETERS.get(page, "ImageUri")
        raise click.ClickException(f"stack {stack} has no {page} page: deploy it with {parameter}=Yes")
    return outputs[_OUTPUTS[page]]


def _check(address: str, page: str) -> None:
    """Request a page. Raise ClickException if it is not there."""
    parts = urlsplit(address)
    base = f"{parts.scheme}://{parts.netloc}"
    try:
        with Connection(base, _SECONDS) as connection:
            status = connection.send("GET", parts.path, None, {"Accept": "text/html"}, max_bytes=_PAGE_BYTES).status
    except AnswerTooLarge as error:
        status = error.status
    except OSError as error:
        hint = "start a server with image-handler serve --images DIR, or name one by --url"
        raise click.ClickException(f"{base} does not answer ({error.strerror or error}): {hint}") from error
    if status == HTTPStatus.NOT_FOUND:
        switch = {"demo": "set DeployDemoUI=Yes on a stack", "gallery": "start the server with --gallery"}
        raise click.ClickException(f"{base} has no {page} page: {switch.get(page, 'it is no image handler')}")
    if status != HTTPStatus.OK:
        raise click.ClickException(f"{address} must be answered with 200, got {status}")
