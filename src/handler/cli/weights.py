"""`image-handler weights`: what removeBackground needs, got and made ready once."""

from __future__ import annotations

from pathlib import Path

import click

from features import by_name
from handler.cli.model_files import DEFAULT, INT8, NON_COMMERCIAL, WeightsError, prepare
from handler.config import Settings
from imaging import fields

_MODELS = fields(by_name("removeBackground").params)["model"].choices


@click.command()
@click.argument("models", nargs=-1, metavar="[MODELS]…", type=click.Choice(_MODELS))
@click.option(
    "--pictures", "pictures", default="samples/photos", show_default=True,
    type=click.Path(file_okay=False, path_type=Path), help="Photographs to calibrate u2net-int8 with",
)  # fmt: skip
def weights(models: tuple[str, ...], pictures: Path) -> None:
    """Get the weights of MODELS (unless said, u2net) into the folder WEIGHTS, and make them ready.

    u2net-int8 is made of u2net and wants onnx (pip install onnx). All but these and u2netp are fetched by rembg, from
    where it has them. Each model has a licence of its own (NOTICE); bria-rmbg may be used for non-commercial purposes
    only.
    """
    for model in dict.fromkeys(models):
        if model in NON_COMMERCIAL:
            click.echo(f"warning: {model}: {NON_COMMERCIAL[model]}", err=True)
    folder = Path(Settings.from_environment().weights_folder)
    calibration = _photographs(pictures) if INT8 in models else ()
    try:
        for step in prepare(folder, models or (DEFAULT,), calibration):
            click.echo(f"{step} …", err=True)
    except WeightsError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{folder} is ready")


def _photographs(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
