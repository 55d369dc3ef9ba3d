"""The filters of imagor that concern the file: its format, quality, metadata, frames and name."""

from __future__ import annotations

from datetime import UTC, datetime

from handler.requests.dialects.imagor.collector import Filter, ImagorSteps
from handler.requests.dialects.imagor.colors import BLACK
from handler.requests.dialects.thumbor.arguments import Arguments, Usage

_FORMATS = {
    "gif": "gif", "jpeg": "jpeg", "jpg": "jpeg", "png": "png", "tiff": "tiff", "webp": "webp", "avif": "avif",
    # imagor saves these as JPEG, and this service has AVIF for the container of HEIF.
    "bmp": "jpeg", "svg": "jpeg", "pdf": "jpeg", "heif": "avif",
}  # fmt: skip
_MIN_BYTES, _MAX_BYTES = 200, 100_000_000
_MAX_PAGE = 10_000


def _set_format(steps: ImagorSteps, arguments: Arguments) -> None:
    chosen = _FORMATS[arguments.choice(0, tuple(_FORMATS))]
    steps.set_output(arguments.where, format=chosen, **_matte(steps, chosen))


def _set_jpeg(steps: ImagorSteps, arguments: Arguments) -> None:
    steps.set_output(arguments.where, format="jpeg", **_matte(steps, "jpeg"))


def _matte(steps: ImagorSteps, chosen: str) -> dict[str, object]:
    """Return the colour behind what is transparent in a JPEG: libvips' own default, which imagor leaves as it is."""
    return {"matte": BLACK} if chosen == "jpeg" and "matte" not in steps.output else {}


def _set_quality(steps: ImagorSteps, arguments: Arguments) -> None:
    quality = arguments.integer(0, min_value=0, max_value=100)
    if quality:
        steps.set_output(arguments.where, quality=quality)


def _set_max_bytes(steps: ImagorSteps, arguments: Arguments) -> None:
    size = arguments.integer(0, min_value=1)
    steps.set_output(arguments.where, maxBytes=min(max(size, _MIN_BYTES), _MAX_BYTES))


def _set_lossless(steps: ImagorSteps, arguments: Arguments) -> None:
    """Encode without loss where the requested format can; imagor ignores the filter for all others."""
    formats = [call.arguments[0] for call in steps.path.filters if call.name == "format" and call.arguments]
    if formats and formats[-1] in ("webp", "avif"):
        steps.set_output(arguments.where, lossless=True)


def _set_palette(steps: ImagorSteps, arguments: Arguments) -> None:
    steps.set_output(arguments.where, palette=True)


def _set_bits(steps: ImagorSteps, arguments: Arguments) -> None:
    steps.set_output(arguments.where, colors=2 ** arguments.integer(0, min_value=1, max_value=8))


def _check_number(_steps: ImagorSteps, arguments: Arguments) -> None:
    """Accept a number that changes no pixel: how hard a PNG is compressed, or how dense a document is drawn."""
    arguments.integer(0, min_value=0)


def _accept(_steps: ImagorSteps, _arguments: Arguments) -> None:
    """Accept a filter that has nothing to do: every image is in sRGB, and every request is for an image."""


def _strip(steps: ImagorSteps, arguments: Arguments) -> None:
    steps.set_output(arguments.where, metadata="strip")


def _set_page(steps: ImagorSteps, arguments: Arguments) -> None:
    """Select a page or frame, counted from 1."""
    page = arguments.integer(0, min_value=0, max_value=_MAX_PAGE)
    if page > 1:
        steps.set_output(arguments.where, page=page - 1, animated=False)


def _limit_frames(steps: ImagorSteps, arguments: Arguments) -> None:
    if arguments.integer(0, min_value=1) == 1:
        steps.set_output(arguments.where, animated=False)


def _set_attachment(steps: ImagorSteps, arguments: Arguments) -> None:
    name = arguments.text(0) or steps.path.image.rpartition("/")[2]
    steps.set_output(arguments.where, attachment=True, filename=name.rpartition(".")[0] or name or "image")


def _set_end(steps: ImagorSteps, arguments: Arguments) -> None:
    """Set the end of the URL, in milliseconds since 1970."""
    digits = arguments.text(0)
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 14:
        arguments.refuse("milliseconds since 1970")
    steps.controls["expires"] = f"{datetime.fromtimestamp(int(digits) / 1000, UTC):%Y%m%dT%H%M%SZ}"


def _set_dpi(steps: ImagorSteps, arguments: Arguments) -> None:
    steps.set_output(arguments.where, dpi=arguments.integer(0))


def _to_colorspace(_steps: ImagorSteps, arguments: Arguments) -> None:
    if arguments.text(0).lower() not in ("", "srgb"):
        arguments.refuse("srgb, which every result is in")


FILTERS = {
    "attachment": Filter(Usage(0, 1, "attachment([NAME])"), _set_attachment),
    "autojpg": Filter(Usage(0, 0, "autojpg()"), _set_jpeg),
    "bitdepth": Filter(Usage(1, 1, "bitdepth(BITS)"), _set_bits),
    "compression": Filter(Usage(1, 1, "compression(LEVEL)"), _check_number),
    "dpi": Filter(Usage(1, 1, "dpi(10 to 1200)"), _set_dpi),
    "expire": Filter(Usage(1, 1, "expire(MILLISECONDS)"), _set_end),
    "format": Filter(Usage(1, 1, "format(FORMAT)"), _set_format),
    "lossless": Filter(Usage(0, 0, "lossless()"), _set_lossless),
    "max_bytes": Filter(Usage(1, 1, "max_bytes(BYTES)"), _set_max_bytes),
    "max_frames": Filter(Usage(1, 1, "max_frames(NUMBER)"), _limit_frames),
    "page": Filter(Usage(1, 1, "page(NUMBER)"), _set_page),
    "palette": Filter(Usage(0, 0, "palette()"), _set_palette),
    "preview": Filter(Usage(0, 0, "preview()"), _accept),
    "quality": Filter(Usage(1, 1, "quality(1 to 100)"), _set_quality),
    "strip_exif": Filter(Usage(0, 0, "strip_exif()"), _strip),
    "strip_icc": Filter(Usage(0, 0, "strip_icc()"), _strip),
    "strip_metadata": Filter(Usage(0, 0, "strip_metadata()"), _strip),
    "to_colorspace": Filter(Usage(0, 1, "to_colorspace([srgb])"), _to_colorspace),
}
