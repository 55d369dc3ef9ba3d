"""The group of all commands, and the exit status and message of each error."""

from __future__ import annotations

from importlib.metadata import version

import click

from handler.cli.backfill import backfill
from handler.cli.check_settings import check_settings
from handler.cli.check_urls import check_urls
from handler.cli.completion import completion
from handler.cli.doctor import doctor
from handler.cli.explain import explain, translate
from handler.cli.features import features
from handler.cli.init import init
from handler.cli.mcp import mcp
from handler.cli.open import open_page
from handler.cli.purge import purge
from handler.cli.redrive import redrive
from handler.cli.serve import serve
from handler.cli.sign import sign
from handler.cli.transform import transform
from handler.cli.upload import upload
from handler.cli.weights import weights
from handler.cli.worker import worker
from handler.config import SettingsError
from handler.core.errors import HandlerError
from imaging import FeatureError

INTERRUPTED = 130
PROGRAM = "image-handler"
_LONGEST_HELP = 300
"""Characters of a command's first sentence; no command has more."""


class _Commands(click.Group):
    """The group, whose help shows the whole first sentence of each command; click shortens it to one line."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of the commands."""
        rows = [(name, self.commands[name].get_short_help_str(limit=_LONGEST_HELP)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("image-handler"), prog_name=PROGRAM)
def group() -> None:
    """Serve and transform images, sign and translate their URLs, and check a deployment.

    \b
    Examples:
      image-handler serve --images photos                    a server; then: image-handler open
      image-handler transform photos --out web width=1200    without a server
      image-handler init                                     files for a server, a stack or a cluster
    """


for command in (
    serve,
    init,
    open_page,
    sign,
    purge,
    transform,
    upload,
    explain,
    translate,
    features,
    check_settings,
    check_urls,
    doctor,
    mcp,
    completion,
    weights,
    worker,
    backfill,
    redrive,
):
    group.add_command(command)


def run(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status."""
    try:
        outcome = group.main(arguments, prog_name=PROGRAM, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        return _print_error(" ".join(error.format_message().split()), error.exit_code)
    except (FeatureError, HandlerError) as error:
        return _print_error(error.message, 2)
    except SettingsError as error:
        return _print_error(str(error), 2)
    except click.Abort:
        return INTERRUPTED
    return outcome if isinstance(outcome, int) else 0


def _print_error(message: str, status: int) -> int:
    click.echo(f"image-handler: {message}", err=True)
    return status
