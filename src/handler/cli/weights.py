"""`image-handler weights`: what removeBackground needs, got and made ready once."""

from __future__ import annotations

from pathlib import Path

import click

from features import by_name, fields
from handler.settings import Settings
from handler.weights import DEFAULT, WeightsError, prepare

_MODELS = fields(by_name("removeBackground").params)["model"].choices


@click.command()
@click.argument("models", nargs=-1, metavar="[MODELS]…", type=click.Choice(_MODELS))
def weights(models: tuple[str, ...]) -> None:
    """Get the weights of MODELS (unless said, u2net) into the folder WEIGHTS, and make them ready.

    All but u2net and u2netp are fetched by rembg, from where it has them.
    """
    folder = Path(Settings.from_environment().weights_folder)
    try:
        for step in prepare(folder, models or (DEFAULT,)):
            click.echo(f"{step} …", err=True)
    except WeightsError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{folder} is ready")
