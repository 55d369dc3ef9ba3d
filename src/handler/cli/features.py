"""`image-handler features`: what can be done to a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from features import CATALOGUE, by_name
from imaging import Feature, Output, Params, fields


@click.command()
@click.argument("name", required=False)
def features(name: str | None) -> None:
    """Show the table of features, or the parameters of the one called NAME ("output": how pictures are written)."""
    if name is None:
        _table([("feature", "group", "what it does"), *map(_row, CATALOGUE)])
        return
    model = Output if name == "output" else by_name(name, "NAME").params
    click.echo((model.__doc__ or "").strip().splitlines()[0])
    if fields(model):
        click.echo()
        _table([("parameter", "default", "what it does"), *_parameters(model)])


def _row(feature: Feature) -> tuple[str, str, str]:
    dear = "".join(
        f" ({word})" for word, is_so in (("expensive", feature.expensive), ("billed", feature.billed)) if is_so
    )
    return feature.name + dear, feature.group, feature.help


def _parameters(model: type[Params]) -> Iterator[tuple[str, str, str]]:
    for field in fields(model).values():
        default = "-" if field.default in (None, "") else str(field.default)
        about = [field.description.rstrip("."), field.expected, field.unit]
        yield field.name, default, "; ".join(part for part in about if part)


def _table(rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
