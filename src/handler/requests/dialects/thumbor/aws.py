"""AWS's interpretation of a Thumbor path: its image handler turns the path into JSON edits, and so does this module.

The source is `source/image-handler/thumbor-mapper.ts` of AWS's Dynamic Image Transformation for Amazon CloudFront. The
filters are mapped in alphabetical order, so that `format` comes before `quality`; the order in the path is irrelevant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from handler.requests.dialects.thumbor.arguments import Arguments, Usage
from handler.requests.dialects.thumbor.grammar import ThumborPath
from imaging import InvalidParameter

Edits = dict[str, Any]
_FORMATS = ("jpg", "jpeg", "png", "webp", "tiff", "heif", "heic", "raw", "gif", "avif")
_FORMATS_WITH_QUALITY = {"jpg": "jpeg", "jpeg": "jpeg", "png": "png", "webp": "webp", "tiff": "tiff", "tif": "tiff",
                         "gif": "gif", "avif": "avif"}  # fmt: skip
"""The edit that takes `quality()`, by the extension of a key."""


def build_edits(path: ThumborPath) -> Edits:
    """Return the JSON edits that a path means. Raise InvalidParameter."""
    edits: Edits = {}
    if path.crop is not None:
        left, top, right, bottom = (int(corner) for corner in path.crop[:4])
        edits["crop"] = {"left": left, "top": top, "width": right - left, "height": bottom - top}
    if path.size is not None and (path.size.width or path.size.height):
        sides = {"width": path.size.width, "height": path.size.height}
        edits["resize"] = {name: side for name, side in sides.items() if side}
        if not (path.size.width and path.size.height):
            edits["resize"]["fit"] = "inside"
    if path.fit_in is not None:
        edits.setdefault("resize", {})["fit"] = "inside"
    for call in sorted(path.filters, key=str):
        known = FILTERS.get(call.name)
        if known is None:
            raise InvalidParameter(
                "filters", f"some of {', '.join(FILTERS)} (behind `unsafe` or a signature all of Thumbor's)", call.name
            )
        known.apply(edits, Arguments(call, known.usage))
    _assign_quality(edits, path)
    return edits


def rename_error(error: InvalidParameter, where: str) -> InvalidParameter:
    """Return the error about an edit as one about the filter that the edit comes from.

    `where` is the name of the edits as a whole. `edits.flatten.background` becomes `filters:background_color`, say.
    """
    edit_name = error.name.removeprefix(f"{where}.")
    for name, known in FILTERS.items():
        edit = known.edit or name
        if edit_name == edit or edit_name.startswith(f"{edit}."):
            field = edit_name[len(edit) + 1 :]
            expected = f"written as {known.usage.text}, {field or 'its value'} {error.expected}"
            return InvalidParameter(f"filters:{name}", expected, error.got, code=error.code)
    return InvalidParameter(edit_name, error.expected, error.got, code=error.code)


class _Filter(NamedTuple):
    """A filter as AWS interprets it."""

    usage: Usage
    apply: Callable[[Edits, Arguments], None]
    edit: str = ""
    """The name of the edit that it becomes, where that is another name."""


def _assign_quality(edits: Edits, path: ThumborPath) -> None:
    """Move `quality` to the edit of the format that is delivered.

    That is the format of `format()`, else that of the key's extension, or WebP where AUTO_WEBP applies.
    """
    quality = edits.pop("quality", None)
    requested = edits.get("toFormat")
    name = requested or _FORMATS_WITH_QUALITY.get(path.image.rpartition(".")[2].lower())
    if quality is not None and name is not None:
        # The last edit of a format decides the format. That of WebP, whose options AUTO_WEBP uses, therefore is first.
        for each in dict.fromkeys(("webp", name) if requested is None else (name,)):
            edits[each] = {"quality": quality}


def _resize_of(edits: Edits) -> Edits:
    """Return the edit `resize`, added if it was missing."""
    resize: Edits = edits.setdefault("resize", {})
    return resize


def _map_autojpg(edits: Edits, _: Arguments) -> None:
    edits["toFormat"] = "jpeg"


def _map_animated(edits: Edits, arguments: Arguments) -> None:
    edits["animated"] = arguments.boolean(0, default=True)


def _map_background_color(edits: Edits, arguments: Arguments) -> None:
    edits["flatten"] = {"background": arguments.text(0)}


def _map_blur(edits: Edits, arguments: Arguments) -> None:
    edits["blur"] = arguments.number(1) if arguments.text(1) else arguments.number(0) / 2


def _map_convolution(edits: Edits, arguments: Arguments) -> None:
    kernel = arguments.numbers(0)
    columns = arguments.integer(1, min_value=1)
    if len(kernel) % columns:
        arguments.refuse("a weight for each place")
    edits["convolve"] = {"width": columns, "height": len(kernel) // columns, "kernel": kernel}


def _map_equalize(edits: Edits, _: Arguments) -> None:
    edits["normalize"] = True


def _map_fill(edits: Edits, arguments: Arguments) -> None:
    _resize_of(edits).update(fit="contain", background=arguments.text(0))


def _map_format(edits: Edits, arguments: Arguments) -> None:
    word = arguments.choice(0, _FORMATS)
    edits["toFormat"] = "jpeg" if word == "jpg" else word


def _map_grayscale(edits: Edits, _: Arguments) -> None:
    edits["grayscale"] = True


def _map_no_upscale(edits: Edits, _: Arguments) -> None:
    _resize_of(edits)["withoutEnlargement"] = True


def _map_proportion(edits: Edits, arguments: Arguments) -> None:
    """Multiply the size of the path; without one, the size of the original is multiplied."""
    resize, factor = _resize_of(edits), arguments.number(0)
    if resize.get("width") and resize.get("height") and factor > 0:
        resize.update({side: max(1.0, resize[side] * factor) for side in ("width", "height")})
    else:
        resize["ratio"] = factor


def _map_quality(edits: Edits, arguments: Arguments) -> None:
    edits["quality"] = arguments.integer(0)


def _map_rgb(edits: Edits, arguments: Arguments) -> None:
    edits["tint"] = {channel: 255 * arguments.number(at) / 100 for at, channel in enumerate("rgb")}


def _map_rotate(edits: Edits, arguments: Arguments) -> None:
    """Rotate by the angle. Without one AWS applies the orientation of the original, which happens here anyway."""
    if arguments.text(0):
        edits["rotate"] = arguments.number(0)
    else:
        edits.pop("rotate", None)


def _map_sharpen(edits: Edits, arguments: Arguments) -> None:
    edits["sharpen"] = 1 + arguments.number(1) / 2


def _map_smart_crop(edits: Edits, arguments: Arguments) -> None:
    texts = {"faceIndex": arguments.text(0), "padding": arguments.text(1)}
    given = {name: arguments.integer(at) for at, name in enumerate(texts) if texts[name]}
    edits["smartCrop"] = given or True


def _map_stretch(edits: Edits, _: Arguments) -> None:
    if _resize_of(edits).get("fit") != "inside":
        edits["resize"]["fit"] = "fill"


def _map_strip(edits: Edits, _: Arguments) -> None:
    edits["rotate"] = None


def _map_upscale(edits: Edits, _: Arguments) -> None:
    _resize_of(edits)["fit"] = "inside"


def _map_watermark(edits: Edits, arguments: Arguments) -> None:
    bucket, key, x, y, alpha, width, height = (arguments.text(at) for at in range(7))
    options = {name: position for name, position in (("left", x), ("top", y)) if position not in ("", "center")}
    overlay = {"bucket": bucket, "key": key, "alpha": alpha, "wRatio": width, "hRatio": height}
    given = {name: value for name, value in overlay.items() if value not in ("", "none")}
    edits["overlayWith"] = given | {"options": options}


FILTERS: Mapping[str, _Filter] = {
    "animated": _Filter(Usage(0, 1, "animated([true])"), _map_animated),
    "autojpg": _Filter(Usage(0, 1, "autojpg()"), _map_autojpg),
    "background_color": _Filter(Usage(1, 1, "background_color(COLOUR)"), _map_background_color, "flatten"),
    "blur": _Filter(Usage(1, 2, "blur(RADIUS[,SIGMA])"), _map_blur),
    "convolution": _Filter(Usage(2, 3, "convolution(WEIGHT;WEIGHT;…,COLUMNS)"), _map_convolution, "convolve"),
    "equalize": _Filter(Usage(0, 0, "equalize()"), _map_equalize, "normalize"),
    "fill": _Filter(Usage(1, 2, "fill(COLOUR)"), _map_fill, "resize.background"),
    "format": _Filter(Usage(1, 1, "format(FORMAT)"), _map_format, "toFormat"),
    "grayscale": _Filter(Usage(0, 0, "grayscale()"), _map_grayscale),
    "no_upscale": _Filter(Usage(0, 0, "no_upscale()"), _map_no_upscale),
    "proportion": _Filter(Usage(1, 1, "proportion(FACTOR)"), _map_proportion, "resize.ratio"),
    "quality": _Filter(Usage(1, 1, "quality(1 to 100)"), _map_quality),
    "rgb": _Filter(Usage(3, 3, "rgb(RED,GREEN,BLUE)"), _map_rgb, "tint"),
    "rotate": _Filter(Usage(0, 1, "rotate([DEGREES])"), _map_rotate),
    "sharpen": _Filter(Usage(2, 3, "sharpen(AMOUNT,RADIUS,LUMINANCE)"), _map_sharpen),
    "smart_crop": _Filter(Usage(0, 2, "smart_crop([FACE,PADDING])"), _map_smart_crop, "smartCrop"),
    "stretch": _Filter(Usage(0, 0, "stretch()"), _map_stretch),
    "strip_exif": _Filter(Usage(0, 0, "strip_exif()"), _map_strip),
    "strip_icc": _Filter(Usage(0, 0, "strip_icc()"), _map_strip),
    "upscale": _Filter(Usage(0, 0, "upscale()"), _map_upscale),
    "watermark": _Filter(Usage(2, 7, "watermark(BUCKET,KEY,X,Y,ALPHA,WIDTH,HEIGHT)"), _map_watermark, "overlayWith"),
}
"""Every filter of AWS's image handler, by the name that it has in a path."""
