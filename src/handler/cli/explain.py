"""`image-handler explain` and `translate`: describe a URL, or translate it into another URL language."""

from __future__ import annotations

import json
from typing import Any

import click

from handler.composition import wiring
from handler.config import Settings
from handler.requests import dialects


@click.command()
@click.argument("url")
def explain(url: str) -> int:
    """Describe URL in JSON: bucket, key, edits in order, output, and whether its signature is valid.

    Presets, ALWAYS and secrets are those of the environment. No image is read. If the service would refuse the URL, the
    exit status is 2 and the reasons follow on standard error. COMPATIBILITY=lenient ignores some of them.

    \b
    Examples:
      image-handler explain "/cat.jpg?width=300&format=webp"
      image-handler explain "/300x200/filters:blur(3)/cat.jpg"
    """
    answer = _call_endpoint("explain", url=url)
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    if answer["compatibility"] == "lenient":
        return 0
    for ignored in answer["ignored"]:
        click.echo(f"refused: {ignored['message']}", err=True)
    return 2 if answer["ignored"] else 0


@click.command()
@click.argument("url")
@click.option("--to", required=True, type=click.Choice(dialects.names()), help="The URL language to translate into.")
def translate(url: str, to: str) -> int:
    """Translate URL into another URL language. If that cannot express a part, name the part and exit with status 1.

    \b
    Examples:
      image-handler translate "/cat.jpg?width=300" --to thumbor
      image-handler translate "/unsafe/300x200/cat.jpg" --to query
    """
    answer = _call_endpoint("translate", url=url, to=to)
    click.echo(answer["url"])
    for name in answer["unsaid"]:
        click.echo(f"cannot be expressed: {name}", err=True)
    return 1 if answer["unsaid"] else 0


def _call_endpoint(page: str, **params: str) -> dict[str, Any]:
    """Return the answer of the JSON endpoint `/_api/{page}`, with the operator's rights."""
    json_endpoints = wiring.build(Settings.from_environment()).http.services.json_endpoints
    if json_endpoints is None:
        raise click.ClickException(f"this application has no endpoint {page}")
    answer = json_endpoints(True)[page].answer(**params)
    if not isinstance(answer, dict):
        raise click.ClickException(f"the answer must be an object, got {answer!r:.200}")
    return answer
