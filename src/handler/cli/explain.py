"""`image-handler explain` and `translate`: what an address means, and how another language says it."""

from __future__ import annotations

import json

import click

from handler.composition import wiring
from handler.config import Settings
from handler.requests import dialects


@click.command()
@click.argument("url")
def explain(url: str) -> None:
    """Say in JSON what URL means: bucket, key, edits in order, output, and whether its signature is valid.

    Presets, ALWAYS and secrets are those of the environment. No picture is read.
    """
    click.echo(json.dumps(_answer("explain", url=url), indent=2, ensure_ascii=False))


@click.command()
@click.argument("url")
@click.option(
    "--to",
    required=True,
    type=click.Choice(dialects.names()),
    help="The other language.",
)
def translate(url: str, to: str) -> int:
    """Write URL in another language; what that cannot say is told, and ends in status 1."""
    made = _answer("translate", url=url, to=to)
    click.echo(made["url"])
    for name in made["unsaid"]:
        click.echo(f"not said: {name}", err=True)
    return 1 if made["unsaid"] else 0


def _answer(page: str, **asked: str) -> dict[str, list[str] | str]:
    json_endpoints = wiring.build(Settings.from_environment()).http.json_endpoints
    if json_endpoints is None:
        raise click.ClickException("this version answers no questions")
    answer = json_endpoints(True)[page].answer(**asked)
    if not isinstance(answer, dict):
        raise click.ClickException("the answer is no object")
    return answer
