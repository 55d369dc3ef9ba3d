"""The options of imgproxy's paid edition that this service has too, and those that it refuses, each with the reason."""

from __future__ import annotations

import math

from handler.requests.dialects.imgproxy import redactions
from handler.requests.dialects.imgproxy.arguments import Arguments
from handler.requests.dialects.imgproxy.options import Collected

_ALGORITHMS = ("nearest", "linear", "cubic", "lanczos2", "lanczos3")


def resizing_algorithm(arguments: Arguments, into: Collected) -> None:
    """Set the interpolation kernel."""
    into.pipeline.algorithm = arguments.choice(0, _ALGORITHMS)


def crop_aspect_ratio(arguments: Arguments, into: Collected) -> None:
    """Set the aspect ratio to which the crop area is changed; 0 keeps it."""
    into.pipeline.crop_ratio = (arguments.given_number(0, 0, 100), bool(arguments.boolean(1)))


_PLACES = {
    "ce": (50.0, 50.0), "no": (50.0, 0.0), "so": (50.0, 100.0), "we": (0.0, 50.0), "ea": (100.0, 50.0),
    "nowe": (0.0, 0.0), "noea": (100.0, 0.0), "sowe": (0.0, 100.0), "soea": (100.0, 100.0),
}  # fmt: skip


def objects_position(arguments: Arguments, into: Collected) -> None:
    """Set where the objects that the gravity follows stand: a direction, or a point; without offsets in pixels."""
    if arguments.text(0) == "fp":
        into.pipeline.objects_place = (100 * arguments.given_number(1, 0, 1), 100 * arguments.given_number(2, 0, 1))
        return
    place = _PLACES[arguments.choice(0, tuple(_PLACES))]
    if any(arguments.number(at, -math.inf) for at in (1, 2)):
        arguments.refuse("a direction without offsets, or fp with a point")
    into.pipeline.objects_place = place


def crop_objects(arguments: Arguments, into: Collected) -> None:
    """Set the classes of objects that the image is cropped to, with room around them."""
    factor = arguments.given_number(0, 1, 100)
    into.pipeline.crop_objects = (factor, tuple(filter(None, arguments.texts[1:])))


def background_alpha(arguments: Arguments, into: Collected) -> None:
    """Set the opacity of the background."""
    into.pipeline.background_alpha = arguments.given_number(0, 0, 1)


def adjust(arguments: Arguments, into: Collected) -> None:
    """Set brightness, contrast and saturation."""
    light, contrast, saturation = (
        arguments.integer(0, -255, 255),
        arguments.number(1, above=True),
        arguments.number(2, above=True),
    )
    old = into.pipeline.adjust
    into.pipeline.adjust = (
        old[0] if light is None else light,
        old[1] if contrast is None else contrast,
        old[2] if saturation is None else saturation,
    )


def brightness(arguments: Arguments, into: Collected) -> None:
    """Set the number of levels that are added to each colour."""
    into.pipeline.adjust = (arguments.given_integer(0, -255, 255), *into.pipeline.adjust[1:])


def contrast(arguments: Arguments, into: Collected) -> None:
    """Set the factor of the distance of each level from the middle one."""
    light, _, saturation = into.pipeline.adjust
    into.pipeline.adjust = (light, arguments.given_number(0, 0, 100, above=True), saturation)


def saturation(arguments: Arguments, into: Collected) -> None:
    """Set the factor of the saturation."""
    into.pipeline.adjust = (*into.pipeline.adjust[:2], arguments.given_number(0, 0, 100, above=True))


def monochrome(arguments: Arguments, into: Collected) -> None:
    """Set how much of the colours is replaced by shades of one colour."""
    share = arguments.given_number(0, 0, 1)
    into.pipeline.tone = (share, "000000", _color(arguments, 1, "b3b3b3"), 179) if share else None


def duotone(arguments: Arguments, into: Collected) -> None:
    """Set how much of the colours is replaced by shades between two colours."""
    share = arguments.given_number(0, 0, 1)
    dark, light = _color(arguments, 1, "000000"), _color(arguments, 2, "ffffff")
    into.pipeline.tone = (share, dark, light, 255) if share else None


