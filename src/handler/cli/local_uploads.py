"""The settings with which `image-handler serve --uploads DIR` takes and processes uploads without AWS."""

from __future__ import annotations

from pathlib import Path

import click

from handler.config import Settings

SOURCE = "uploads"
_PRESET = "thumbnail"
_PRESETS = '{"thumbnail": "width=400&height=400&fit=inside&format=webp"}'


def add_uploads(settings: Settings, folder: Path) -> Settings:
    """Return settings with a source, an output folder and a database of records under a folder, which is created.

    What the environment sets already stays as it is.
    """
    originals, variants = folder / "originals", folder / "variants"
    try:
        for each in (originals, variants):
            each.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"--uploads must be a folder that can be written: {error}") from None
    sources = settings.storage.source_buckets
    settings = settings.replace(source_buckets=f"{sources},{SOURCE}={originals.as_uri()}".removeprefix(","))
    if not settings.ingest.upload_source:
        settings = settings.replace(upload_source=SOURCE)
    if not settings.records.database and not settings.records.database_file:
        settings = settings.replace(database=f"sqlite:///{folder}/records.db")
    if not settings.storage.output_bucket:
        settings = settings.replace(output_bucket=f"variants={variants.as_uri()}")
    if not settings.storage.upload_presets:
        presets = settings.requests.presets
        settings = settings.replace(upload_presets=(_PRESET,), presets=presets or _PRESETS)
    return settings
