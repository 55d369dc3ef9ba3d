"""`image-handler sign`: a signature for an address, and perhaps an end."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from handler.auth.signature import parse_life
from handler.composition import wiring
from handler.config import Settings
from handler.errors import BadRequest


class Life(click.ParamType[timedelta]):
    """A time to live: `90s`, `15m`, `1h`, `7d`, `2w`."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The time that is meant; a usage error otherwise."""
        try:
            return parse_life(str(value))
        except BadRequest as error:
            self.fail(error.message, param, ctx)


@click.command()
@click.argument("address")
@click.option("--expires", type=Life(), help="Valid for this long: 90s, 15m, 1h, 7d, 2w.")
@click.option(
    "--secret-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File that holds the secret."
)
@click.option("--secret-id", help="Id of the secret in Secrets Manager.")
@click.option("--secret-key", help="Field of that secret which holds the key.")
def sign(
    address: str, expires: timedelta | None, secret_file: Path | None, secret_id: str | None, secret_key: str | None
) -> None:
    """Sign ADDRESS, a path with its query such as "/cat.jpg?width=300", or a whole URL.

    Without an option the secret is the one that the environment names (SIGNATURE_SECRET_FILE or SECRETS_MANAGER).
    """
    if secret_file and secret_id:
        raise click.UsageError("--secret-file and --secret-id exclude each other")
    settings = Settings.from_environment()
    if secret_file or secret_id:
        settings = settings.replace(signature_secret_file=str(secret_file or ""), secrets_manager=secret_id or "")
    if not (settings.access.signature_secret_file or settings.access.secrets_manager):
        raise click.UsageError("a secret must be named: --secret-file or --secret-id")
    settings = settings.replace(enable_signature=True, secret_key=secret_key or settings.access.secret_key)
    door = wiring.build(settings).http
    if door.signatures is None:
        raise click.ClickException("no secret could be opened")
    click.echo(door.signatures.signed_url(address, expires, ignored=door.ignored))
