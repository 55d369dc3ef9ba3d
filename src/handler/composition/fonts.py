"""The operator's fonts: in a folder, or under a prefix of a bucket, which are fetched when a text needs them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from handler.aws import AwsAccess
from handler.core.errors import HandlerError
from handler.observability.logs import logger
from handler.storage.sources import open_sources
from imaging import ObjectRef, add_font_folder, add_font_source, is_font_file

_MAX_FONTS, _MAX_BYTES = 64, 64_000_000
"""Files under the prefix that are fonts, and the bytes of all of them."""
_SETTING = "FONTS"


def use_fonts(place: str, aws: AwsAccess) -> list[str]:
    """Let texts use the fonts in a folder or under a prefix; return the fault if it cannot be one."""
    if "://" in place:
        sources = open_sources(f"{_SETTING}={place}", limit=_MAX_BYTES, aws=aws)
        if sources.locations[0].scheme == "https":
            return [f"FONTS must be a folder or a prefix such as s3://bucket/fonts, which can be listed, got {place!r}"]
        add_font_source(lambda: fetch_fonts(place, aws))
        return []
    if not Path(place).is_dir():
        return [f"FONTS must be a folder that exists, got {place!r}"]
    add_font_folder(str(Path(place).resolve()))
    return []


def fetch_fonts(place: str, aws: AwsAccess) -> Mapping[str, bytes]:
    """Return the fonts under a prefix by unique names. Raise HandlerError for too many, or a file that is no font.

    Other files, such as licences, are left out.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - few services have fonts in a bucket

    sources = open_sources(f"{_SETTING}={place}", limit=_MAX_BYTES, aws=aws)
    found, size = [], 0
    for info in sources.list(_SETTING, ""):
        if not is_font_file(info.ref.key):
            continue
        found.append(info.ref.key)
        size += info.size
        if len(found) > _MAX_FONTS or size > _MAX_BYTES:
            raise HandlerError(
                "the fonts of this service are not set up",
                code="Configuration",
                detail=f"FONTS must hold at most {_MAX_FONTS} fonts of {_MAX_BYTES} bytes together, {place} holds more",
            )
    found.sort()
    with ThreadPoolExecutor(max_workers=8) as pool:
        bodies = list(pool.map(lambda key: sources.get(ObjectRef(_SETTING, key)).read(), found))
    for key, body in zip(found, bodies, strict=True):
        _check_font(key, body)
    logger().info("fonts are fetched", extra={"fonts": len(found), "bytes": size})
    # Folders may hold files of equal names.
    return {f"{number}{Path(key).suffix}": body for number, (key, body) in enumerate(zip(found, bodies, strict=True))}


def _check_font(key: str, body: bytes) -> None:
    from PIL import ImageFont  # noqa: PLC0415 - few services have fonts in a bucket

    try:
        ImageFont.truetype(io.BytesIO(body))
    except OSError as error:
        raise HandlerError(
            "the fonts of this service are not set up", code="Configuration", detail=f"FONTS: {key} is no font: {error}"
        ) from None
