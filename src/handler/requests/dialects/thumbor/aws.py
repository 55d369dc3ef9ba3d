"""AWS's meaning of a path: its handler turns it into JSON edits, filters in alphabetical order; so does this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from handler.requests.dialects.thumbor.arguments import Arguments, Usage
from handler.requests.dialects.thumbor.grammar import ThumborPath
from imaging import InvalidParameter

Edits = dict[str, Any]
_FORMATS = ("jpg", "jpeg", "png", "webp", "tiff", "heif", "heic", "raw", "gif", "avif")
_WITH_QUALITY = {"jpg": "jpeg", "jpeg": "jpeg", "png": "png", "webp": "webp", "tiff": "tiff", "tif": "tiff",
                 "gif": "gif", "avif": "avif"}  # fmt: skip


def edits_of(path: ThumborPath) -> Edits:
    """The JSON edits that a path means. InvalidParameter."""
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
        known = _FILTERS.get(call.name)
        if known is None:
            raise InvalidParameter(
                "filters", f"some of {', '.join(_FILTERS)} (behind `unsafe` or a signature all of Thumbor's)", call.name
            )
        known.apply(edits, Arguments(call, known.usage))
    _quality(edits, path)
    return edits


def respelled(refused: InvalidParameter, where: str) -> InvalidParameter:
    """The refusal of an edit with the name of the filter that it comes from."""
    params = refused.name.removeprefix(f"{where}.")
    for name, known in _FILTERS.items():
        edit = known.edit or name
        if params == edit or params.startswith(f"{edit}."):
            field = params[len(edit) + 1 :]
            expected = f"written as {known.usage.text}, {field or 'its value'} {refused.expected}"
            return InvalidParameter(f"filters:{name}", expected, refused.got, code=refused.code)
    return InvalidParameter(params, refused.expected, refused.got, code=refused.code)


class _Filter(NamedTuple):
    """A filter in AWS's meaning."""

    usage: Usage
    apply: Callable[[Edits, Arguments], None]
    edit: str = ""
    """What it becomes, where that is called otherwise."""


def _quality(edits: Edits, path: ThumborPath) -> None:
    """It goes to the format that leaves: that of format(), else of the key's extension, or WebP under AUTO_WEBP."""
    quality = edits.pop("quality", None)
    asked = edits.get("toFormat")
    named = asked or _WITH_QUALITY.get(path.image.rpartition(".")[2].lower())
    if quality is not None and named is not None:
        # WebP first: the last of them is the format, and AUTO_WEBP takes its options.
        for name in dict.fromkeys(("webp", named) if asked is None else (named,)):
            edits[name] = {"quality": quality}


def _resize(edits: Edits) -> Edits:
    resize: Edits = edits.setdefault("resize", {})
    return resize


def _autojpg(edits: Edits, params: Arguments) -> None:  # noqa: ARG001 - one shape for all
    edits["toFormat"] = "jpeg"


def _animated(edits: Edits, params: Arguments) -> None:
    edits["animated"] = params.boolean(0, default=True)


def _background_color(edits: Edits, params: Arguments) -> None:
    edits["flatten"] = {"background": params.text(0)}


def _blur(edits: Edits, params: Arguments) -> None:
    edits["blur"] = params.number(1) if params.text(1) else params.number(0) / 2


