"""`image-handler features`: list the features and their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from features import CATALOGUE, by_name
from imaging import Feature, Output, Params, fields


@click.command()
@click.argument("name", required=False)
def features(name: str | None) -> None:
    """List all features, or the parameters of the feature NAME. NAME may be "output", for format and quality.

    \b
    Examples:
      image-handler features
      image-handler features resize
      image-handler features output
    """
    if name is None:
        _print_table([("feature", "group", "what it does"), *map(_feature_row, CATALOGUE)])
        return
    model = Output if name == "output" else by_name(name, "NAME").params
    click.echo((model.__doc__ or "").strip().splitlines()[0])
    if fields(model):
        click.echo()
        _print_table([("parameter", "default", "what it does"), *_parameter_rows(model)])


def _feature_row(feature: Feature) -> tuple[str, str, str]:
    marks = {"expensive": bool(feature.expensive), "billed": bool(feature.billed)}
    return feature.name + "".join(f" ({name})" for name, is_set in marks.items() if is_set), feature.group, feature.help


def _parameter_rows(model: type[Params]) -> Iterator[tuple[str, str, str]]:
    for field in fields(model).values():
        default = "-" if field.default in (None, "") else str(field.default)
        about = [field.description.rstrip("."), field.expected, field.unit]
        yield field.name, default, "; ".join(part for part in about if part)


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows with columns as wide as their widest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
