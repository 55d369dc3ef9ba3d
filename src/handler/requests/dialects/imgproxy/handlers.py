"""The options of imgproxy's open-source server: what each of them does with its arguments."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import zip_longest
from typing import NamedTuple

import msgspec

from handler.core.errors import Forbidden
from handler.requests.dialects.imgproxy import paid, saving
from handler.requests.dialects.imgproxy.arguments import Arguments
from handler.requests.dialects.imgproxy.options import Collected, Extension

_INFINITE = ("inf", "+inf", "infinity", "+infinity")
_LARGEST_DPR = 100.0
RESIZING_TYPES = ("fit", "fill", "fill-down", "force", "auto")


class Handler(NamedTuple):
    """How an option is applied."""

    max_arguments: int
    apply: Callable[[Arguments, Collected], None]


def _resize(arguments: Arguments, into: Collected) -> None:
    if arguments.text(0):
        into.pipeline.resizing_type = arguments.choice(0, RESIZING_TYPES)
    _set_size(arguments, into, 1)


def _set_size(arguments: Arguments, into: Collected, at: int) -> None:
    pipeline = into.pipeline
    width, height, enlarge = arguments.integer(at), arguments.integer(at + 1), arguments.boolean(at + 2)
    pipeline.width = pipeline.width if width is None else width
    pipeline.height = pipeline.height if height is None else height
    pipeline.enlarge = pipeline.enlarge if enlarge is None else enlarge
    if arguments.text(at + 3) or len(arguments) > at + 4:
        _set_extension(arguments, pipeline.extend, at + 3)


def _set_extension(arguments: Arguments, extension: Extension, at: int) -> None:
    enabled = arguments.boolean(at)
    extension.enabled = extension.enabled if enabled is None else enabled
    if arguments.text(at + 1):
        extension.gravity = arguments.gravity(at + 1, extension.gravity, smart=False)
    elif len(arguments) > at + 2 and any(arguments.texts[at + 2 :]):
        arguments.refuse("a gravity before its offsets")


def _resizing_type(arguments: Arguments, into: Collected) -> None:
    into.pipeline.resizing_type = arguments.choice(0, RESIZING_TYPES)


def _set_integer(field: str) -> Callable[[Arguments, Collected], None]:
    """Return what applies an option with one argument: the whole number for this field of the pipeline."""
    return lambda arguments, into: setattr(into.pipeline, field, arguments.given_integer(0))


def _zoom(arguments: Arguments, into: Collected) -> None:
    across = arguments.given_number(0, above=True)
    into.pipeline.zoom = (across, arguments.given_number(1, above=True) if len(arguments) > 1 else across)


def _dpr(arguments: Arguments, into: Collected) -> None:
    if arguments.text(0).lower() in _INFINITE:
        # Go reads the word as a number, which the size of the image then limits.
        arguments.faults.tolerate(arguments.fault("a number above 0"))
        into.pipeline.dpr = _LARGEST_DPR
        return
    into.pipeline.dpr = arguments.given_number(0, above=True)


def _enlarge(arguments: Arguments, into: Collected) -> None:
    into.pipeline.enlarge = arguments.given_boolean(0)


def _extend(arguments: Arguments, into: Collected) -> None:
    _set_extension(arguments, into.pipeline.extend, 0)


def _extend_aspect_ratio(arguments: Arguments, into: Collected) -> None:
    _set_extension(arguments, into.pipeline.extend_ratio, 0)


def _gravity(arguments: Arguments, into: Collected) -> None:
    if arguments.text(0) in ("obj", "objw"):
        into.pipeline.objects, into.pipeline.gravity = _read_classes(arguments), ("sm", 0.0, 0.0)
        return
    into.pipeline.objects = None
    into.pipeline.gravity = arguments.gravity(0, into.pipeline.gravity, smart=True)


def _read_classes(arguments: Arguments) -> tuple[str, ...]:
    """Return the classes of objects. The paid edition weighs them; here those with the weight 0 are left out."""
    words = arguments.texts[1:]
    if arguments.text(0) == "obj":
        return tuple(filter(None, words))
    weights = [arguments.number(at) for at in range(2, len(arguments), 2)]
    return tuple(word for word, weight in zip_longest(words[::2], weights) if word and weight != 0)


def _crop(arguments: Arguments, into: Collected) -> None:
    pipeline = into.pipeline
    height = arguments.given_number(1) if len(arguments) > 1 else (pipeline.crop or (0.0, 0.0))[1]
    pipeline.crop = (arguments.given_number(0), height)
    if len(arguments) > 2:
        pipeline.crop_gravity = arguments.gravity(2, pipeline.crop_gravity, smart=True)


def _trim(arguments: Arguments, into: Collected) -> None:
    pipeline = into.pipeline
    pipeline.trim = _threshold(arguments)
    if len(arguments) > 1:
        pipeline.trim_color = arguments.color(1) if arguments.text(1) else ""
    equal = (arguments.boolean(2), arguments.boolean(3))
    pipeline.trim_equal = (
        pipeline.trim_equal[0] if equal[0] is None else equal[0],
        pipeline.trim_equal[1] if equal[1] is None else equal[1],
    )


def _threshold(arguments: Arguments) -> float | None:
    """Return the threshold of a trim; what is below 0 trims as 0 does."""
    threshold = arguments.number(0, -math.inf)
    if threshold is not None and threshold < 0:
        arguments.faults.tolerate(arguments.fault("a number from 0"))
    return None if threshold is None else max(0.0, threshold)


def _padding(arguments: Arguments, into: Collected) -> None:
    """Set the sides: right and bottom take the top where they are left out, left takes the right; unset sides stay."""
    top, right, bottom, left = into.pipeline.padding
    given = [arguments.integer(at) for at in range(4)]
    top = top if given[0] is None else given[0]
    right = _first_set(given[1], top, right)
    bottom = _first_set(given[2], top, bottom)
    into.pipeline.padding = (top, right, bottom, _first_set(given[3], right, left))


def _first_set(*sides: int | None) -> int | None:
    return next((side for side in sides if side is not None), None)


def _rotate(arguments: Arguments, into: Collected) -> None:
    angle = arguments.given_integer(0, -(10**18))
    if angle % 90:
        arguments.refuse("a multiple of 90")
    into.pipeline.rotate = angle % 360


def _flip(arguments: Arguments, into: Collected) -> None:
    across, down = arguments.boolean(0), arguments.boolean(1)
    old = into.pipeline.flip
    into.pipeline.flip = (old[0] if across is None else across, old[1] if down is None else down)


def _background(arguments: Arguments, into: Collected) -> None:
    if len(arguments) == 3:
        into.pipeline.background = "".join(f"{arguments.given_integer(at, 0, 255):02x}" for at in range(3))
    elif len(arguments) == 2:
        arguments.refuse("a colour in one or in three arguments")
    else:
        into.pipeline.background = arguments.color(0) if arguments.text(0) else ""


def _blur(arguments: Arguments, into: Collected) -> None:
    into.pipeline.blur = arguments.given_number(0)


def _sharpen(arguments: Arguments, into: Collected) -> None:
    into.pipeline.sharpen = arguments.given_number(0)


def _pixelate(arguments: Arguments, into: Collected) -> None:
    into.pipeline.pixelate = arguments.given_integer(0)


def _watermark(arguments: Arguments, into: Collected) -> None:
    old = into.pipeline.mark
    opacity = arguments.given_number(0, 0, 1)
    position = old.position
    if arguments.text(1):
        words = Arguments(arguments.name, arguments.texts[:4], 7, arguments.faults)
        position = words.gravity(1, position, smart=False, repeated=True)
    else:
        x, y = (arguments.number(at, -math.inf) for at in (2, 3))
        position = (position[0], position[1] if x is None else x, position[2] if y is None else y)
    scale = arguments.number(4, above=False)
    into.pipeline.mark = msgspec.structs.replace(
        old, opacity=opacity, position=position, scale=old.scale if scale is None else scale
    )


def _security(arguments: Arguments, into: Collected) -> None:  # noqa: ARG001 - every handler has one shape
    raise Forbidden(f"`{arguments.name}` must be left out: limits are set by the operator, not in a URL")


HANDLERS: dict[str, Handler] = {
    "resize": Handler(8, _resize),
    "size": Handler(7, lambda arguments, into: _set_size(arguments, into, 0)),
    "resizing_type": Handler(1, _resizing_type),
    "width": Handler(1, _set_integer("width")),
    "height": Handler(1, _set_integer("height")),
    "min-width": Handler(1, _set_integer("min_width")),
    "min-height": Handler(1, _set_integer("min_height")),
    "zoom": Handler(2, _zoom),
    "dpr": Handler(1, _dpr),
    "enlarge": Handler(1, _enlarge),
    "extend": Handler(4, _extend),
    "extend_aspect_ratio": Handler(4, _extend_aspect_ratio),
    "gravity": Handler(100, _gravity),
    "crop": Handler(5, _crop),
    "trim": Handler(4, _trim),
    "padding": Handler(4, _padding),
    "auto_rotate": Handler(1, saving.check_only),
    "rotate": Handler(1, _rotate),
    "flip": Handler(2, _flip),
    "background": Handler(3, _background),
    "blur": Handler(1, _blur),
    "sharpen": Handler(1, _sharpen),
    "pixelate": Handler(1, _pixelate),
    "watermark": Handler(7, _watermark),
    "strip_metadata": Handler(1, saving.strip_metadata),
    "keep_copyright": Handler(1, saving.keep_copyright),
    "strip_color_profile": Handler(1, saving.check_only),
    "preserve_hdr": Handler(1, saving.preserve_hdr),
    "enforce_thumbnail": Handler(1, saving.check_only),
    "quality": Handler(1, saving.quality),
    "format_quality": Handler(100, saving.format_quality),
    "max_bytes": Handler(1, saving.max_bytes),
    "autoquality": Handler(5, saving.autoquality),
    "format": Handler(1, saving.set_format),
    "skip_processing": Handler(100, saving.skip_processing),
    "raw": Handler(1, saving.set_raw),
    "cachebuster": Handler(1, saving.cachebuster),
    "expires": Handler(1, saving.expires),
    "filename": Handler(2, saving.filename),
    "return_attachment": Handler(1, saving.return_attachment),
    "max_src_resolution": Handler(1, _security),
    "max_src_file_size": Handler(1, _security),
    "max_animation_frames": Handler(1, _security),
    "max_animation_frame_resolution": Handler(1, _security),
    "max_result_dimension": Handler(1, _security),
}
HANDLERS |= {name: Handler(*handler) for name, handler in paid.HANDLERS.items()}
"""Each option by its long name, with the most arguments that it takes."""

ALIASES: dict[str, str] = {
    "rs": "resize", "s": "size", "rt": "resizing_type", "w": "width", "h": "height", "mw": "min-width",
    "mh": "min-height", "z": "zoom", "el": "enlarge", "ex": "extend", "extend_ar": "extend_aspect_ratio",
    "exar": "extend_aspect_ratio", "g": "gravity", "c": "crop", "t": "trim", "pd": "padding", "ar": "auto_rotate",
    "rot": "rotate", "fl": "flip", "bg": "background", "bl": "blur", "sh": "sharpen", "pix": "pixelate",
    "wm": "watermark", "sm": "strip_metadata", "kcr": "keep_copyright", "scp": "strip_color_profile",
    "ph": "preserve_hdr", "eth": "enforce_thumbnail", "q": "quality", "fq": "format_quality", "mb": "max_bytes",
    "f": "format", "ext": "format", "skp": "skip_processing", "cb": "cachebuster", "exp": "expires", "fn": "filename",
    "att": "return_attachment", "pr": "preset", "msr": "max_src_resolution", "msfs": "max_src_file_size",
    "maf": "max_animation_frames", "mafr": "max_animation_frame_resolution", "mrd": "max_result_dimension",
    **paid.ALIASES,
}  # fmt: skip
PRESET = "preset"


def is_option(name: str) -> bool:
    """Return whether this is the name of an option."""
    long = ALIASES.get(name, name)
    return long == PRESET or long in HANDLERS or long in paid.REFUSED
