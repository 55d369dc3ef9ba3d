"""AWS's interpretation of a Thumbor path: filters become calls of sharp, which sharp applies in an order of its own.

The source is `source/image-handler/thumbor-mapper.ts` of AWS's Dynamic Image Transformation for Amazon CloudFront. The
filters are mapped in alphabetical order, so that `format` comes before `quality`; the order in the path is irrelevant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from features import by_name
from handler.requests.dialects import aws_rules
from handler.requests.dialects.dialect import Faults
from handler.requests.dialects.thumbor.arguments import Arguments, Usage
from handler.requests.dialects.thumbor.grammar import ThumborPath
from handler.requests.parsed_request import ParsedRequest, Recipe
from imaging import InvalidParameter, ObjectRef, Output, Step, check, suggest

_EXTENSIONS = {"jpg": "jpeg", "jpeg": "jpeg", "png": "png", "webp": "webp", "tiff": "tiff", "tif": "tiff", "gif": "gif",
               "avif": "avif"}  # fmt: skip
"""The format to which `quality()` applies, by the extension of a key."""
_FORMATS = {"jpg": "jpeg", "jpeg": "jpeg", "png": "png", "webp": "webp", "tiff": "tiff", "heif": "avif", "heic": "avif",
            "gif": "gif", "avif": "avif"}  # fmt: skip
"""The formats that `format()` takes. sharp's default compression in HEIF is AV1, and that is AVIF."""
_PLACE = r"-?(?:[0-9]{1,7}(?:\.[0-9]{0,6})?|\.[0-9]{1,6})p?"
_CODES = {"resize": aws_rules.RESIZE_ERROR, "watermark": aws_rules.OVERLAY_ERROR}


def build_request(path: ThumborPath, faults: Faults) -> ParsedRequest:
    """Return the request that a path means. Raise InvalidParameter.

    The mapper does nothing for a filter that it does not list.
    """
    builder = _Builder(path)
    for call in sorted(path.filters, key=str):
        known = FILTERS.get(call.name)
        if known is None:
            similar = suggest(call.name, FILTERS)
            expected = f"some of {', '.join(FILTERS)} (behind `unsafe` or a signature all of Thumbor's){similar}"
            faults.tolerate(InvalidParameter("filters", expected, call.name), f"filters:{call.name}")
            continue
        arguments = Arguments(call, known.usage, faults, drops_extra=True)
        try:
            known.apply(builder, arguments)
        except InvalidParameter as error:
            if error.name == arguments.where:
                raise
            feature, _, field = error.name.partition(".")
            expected = f"written as {known.usage.text}, {field or 'its value'} {error.expected}"
            # An error with a code of its own, such as that of a padding that leaves the image, keeps it.
            code = _CODES.get(feature, error.code) if error.code == InvalidParameter.code else error.code
            raise InvalidParameter(arguments.where, expected, error.got, code=code) from None
    return builder.build()


