"""`image-handler check-settings`: check the environment before a deployment, not at its first request."""

from __future__ import annotations

import click

from handler.composition import wiring
from handler.config import Settings


@click.command(name="check-settings")
def check_settings() -> None:
    """Check every setting in the environment, sources, presets and files of secrets among them.

    Nothing is served. Status 2 and a line for each fault where a server with this environment would not start.
    """
    wiring.build(Settings.from_environment())
    click.echo("the settings are valid")
