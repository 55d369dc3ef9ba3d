"""`image-handler completion`: print what makes a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

PROGRAM = "image-handler"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the code that makes SHELL complete commands and options.

    \b
    Examples, to add to the start file of your shell:
      image-handler completion bash >> ~/.bashrc
      image-handler completion zsh >> ~/.zshrc
      image-handler completion fish > ~/.config/fish/completions/image-handler.fish
    """
    completer = get_completion_class(shell)
    if completer is None:
        raise click.ClickException(f"click has no completion for {shell}")
    variable = f"_{PROGRAM.upper().replace('-', '_')}_COMPLETE"
    click.echo(completer(ctx.find_root().command, {}, PROGRAM, variable).source())
