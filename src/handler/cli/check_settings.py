"""`image-handler check-settings`: check the environment before a deployment."""

from __future__ import annotations

import click

from handler.composition import wiring
from handler.config import Settings


@click.command(name="check-settings")
def check_settings() -> None:
    """Check every setting in the environment, including sources, presets and the files of secrets.

    Nothing is served. If a server would not start with this environment, print a line for each fault and exit with
    status 2.

    \b
    Examples:
      SOURCE_BUCKETS=my-photos image-handler check-settings
    """
    wiring.build(Settings.from_environment())
    click.echo("the settings are valid")
