"""`image-handler purge`: have a service withdraw originals with everything that was made of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import click

from handler.aws.client import send
from handler.storage.purge import MAX_KEYS

_SECONDS = 35.0


@click.command()
@click.argument("keys", nargs=-1, required=True, metavar="KEY…")
@click.option("--url", required=True, help="Address of the service, such as https://images.example.com.")
@click.option("--bucket", help="Source in which the keys lie; nothing: where an address without one finds them.")
@click.option("--token", envvar="IMAGE_HANDLER_TOKEN", hidden=True)
def purge(keys: tuple[str, ...], url: str, bucket: str | None, token: str | None) -> None:
    """Withdraw the originals KEY…: pictures kept of them, what was seen in them, and every copy in the CDN.

    The operator's token is read from IMAGE_HANDLER_TOKEN.
    """
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise click.UsageError(f"--url must be an http(s) address, got {url!r}")
    for start in range(0, len(keys), MAX_KEYS):
        said = _asked(url.rstrip("/"), keys[start : start + MAX_KEYS], bucket, token)
        click.echo(f"{said['keys']} originals withdrawn, {said['results']} kept pictures deleted" + _cdn(said))


def _cdn(said: dict[str, Any]) -> str:
    return f", invalidation {said['invalidation']}" if said["invalidation"] else ""


def _asked(url: str, keys: Sequence[str], bucket: str | None, token: str | None) -> dict[str, Any]:
    body = json.dumps({"keys": keys} | ({"bucket": bucket} if bucket else {}))
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    parts = urlsplit(url)
    try:
        reply = send("POST", f"{parts.scheme}://{parts.netloc}{parts.path}/_api/purge", body, headers, _SECONDS)
        said = json.loads(reply.body)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{url} does not answer as this service does: {error}") from error
    if reply.status != 200:
        raise click.ClickException(f"{reply.status}: {said.get('message', said)}")
    return dict(said)
