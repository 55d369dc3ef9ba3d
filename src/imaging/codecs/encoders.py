"""The encoders, each with what its format makes of the options; the figures behind the defaults are in bench/."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec.structs import replace

from imaging.params.output import Format, Output

Image = Any
"""A pyvips image; its stubs know no names of enumerations."""

Options = dict[str, Any]
_DEPTHS = (1, 2, 4, 8)
"""Bits of a number in a PNG's palette."""
_STORED = 0
"""A PNG's compression: none, and the file is packed afterwards, in memory."""
STORED_BYTES = 8_000_000
"""Pixels that are packed so; larger pictures are packed row by row."""
DEFAULT_QUALITY = {"jpeg": 80, "webp": 80, "avif": 50, "tiff": 80}


class Content(NamedTuple):
    """What an encoder has to know of the pixels."""

    graphic: bool
    """A drawing, text or a screenshot, not a photograph."""
    alpha: bool
    size: int
    """Bytes of the pixels."""
    colours: int = 0
    """Of a palette whose numbers the pixels are; 0: they are no numbers."""


def save(image: Image, chosen: Format, output: Output, *, graphic: bool, keep: bool = False, colours: int = 0) -> bytes:
    """The finished file; `image` has the bands and depth of the format, and with `keep` no metadata that must stay."""
    operation, options = _ENCODERS[chosen]
    size = image.width * image.height * image.bands
    told = options(output, Content(graphic, image.hasalpha(), size, colours))
    body = bytes(getattr(image, operation)(keep="all" if keep else "none", **told))
    return _packed(body) if told.get("compression") == _STORED else body


def _packed(png: bytes) -> bytes:
    from imaging.codecs.png_chunks import packed  # noqa: PLC0415 - for PNG alone

    return packed(png)


def quality(chosen: Format, output: Output) -> int:
    """The quality that is asked for, or the format's default."""
    return output.quality or DEFAULT_QUALITY.get(chosen, 80)


def power_of_two(colors: int) -> int:
    """Bits of the largest palette that has at most so many colours."""
    return int(math.log2(colors))


def rungs(chosen: Format, output: Output) -> list[Output]:
    """Ways to write the same picture in ever fewer bytes, the asked one first: less quality, or fewer colours."""
    if chosen in ("png", "gif"):
        sizes = (256, 16, 4, 2) if chosen == "png" else (128, 64, 32, 16, 8, 4, 2)
        fewer = [size for size in sizes if size < (output.colors or 257)]
        return [output, *(replace(output, palette=chosen == "png", colors=size) for size in fewer)]
    if output.lossless:
        return [output]
    top = quality(chosen, output)
    return [output, *(replace(output, quality=lower) for lower in range(top - 1, 0, -1))]


def sharpens_color(output: Output, *, graphic: bool) -> bool:
    """Whether WebP, which always halves colour, takes time to keep its edges."""
    return output.chroma_subsampling == "4:4:4" or (output.chroma_subsampling == "auto" and graphic)


def _jpeg(output: Output, content: Content) -> Options:
    effort = 5 if output.effort is None else output.effort
    kept = output.chroma_subsampling == "auto" and content.graphic
    return {
        "Q": quality("jpeg", output),
        "interlace": output.progressive,
        "optimize_coding": effort > 0,
        "subsample_mode": "off" if kept else {"auto": "auto", "4:2:0": "on", "4:4:4": "off"}[output.chroma_subsampling],
        "trellis_quant": effort >= 7,
        "overshoot_deringing": effort >= 7,
        "optimize_scans": effort >= 9 and output.progressive,
    }


def _png(output: Output, content: Content) -> Options:
    effort, palette = output.effort, bool(output.palette or output.colors)
    # Filters pack photographs and get into the way of flat colours; ISA-L is good at what is filtered.
    options: Options = {
        "interlace": output.progressive,
        "compression": (6 if content.graphic else 2) if effort is None else max(1, min(effort, 9)),
        "filter": "none" if content.graphic or palette else "avg",
    }
    if content.colours:
        return options | {"bitdepth": next(bits for bits in _DEPTHS if content.colours <= 1 << bits)}
    if palette:
        bits = max(depth for depth in _DEPTHS if depth <= power_of_two(output.colors or 256))
        return options | {"palette": True, "bitdepth": bits, "effort": 7 if effort is None else max(1, effort)}
    if effort is None and not content.graphic and content.size <= STORED_BYTES:
        options["compression"] = _STORED
    return options


def _webp(output: Output, content: Content) -> Options:
    options: Options = {"effort": 2 if output.effort is None else round(output.effort * 0.6)}
    if output.lossless:
        return options | {"lossless": True}
    asked = quality("webp", output)
    # At effort 2, one step less makes the bytes of libwebp's usual effort 4.
    eased = asked if output.effort is not None or asked == 100 else max(1, asked - 1)
    return options | {"Q": eased, "smart_subsample": sharpens_color(output, graphic=content.graphic)}


def _avif(output: Output, _content: Content) -> Options:
    effort = 3 if output.effort is None else round(output.effort * 0.9)
    options: Options = {"compression": "av1", "bitdepth": 8, "effort": effort}
    if output.lossless:
        return options | {"lossless": True}
    subsampled = output.chroma_subsampling == "4:2:0"
    return options | {"Q": quality("avif", output), "subsample_mode": "on" if subsampled else "off"}


def _gif(output: Output, _content: Content) -> Options:
    effort = 3 if output.effort is None else max(1, output.effort)
    return {"effort": effort, "interlace": output.progressive, "bitdepth": power_of_two(output.colors or 256)}


def _tiff(output: Output, content: Content) -> Options:
    # JPEG inside a TIFF has no alpha channel.
    if output.quality is not None and not output.lossless and not content.alpha:
        return {"compression": "jpeg", "Q": output.quality}
    return {"compression": "deflate", "predictor": "horizontal"}


_ENCODERS: dict[Format, tuple[str, Callable[[Output, Content], Options]]] = {
    "jpeg": ("jpegsave_buffer", _jpeg),
    "png": ("pngsave_buffer", _png),
    "webp": ("webpsave_buffer", _webp),
    "avif": ("heifsave_buffer", _avif),
    "gif": ("gifsave_buffer", _gif),
    "tiff": ("tiffsave_buffer", _tiff),
}
