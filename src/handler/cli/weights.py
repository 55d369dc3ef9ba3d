"""`image-handler weights`: download and prepare the weights of the models of removeBackground and upscale."""

from __future__ import annotations

from pathlib import Path

import click

from features import by_name
from handler.cli.model_files import DEFAULT, NON_COMMERCIAL, WeightsError, prepare
from handler.config import Settings
from imaging import UPSCALING, fields

_MODELS = (*fields(by_name("removeBackground").params)["model"].choices, UPSCALING)


@click.command()
@click.argument("models", nargs=-1, metavar="[MODELS]…", type=click.Choice(_MODELS))
def weights(models: tuple[str, ...]) -> None:
    """Download the weights of MODELS (default: u2net) into the folder WEIGHTS, and prepare them.

    u2net-int8 is made from u2net, waifu2x-photo is for upscale, and both need onnx (pip install onnx). rembg downloads
    all other models except u2netp. Each has a licence of its own (see NOTICE).

    bria-rmbg may be used for non-commercial purposes only.

    \b
    Examples:
      image-handler weights
      WEIGHTS=models image-handler weights u2net u2net-int8 waifu2x-photo
    """
    for model in dict.fromkeys(models):
        if model in NON_COMMERCIAL:
            click.echo(f"warning: {model}: {NON_COMMERCIAL[model]}", err=True)
    folder = Path(Settings.from_environment().weights_folder)
    try:
        for step in prepare(folder, models or (DEFAULT,)):
            click.echo(f"{step} …", err=True)
    except WeightsError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{folder} is ready")
