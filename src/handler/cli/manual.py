"""Print docs/command-line.md, which is the help of the commands: `python -m handler.cli.manual`."""

from __future__ import annotations

import click

from handler.cli.commands import PROGRAM, group

_HEAD = """\
# The command line

After this page you know every command of `image-handler` with its options. `make reference` writes the page from the
`--help` of each.

A command answers a wrong option or parameter with one line, which names the most similar one, and with the exit
status 2. The status is 1 if some of the work failed.
"""


def manual() -> str:
    """Return the page: the help of the group, then that of each command."""
    parent = _context(group, PROGRAM)
    sections = [_HEAD, _block(group.get_help(parent))]
    for name in group.list_commands(parent):
        command = group.commands[name]
        sections += [f"## {name}\n", _block(command.get_help(_context(command, name, parent)))]
    return "\n".join(sections)


def _context(command: click.Command, name: str, parent: click.Context | None = None) -> click.Context:
    return click.Context(command, info_name=name, parent=parent, terminal_width=80, **group.context_settings)


def _block(text: str) -> str:
    return f"```\n{text}\n```\n"


if __name__ == "__main__":
    click.echo(manual(), nl=False)
