"""From the options to the output options."""

from __future__ import annotations

from http import HTTPStatus

from handler.core.errors import BadRequest
from handler.requests.dialects.imgproxy.configuration import Configuration
from handler.requests.dialects.imgproxy.options import Collected, Saving
from handler.requests.dialects.imgproxy.saving import BEST, OWN_NAMES
from imaging import FORMATS, WRITTEN, Output, check

_MIN_BYTES, _MAX_BYTES = 200, 100_000_000


def build_output(collected: Collected, configuration: Configuration) -> Output:
    """Return the output options. Raise InvalidParameter, or BadRequest for a format that cannot be written."""
    saving = collected.saving
    if saving.raw:
        every = ",".join(record.name for record in FORMATS)
        return check(Output, {"unchanged": every} | _file_name(saving), where="raw")
    quality = saving.search if "quality" in saving.search else {**_quality(saving, configuration), **saving.search}
    options: dict[str, object] = {**saving.output, **quality, **_file_name(saving)}
    if saving.format:
        options["format"] = _written(saving.format)
    else:
        options["preferred"] = ",".join(configuration.preferred)
    if saving.webp_lossless and saving.format == "webp":
        options["lossless"] = True
    if saving.max_bytes:
        options["maxBytes"] = saving.max_bytes
    if isinstance(limit := options.get("maxBytes"), int):
        options["maxBytes"] = min(_MAX_BYTES, max(_MIN_BYTES, limit))
    if not configuration.keeps_animations or saving.disable_animation:
        options["animated"] = False
    if saving.page is not None:
        options["page"] = saving.page
    options["metadata"] = _metadata(saving, configuration)
    if unchanged := _unchanged(saving, configuration):
        options["unchanged"] = ",".join(unchanged)
    return check(Output, options, where="output")


def _quality(saving: Saving, configuration: Configuration) -> dict[str, object]:
    """Return the quality of the request, or else those of the formats."""
    if saving.quality:
        return {"quality": saving.quality}
    general = {"jpeg": configuration.quality} if configuration.quality else {}
    qualities = {**general, **configuration.format_quality, **saving.format_quality}
    pairs = {_known(name): quality for name, quality in qualities.items() if quality}
    text = ",".join(f"{name}:{quality}" for name, quality in pairs.items() if name in WRITTEN)
    return {"formatQuality": text} if text else {}


def _metadata(saving: Saving, configuration: Configuration) -> str:
    strips = configuration.strips_metadata if saving.strip_metadata is None else saving.strip_metadata
    keeps = configuration.keeps_copyright if saving.keep_copyright is None else saving.keep_copyright
    if not strips:
        return "keep"
    return "copyright" if keeps else "strip"


def _unchanged(saving: Saving, configuration: Configuration) -> list[str]:
    """Return the formats of originals that are not edited: without another format an SVG is one of them."""
    svg = [] if configuration.draws_svg or saving.format not in ("", "svg") else ["svg"]
    names = dict.fromkeys(map(_known, (*configuration.skipped, *saving.skipped, *svg)))
    # No original is in a format that is not read here (JPEG XL), so leaving such unedited asks for nothing.
    readable = {record.name for record in FORMATS}
    return [name for name in names if name in readable]


def _known(name: str) -> str:
    """Return the name that this service has for a format."""
    return OWN_NAMES.get(name, name)


def _written(name: str) -> str:
    """Return the format of a result. Raise BadRequest for one that cannot be written: 422, as from imgproxy."""
    if name == "svg":
        return "original"
    if name == BEST:
        return name
    # A request for HEIC gets what is written of that container here.
    if name != "heic" and _known(name) not in WRITTEN:
        raise BadRequest(
            f"`format` must be one of {', '.join(WRITTEN)}, got {name}",
            code="InvalidURL",
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
        )
    return "avif" if name == "heic" else _known(name)


def _file_name(saving: Saving) -> dict[str, object]:
    if not saving.filename and not saving.attachment:
        return {}
    return {"filename": saving.filename or "image", "attachment": saving.attachment}