def colorize(arguments: Arguments, into: Collected) -> None:
    """Set a colour that covers the image, and its opacity."""
    arguments.boolean(2)
    into.pipeline.colorize = (arguments.given_number(0, 0, 1), _color(arguments, 1, "000000"))


def _color(arguments: Arguments, at: int, default: str) -> str:
    digits = arguments.color(at) if arguments.text(at) else default
    return digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)


def gradient(arguments: Arguments, into: Collected) -> None:
    """Set a gradient: opacity, colour, direction in words or degrees, start and stop."""
    opacity, color = arguments.given_number(0, 0, 1), _color(arguments, 1, "000000")
    params: dict[str, object] = {"opacity": 100 * opacity, "color": color}
    word = arguments.text(2)
    if word in ("down", "up", "right", "left"):
        params["direction"] = word
    elif (angle := arguments.number(2, -3600, 3600)) is not None:
        # Its 0 leads down and its 90 to the left; in CSS 180 leads down.
        params["angle"] = (angle + 180) % 360
    for at, name in ((3, "start"), (4, "stop")):
        if (share := arguments.number(at, 0, 1)) is not None:
            params[name] = 100 * share
    into.pipeline.gradient = params if opacity else None


def watermark_text(arguments: Arguments, into: Collected) -> None:
    """Set a text in the place of the watermark."""
    into.pipeline.mark.text = arguments.base64(0) if arguments.text(0) else ""


def watermark_url(arguments: Arguments, into: Collected) -> None:
    """Set the URL of the watermark."""
    into.pipeline.mark.url = arguments.base64(0) if arguments.text(0) else ""


def watermark_size(arguments: Arguments, into: Collected) -> None:
    """Set the box that the watermark fills, in pixels, where it has no scale."""
    into.pipeline.mark.size = (arguments.integer(0) or 0, arguments.integer(1) or 0)


def watermark_rotate(arguments: Arguments, into: Collected) -> None:
    """Set the angle of the watermark, clockwise."""
    into.pipeline.mark.rotate = arguments.given_number(0, -3600, 3600) % 360


def watermark_shadow(arguments: Arguments, into: Collected) -> None:
    """Set the sigma of a black shadow of the watermark, without one at 0."""
    into.pipeline.mark.shadow = arguments.given_number(0, 0, 50)


def jpeg_options(arguments: Arguments, into: Collected) -> None:
    """Set progressive encoding and chroma subsampling; the others are parts of `effort` here and change no pixel."""
    _set_flag(arguments, into, 0, "progressive")
    if (full := arguments.boolean(1)) is not None:
        into.saving.output["chromaSubsampling"] = "4:4:4" if full else "auto"
    for at in (2, 3, 4):
        arguments.boolean(at)
    arguments.integer(5, 0, 8)


def png_options(arguments: Arguments, into: Collected) -> None:
    """Set interlacing, and the number of colours of a palette."""
    _set_flag(arguments, into, 0, "progressive")
    _set_flag(arguments, into, 1, "palette")
    if (colors := arguments.integer(2, 2, 256)) is not None:
        into.saving.output["colors"] = colors


def webp_options(arguments: Arguments, into: Collected) -> None:
    """Set lossless compression; what is almost lossless elsewhere is lossless here."""
    if arguments.text(0):
        is_lossy = arguments.choice(0, ("lossy", "near_lossless", "lossless")) == "lossy"
        into.saving.webp_lossless = not is_lossy
    arguments.boolean(1)


def avif_options(arguments: Arguments, into: Collected) -> None:
    """Set chroma subsampling."""
    if arguments.text(0):
        choice = arguments.choice(0, ("auto", "on", "off"))
        into.saving.output["chromaSubsampling"] = {"auto": "auto", "on": "4:2:0", "off": "4:4:4"}[choice]


def _set_flag(arguments: Arguments, into: Collected, at: int, option: str) -> None:
    if (value := arguments.boolean(at)) is not None:
        into.saving.output[option] = value


def page(arguments: Arguments, into: Collected) -> None:
    """Set the page or frame that is returned."""
    into.saving.page = arguments.given_integer(0, 0, 10_000)


