"""`image-handler purge`: purge the variants of originals from a service's caches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import click

from handler.aws.client import send
from handler.entrypoints.operator.entrypoint import MAX_PURGED_KEYS

_SECONDS = 35.0


@click.command()
@click.argument("keys", nargs=-1, required=True, metavar="KEY…")
@click.option("--url", required=True, help="URL of the service, such as https://images.example.com.")
@click.option("--bucket", help="Source of the keys, if it is not the default one.")
@click.option("--token", envvar="IMAGE_HANDLER_TOKEN", hidden=True)
def purge(keys: tuple[str, ...], url: str, bucket: str | None, token: str | None) -> None:
    """Purge the originals KEY…: their stored results, cached detections, and every copy in the CDN.

    The operator's token is read from IMAGE_HANDLER_TOKEN.

    \b
    Examples:
      image-handler purge photos/cat.jpg --url https://images.example.com
    """
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise click.UsageError(f"--url must be an http or https URL, got {url!r}")
    for start in range(0, len(keys), MAX_PURGED_KEYS):
        answer = _call_purge(url.rstrip("/"), keys[start : start + MAX_PURGED_KEYS], bucket, token)
        invalidation = f", invalidation {answer['invalidation']}" if answer["invalidation"] else ""
        click.echo(f"{answer['keys']} originals purged, {answer['results']} stored results deleted" + invalidation)


def _call_purge(url: str, keys: Sequence[str], bucket: str | None, token: str | None) -> dict[str, Any]:
    body = json.dumps({"keys": keys} | ({"bucket": bucket} if bucket else {}))
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    parts = urlsplit(url)
    try:
        reply = send("POST", f"{parts.scheme}://{parts.netloc}{parts.path}/_api/purge", body, headers, _SECONDS)
        answer = json.loads(reply.body)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{url} does not answer like this service: {error}") from error
    if reply.status != 200:
        raise click.ClickException(f"{reply.status}: {answer.get('message', answer)}")
    return dict(answer)
