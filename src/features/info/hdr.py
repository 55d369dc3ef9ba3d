"""What makes an image HDR: the gain map of a JPEG, or the transfer function of an AVIF or a HEIC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaging.codecs.decode import read_header
from imaging.context import Limits
from imaging.errors import FeatureError
from imaging.formats import JPEG, format_by_name
from imaging.picture import ImageHeader

if TYPE_CHECKING:
    from imaging.codecs.decode.color_space import ColorSpace
    from imaging.gain_map import StoredGainMap


def report_hdr(original: bytes, source: ImageHeader) -> dict[str, object] | None:
    """Return the gain map or the transfer function; None for an image that is not HDR."""
    decoder = format_by_name(source.format).decoder
    stored: StoredGainMap | None = decoder.read_gain_map(original) if decoder.read_gain_map else None
    if stored is not None:
        return {"gainMap": _describe(stored)}
    space: ColorSpace | None = (
        decoder.read_color_space(original, has_profile=source.profile) if decoder.read_color_space else None
    )
    return {"transfer": space.curve, "peak": space.peak} if space is not None and space.is_hdr else None


def _describe(stored: StoredGainMap) -> dict[str, object]:
    parameters = stored.parameters
    try:
        header = read_header(stored.body, JPEG.name, None, Limits())
    except FeatureError:
        return {"bytes": len(stored.body)}
    return {
        "width": header.width,
        "height": header.height,
        "channels": header.bands,
        "bytes": len(stored.body),
        "gainMin": _rounded(parameters.gain_min),
        "gainMax": _rounded(parameters.gain_max),
        "headroom": [round(parameters.headroom_min, 4), round(parameters.headroom_max, 4)],
    }


def _rounded(numbers: tuple[float, ...]) -> list[float]:
    return [round(number, 4) for number in numbers]
