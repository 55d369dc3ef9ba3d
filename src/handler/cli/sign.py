"""`image-handler sign`: sign a URL, optionally with an expiry."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from handler.auth.signature import parse_life
from handler.composition import wiring
from handler.config import Settings
from handler.core.errors import BadRequest


class Life(click.ParamType[timedelta]):
    """A time to live: `90s`, `15m`, `1h`, `7d`, `2w`."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the time to live. Raise a usage error for an invalid value."""
        try:
            return parse_life(str(value))
        except BadRequest as error:
            self.fail(error.message, param, ctx)


@click.command()
@click.argument("url")
@click.option("--expires", type=Life(), help="Valid for this long: 90s, 15m, 1h, 7d, 2w.")
@click.option(
    "--secret-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File that holds the secret."
)
@click.option("--secret-id", help="Id of the secret in Secrets Manager.")
@click.option("--secret-key", help="Field of that secret which holds the key.")
def sign(
    url: str, expires: timedelta | None, secret_file: Path | None, secret_id: str | None, secret_key: str | None
) -> None:
    """Sign URL, a path with its query such as "/cat.jpg?width=300", or a complete URL.

    By default the secret is the one that the environment names (SIGNATURE_SECRET_FILE or SECRETS_MANAGER).

    \b
    Examples:
      image-handler sign "/cat.jpg?width=300" --secret-file secret.txt
      image-handler sign "https://images.example.com/cat.jpg" --expires 7d --secret-id pictures-secret
    """
    if secret_file and secret_id:
        raise click.UsageError("--secret-file and --secret-id exclude each other")
    settings = Settings.from_environment()
    if secret_file or secret_id:
        settings = settings.replace(signature_secret_file=str(secret_file or ""), secrets_manager=secret_id or "")
    if not (settings.access.signature_secret_file or settings.access.secrets_manager):
        raise click.UsageError("no secret: pass --secret-file or --secret-id")
    settings = settings.replace(enable_signature=True, secret_key=secret_key or settings.access.secret_key)
    entrypoint = wiring.build(settings).http
    if entrypoint.signatures is None:
        raise click.ClickException("the secret could not be opened")
    click.echo(entrypoint.signatures.signed_url(url, expires, ignored=entrypoint.ignored))