class _Builder:
    """Collects the steps and the output options of a path."""

    def __init__(self, path: ThumborPath) -> None:
        """Begin with the segments of the path. Raise InvalidParameter."""
        self._path = path
        self.steps: dict[str, Step] = {}
        """The step of each feature, in the order of the calls of sharp."""
        self.output: dict[str, object] = {}
        self.extension_format = _EXTENSIONS.get(path.image.rpartition(".")[2].lower())
        sides = zip(("width", "height"), path.size or (), strict=False)
        self.sides: dict[str, float] = {name: side for name, side in sides if side}
        """The requested width and height, of which either or both may be missing."""
        self.resize: dict[str, object] = {}
        """The other parameters of the resize."""
        if path.crop is not None:
            left, top, right, bottom = (int(corner) for corner in path.crop[:4])
            self.add("crop", left=left, top=top, width=right - left, height=bottom - top)
        if self.sides or path.fit_in:
            self.set_resize(**({"fit": "inside"} if path.fit_in or len(self.sides) == 1 else {}))

    def add(self, feature: str, **params: object) -> None:
        """Add a step with checked parameters, or replace that of the feature. Raise InvalidParameter."""
        known = by_name(feature, feature)
        self.steps[feature] = Step(known, check(known.params, params, where=feature))

    def set_resize(self, **params: object) -> None:
        """Set parameters of the resize other than its sides, checked. Raise InvalidParameter."""
        self.resize |= params
        self.add("resize", **self.resize)

    def set_output(self, **options: object) -> None:
        """Set output options, checked. Raise InvalidParameter."""
        check(Output, options, where="output")
        self.output |= options

    def build(self) -> ParsedRequest:
        """Return the request. Raise InvalidParameter for a side that is too large."""
        if "resize" in self.steps:
            sides = {name: aws_rules.round_side(side, f"resize.{name}", side) for name, side in self.sides.items()}
            resize = {**sides, **self.resize}
            aws_rules.apply_ratio(resize)
            self.add("resize", **resize)
        output, webp = self.output, None
        if "quality" in output and "format" not in output:
            # The quality makes the format that of the key's extension, or WebP where AUTO_WEBP applies.
            webp = check(Output, {**output, "format": "webp"})
            output["format"] = self.extension_format
        if "quality" in output and output["format"] == "png":
            output["palette"] = True  # as sharp does for a PNG with a quality
        calls = ["smartCrop" if name == "smartCropping" else name for name in self.steps]
        return ParsedRequest(
            ref=ObjectRef(self._path.bucket, self._path.image),
            recipe=Recipe(tuple(aws_rules.order_steps(self.steps, calls)), check(Output, output)),
            webp=webp,
        )


class _Filter(NamedTuple):
    """A filter as AWS interprets it."""

    usage: Usage
    apply: Callable[[_Builder, Arguments], None]


