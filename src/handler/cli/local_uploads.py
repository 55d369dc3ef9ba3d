"""The settings of `image-handler serve --uploads DIR --gallery`: uploads and a gallery without AWS."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

import click

from handler.config import Settings

SOURCE, GALLERY = "uploads", "gallery"
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


def add_gallery(settings: Settings, folder: Path | None) -> Settings:
    """Return settings with a gallery in a folder beside the uploads; results and masks are stored there as well.

    The secret that signs its cookies and URLs is made once. What the environment sets already stays as it is.
    """
    if settings.gallery.gallery_source:
        return settings
    if folder is None:
        raise click.UsageError("--gallery needs the folder of --uploads, or GALLERY_SOURCE in the environment")
    pictures, results = folder / GALLERY, folder / "results"
    for each in (pictures, results):
        each.mkdir(exist_ok=True)
    sources = settings.storage.source_buckets
    settings = settings.replace(source_buckets=f"{sources},{GALLERY}={pictures.as_uri()}", gallery_source=GALLERY)
    if not (settings.access.secrets_manager or settings.access.signature_secret_file):
        settings = settings.replace(signature_secret_file=str(_make_secret(folder / "signature-secret")))
    if not settings.storage.results_bucket:
        settings = settings.replace(results_bucket=f"results={results.as_uri()}", store_results=True)
    return settings


def _make_secret(path: Path) -> Path:
    """Make a file with a new secret that only its owner can read, unless there is one."""
    if not path.exists():
        handle, draft = tempfile.mkstemp(dir=path.parent)  # has mode 0600
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32))
            with suppress(FileExistsError):  # another server has made it meanwhile
                os.link(draft, path)
        finally:
            Path(draft).unlink()
    return path