def _convolution(edits: Edits, params: Arguments) -> None:
    kernel = params.numbers(0)
    columns = params.integer(1, min_value=1)
    if len(kernel) % columns:
        params.refuse("rows that are full")
    edits["convolve"] = {"width": columns, "height": len(kernel) // columns, "kernel": kernel}


def _equalize(edits: Edits, params: Arguments) -> None:  # noqa: ARG001 - see above
    edits["normalize"] = True


def _fill(edits: Edits, params: Arguments) -> None:
    _resize(edits).update(fit="contain", background=params.text(0))


def _format(edits: Edits, params: Arguments) -> None:
    word = params.choice(0, _FORMATS)
    edits["toFormat"] = "jpeg" if word == "jpg" else word


def _grayscale(edits: Edits, params: Arguments) -> None:  # noqa: ARG001 - see above
    edits["grayscale"] = True


def _no_upscale(edits: Edits, params: Arguments) -> None:  # noqa: ARG001 - see above
    _resize(edits)["withoutEnlargement"] = True


def _proportion(edits: Edits, params: Arguments) -> None:
    resize, share = _resize(edits), params.number(0)
    if resize.get("width") and resize.get("height") and share > 0:
        resize.update({side: max(1.0, resize[side] * share) for side in ("width", "height")})
    else:
        resize["ratio"] = share


def _asked_quality(edits: Edits, params: Arguments) -> None:
    edits["quality"] = params.integer(0)


def _rgb(edits: Edits, params: Arguments) -> None:
    edits["tint"] = {channel: 255 * params.number(at) / 100 for at, channel in enumerate("rgb")}


def _rotate(edits: Edits, params: Arguments) -> None:
    """Without a value it turns the picture upright, as it is here anyway."""
    if params.text(0):
        edits["rotate"] = params.number(0)
    else:
        edits.pop("rotate", None)


def _sharpen(edits: Edits, params: Arguments) -> None:
    edits["sharpen"] = 1 + params.number(1) / 2


def _smart_crop(edits: Edits, params: Arguments) -> None:
    asked = {"faceIndex": params.text(0), "padding": params.text(1)}
    given = {name: params.integer(at) for at, name in enumerate(asked) if asked[name]}
    edits["smartCrop"] = given or True


def _stretch(edits: Edits, params: Arguments) -> None:  # noqa: ARG001 - see above
    if _resize(edits).get("fit") != "inside":
        edits["resize"]["fit"] = "fill"


def _strip(edits: Edits, params: Arguments) -> None:  # noqa: ARG001 - see above
    edits["rotate"] = None


def _upscale(edits: Edits, params: Arguments) -> None:  # noqa: ARG001 - see above
    _resize(edits)["fit"] = "inside"


def _watermark(edits: Edits, params: Arguments) -> None:
    bucket, key, x, y, alpha, width, height = (params.text(at) for at in range(7))
    options = {name: location for name, location in (("left", x), ("top", y)) if location not in ("", "center")}
    overlay = {"bucket": bucket, "key": key, "alpha": alpha, "wRatio": width, "hRatio": height}
    given = {name: value for name, value in overlay.items() if value not in ("", "none")}
    edits["overlayWith"] = given | {"options": options}


_FILTERS: Mapping[str, _Filter] = {
    "animated": _Filter(Usage(0, 1, "animated([true])"), _animated),
    "autojpg": _Filter(Usage(0, 1, "autojpg()"), _autojpg),
    "background_color": _Filter(Usage(1, 1, "background_color(COLOUR)"), _background_color, "flatten"),
    "blur": _Filter(Usage(1, 2, "blur(RADIUS[,SIGMA])"), _blur),
    "convolution": _Filter(Usage(2, 3, "convolution(WEIGHT;WEIGHT;…,COLUMNS)"), _convolution, "convolve"),
    "equalize": _Filter(Usage(0, 0, "equalize()"), _equalize, "normalize"),
    "fill": _Filter(Usage(1, 2, "fill(COLOUR)"), _fill, "resize.background"),
    "format": _Filter(Usage(1, 1, "format(FORMAT)"), _format, "toFormat"),
    "grayscale": _Filter(Usage(0, 0, "grayscale()"), _grayscale),
    "no_upscale": _Filter(Usage(0, 0, "no_upscale()"), _no_upscale),
    "proportion": _Filter(Usage(1, 1, "proportion(FACTOR)"), _proportion, "resize.ratio"),
    "quality": _Filter(Usage(1, 1, "quality(1 to 100)"), _asked_quality),
    "rgb": _Filter(Usage(3, 3, "rgb(RED,GREEN,BLUE)"), _rgb, "tint"),
    "rotate": _Filter(Usage(0, 1, "rotate([DEGREES])"), _rotate),
    "sharpen": _Filter(Usage(2, 3, "sharpen(AMOUNT,RADIUS,LUMINANCE)"), _sharpen),
    "smart_crop": _Filter(Usage(0, 2, "smart_crop([FACE,PADDING])"), _smart_crop, "smartCrop"),
    "stretch": _Filter(Usage(0, 0, "stretch()"), _stretch),
    "strip_exif": _Filter(Usage(0, 0, "strip_exif()"), _strip),
    "strip_icc": _Filter(Usage(0, 0, "strip_icc()"), _strip),
    "upscale": _Filter(Usage(0, 0, "upscale()"), _upscale),
    "watermark": _Filter(Usage(2, 7, "watermark(BUCKET,KEY,X,Y,ALPHA,WIDTH,HEIGHT)"), _watermark, "overlayWith"),
}