def _add_convolution(builder: _Builder, arguments: Arguments) -> None:
    kernel = arguments.numbers(0)
    columns = arguments.integer(1, min_value=1)
    if len(kernel) % columns:
        arguments.refuse("a weight for each place")
    builder.add("convolve", width=columns, height=len(kernel) // columns, kernel=kernel)


def _multiply_size(builder: _Builder, arguments: Arguments) -> None:
    """Multiply the size of the path; without one, the size of the original is multiplied."""
    factor = arguments.number(0)
    if len(builder.sides) == 2 and factor > 0:
        builder.sides = {name: max(1.0, side * factor) for name, side in builder.sides.items()}
    else:
        builder.set_resize(ratio=factor)


def _set_quality(builder: _Builder, arguments: Arguments) -> None:
    """Set the quality of the format of `format()`, else of that of the key's extension, else of none."""
    quality = arguments.integer(0)
    if "format" in builder.output or builder.extension_format is not None:
        builder.set_output(quality=quality)


def _set_format(builder: _Builder, arguments: Arguments) -> None:
    """Set the format; the mapper does nothing for one that it does not list."""
    if arguments.text(0).lower() in _FORMATS:
        builder.set_output(format=_FORMATS[arguments.text(0).lower()])
    else:
        arguments.tolerate("one of " + ", ".join(_FORMATS) + suggest(arguments.text(0), _FORMATS))


def _set_animated(builder: _Builder, arguments: Arguments) -> None:
    """Keep the frames of an animation, unless the argument is false."""
    word = arguments.text(0).lower()
    if word not in ("", "true", "1", "false", "0"):
        arguments.tolerate("true or false")
    builder.set_output(animated=word not in ("false", "0"))


def _add_tint(builder: _Builder, arguments: Arguments) -> None:
    """Tint by percentages of 255, which the mapper does not limit and sharp does."""
    levels = [255 * arguments.number(at) / 100 for at in range(3)]
    limited = [min(255.0, max(0.0, level)) for level in levels]
    if limited != levels:
        arguments.tolerate("numbers from 0 to 100")
    builder.add("tint", color=dict(zip("rgb", limited, strict=True)))


def _set_rotation(builder: _Builder, arguments: Arguments) -> None:
    """Rotate by the angle. Without one AWS applies the orientation of the original, which happens here anyway."""
    if arguments.text(0):
        builder.add("rotate", angle=arguments.number(0))
    else:
        builder.steps.pop("rotate", None)


def _add_smart_crop(builder: _Builder, arguments: Arguments) -> None:
    given = {name: arguments.integer(at) for at, name in enumerate(("faceIndex", "padding")) if arguments.text(at)}
    builder.add("smartCropping", **{**aws_rules.SMART_CROP_DEFAULTS, **given})


def _stretch_to_size(builder: _Builder, _: Arguments) -> None:
    if builder.resize.get("fit") != "inside":
        builder.set_resize(fit="fill")


def _add_watermark(builder: _Builder, arguments: Arguments) -> None:
    """Add an overlay, whose `alpha` 0 is opaque, and whose width and height are percentages."""
    params: dict[str, Any] = {}
    for at, name in enumerate(("bucket", "key", "left", "top", "alpha", "width", "height")):
        text = arguments.text(at)
        if text in ("", "center" if name in ("left", "top") else "none"):
            continue
        # Of a place that is no number the mapper makes the centre, and of such an alpha or share its default.
        if name in ("left", "top") and arguments.faults.is_lenient and not re.fullmatch(_PLACE, text):
            arguments.tolerate("places in pixels, or in percent such as 20p")
            continue
        with arguments.faults.leave_out(arguments.where):
            params[name] = text if at < 4 else aws_rules.parse_percentage(text, f"watermark.{name}")
    if "alpha" in params:
        params["opacity"] = 100 - params.pop("alpha")
    builder.add("watermark", **params)


FILTERS: Mapping[str, _Filter] = {
    "animated": _Filter(
        Usage(0, 1, "animated([true])"),
        _set_animated,
    ),
    "autojpg": _Filter(Usage(0, 1, "autojpg()"), lambda builder, _: builder.set_output(format="jpeg")),
    "background_color": _Filter(
        Usage(1, 1, "background_color(COLOUR)"), lambda builder, args: builder.add("flatten", background=args.text(0))
    ),
    "blur": _Filter(
        Usage(1, 2, "blur(RADIUS[,SIGMA])"),
        lambda builder, args: builder.add("blur", sigma=args.number(1) if args.text(1) else args.number(0) / 2),
    ),
    "convolution": _Filter(Usage(2, 3, "convolution(WEIGHT;WEIGHT;…,COLUMNS)"), _add_convolution),
    "equalize": _Filter(Usage(0, 0, "equalize()"), lambda builder, _: builder.add("normalise")),
    "fill": _Filter(
        Usage(1, 2, "fill(COLOUR)"), lambda builder, args: builder.set_resize(fit="contain", background=args.text(0))
    ),
    "format": _Filter(
        Usage(1, 1, "format(FORMAT)"),
        _set_format,
    ),
    "grayscale": _Filter(Usage(0, 0, "grayscale()"), lambda builder, _: builder.add("grayscale")),
    "no_upscale": _Filter(Usage(0, 0, "no_upscale()"), lambda builder, _: builder.set_resize(withoutEnlargement=True)),
    "proportion": _Filter(Usage(1, 1, "proportion(FACTOR)"), _multiply_size),
    "quality": _Filter(Usage(1, 1, "quality(1 to 100)"), _set_quality),
    "rgb": _Filter(
        Usage(3, 3, "rgb(RED,GREEN,BLUE)"),
        _add_tint,
    ),
    "rotate": _Filter(Usage(0, 1, "rotate([DEGREES])"), _set_rotation),
    "sharpen": _Filter(
        Usage(2, 3, "sharpen(AMOUNT,RADIUS,LUMINANCE)"),
        lambda builder, args: builder.add("sharpen", sigma=1 + args.number(1) / 2),
    ),
    "smart_crop": _Filter(Usage(0, 2, "smart_crop([FACE,PADDING])"), _add_smart_crop),
    "stretch": _Filter(Usage(0, 0, "stretch()"), _stretch_to_size),
    "strip_exif": _Filter(Usage(0, 0, "strip_exif()"), _set_rotation),  # AWS maps both to a rotation without an angle
    "strip_icc": _Filter(Usage(0, 0, "strip_icc()"), _set_rotation),
    "upscale": _Filter(Usage(0, 0, "upscale()"), lambda builder, _: builder.set_resize(fit="inside")),
    "watermark": _Filter(Usage(2, 7, "watermark(BUCKET,KEY,X,Y,ALPHA,WIDTH,HEIGHT)"), _add_watermark),
}
"""Every filter of AWS's image handler, by the name that it has in a path."""