def disable_animation(arguments: Arguments, into: Collected) -> None:
    """Keep the first frame only."""
    into.saving.disable_animation = arguments.given_boolean(0)


HANDLERS = {
    "resizing_algorithm": (1, resizing_algorithm),
    "crop_aspect_ratio": (2, crop_aspect_ratio),
    "objects_position": (3, objects_position),
    "crop_objects": (100, crop_objects),
    "background_alpha": (1, background_alpha),
    "adjust": (3, adjust),
    "brightness": (1, brightness),
    "contrast": (1, contrast),
    "saturation": (1, saturation),
    "monochrome": (2, monochrome),
    "duotone": (3, duotone),
    "colorize": (3, colorize),
    "watermark_url": (1, watermark_url),
    "watermark_text": (1, watermark_text),
    "watermark_size": (2, watermark_size),
    "watermark_rotate": (1, watermark_rotate),
    "watermark_shadow": (1, watermark_shadow),
    "gradient": (5, gradient),
    "jpeg_options": (6, jpeg_options),
    "png_options": (3, png_options),
    "webp_options": (3, webp_options),
    "avif_options": (1, avif_options),
    "page": (1, page),
    "blur_areas": (201, redactions.blur_areas),
    "blur_detections": (100, redactions.blur_detections),
    "draw_detections": (100, redactions.draw_detections),
    "disable_animation": (1, disable_animation),
}
"""Each option by its long name: the most arguments that it takes, and what applies it."""

ALIASES = {
    "ra": "resizing_algorithm", "crop_ar": "crop_aspect_ratio", "car": "crop_aspect_ratio", "bga": "background_alpha",
    "a": "adjust", "br": "brightness", "co": "contrast", "sa": "saturation", "mc": "monochrome", "dt": "duotone",
    "col": "colorize", "wmu": "watermark_url", "jpgo": "jpeg_options", "pngo": "png_options", "webpo": "webp_options",
    "avifo": "avif_options", "pg": "page", "da": "disable_animation", "obj_pos": "objects_position",
    "op": "objects_position", "crop_obj": "crop_objects", "c_obj": "crop_objects", "ush": "unsharp_masking",
    "ba": "blur_areas", "pbl": "progressive_blur", "bd": "blur_detections", "dd": "draw_detections", "gr": "gradient",
    "wmt": "watermark_text", "wms": "watermark_size", "wm_rot": "watermark_rotate", "wmr": "watermark_rotate",
    "wmsh": "watermark_shadow", "st": "style", "cp": "color_profile", "icc": "color_profile", "aq": "autoquality",
    "pgs": "pages", "vts": "video_thumbnail_second", "vtk": "video_thumbnail_keyframes",
    "vtt": "video_thumbnail_tile", "vta": "video_thumbnail_animation", "fiu": "fallback_image_url", "hs": "hashsum",
    "bc": "bypass_cache", "ct": "cache_tags",
}  # fmt: skip

_VIDEO = "the decoders of video are under the GPL or take more than 130 MB"
REFUSED = {
    "unsharp_masking": "its formula is not published; use sharpen",
    "progressive_blur": "its formula is not published; use gradient",
    "style": "an SVG is sent without edits, with a policy that lets no script run",
    "dpi": "it is a note in the file that matters in print only; ?dpi= draws a page of a PDF at a resolution",
    "color_profile": "results are in sRGB, which every screen shows",
    "pages": "several pages would exceed the limits of a result; page selects one",
    "video_thumbnail_second": _VIDEO,
    "video_thumbnail_keyframes": _VIDEO,
    "video_thumbnail_tile": _VIDEO,
    "video_thumbnail_animation": _VIDEO,
    "fallback_image_url": "DEFAULT_FALLBACK_IMAGE_KEY names one image for all requests",
    "hashsum": "originals are in your own sources; info.details reports their SHA-256",
    "bypass_cache": "a public URL must not make the service work without a bound",
    "cache_tags": "every answer carries the tags of its objects",
}
"""Options that are refused by name, each with the reason; lenient mode ignores them."""
