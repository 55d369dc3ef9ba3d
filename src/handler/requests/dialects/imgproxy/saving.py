"""The options of imgproxy that concern the file as a whole: its format, quality, metadata, name and expiry."""

from __future__ import annotations

import math
import re
import time

from handler.requests.dialects.imgproxy.arguments import Arguments
from handler.requests.dialects.imgproxy.options import Collected

FORMATS = ("jpeg", "jpg", "jxl", "png", "webp", "gif", "ico", "svg", "heic", "avif", "bmp", "tiff")
BEST = "best"
OWN_NAMES = {"jpg": "jpeg", "heic": "heif"}
"""What this service calls the formats that have another name in imgproxy."""
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


def strip_metadata(arguments: Arguments, into: Collected) -> None:
    """Remove metadata, or keep it."""
    into.saving.strip_metadata = arguments.given_boolean(0)


def keep_copyright(arguments: Arguments, into: Collected) -> None:
    """Keep the credit where metadata is removed."""
    into.saving.keep_copyright = arguments.given_boolean(0)


def preserve_hdr(arguments: Arguments, into: Collected) -> None:
    """Keep the gain map of an HDR photograph."""
    into.saving.output["hdr"] = "keep" if arguments.given_boolean(0) else "sdr"


def check_only(arguments: Arguments, into: Collected) -> None:  # noqa: ARG001 - every handler has one shape
    """Parse a boolean whose value changes nothing here: docs/compatibility.md says why."""
    arguments.given_boolean(0)


def quality(arguments: Arguments, into: Collected) -> None:
    """Set the quality of the file."""
    into.saving.quality = arguments.given_integer(0, 0, 100)


def format_quality(arguments: Arguments, into: Collected) -> None:
    """Set the quality of each of some formats."""
    if len(arguments) % 2:
        arguments.refuse("pairs of a format and a quality")
    for at in range(0, len(arguments), 2):
        into.saving.format_quality[arguments.choice(at, FORMATS)] = arguments.given_integer(at + 1, 0, 100)


def autoquality(arguments: Arguments, into: Collected) -> None:
    """Set how the quality is found: not at all, by a number of bytes, or by a similarity, with its bounds."""
    method = arguments.choice(0, ("none", "size", "dssim", "ml"))
    into.saving.search = {}
    if method == "none":
        return
    target = arguments.number(1, above=True)
    low, high = arguments.integer(2, 1, 100), arguments.integer(3, 1, 100)
    arguments.number(4)  # The allowed error: the search ends after six encodings in any case.
    search: dict[str, object] = {"qualityMin": low} if low else {}
    if method == "size":
        if target is None:
            arguments.refuse("a number of bytes")
        into.saving.search = search | {"maxBytes": round(target)} | ({"quality": high} if high else {})
        return
    search |= {"qualityMax": high} if high else {}
    if target is not None:
        search["qualityTarget"] = _score_of(target)
    into.saving.search = search | {"quality": "auto"}


def _score_of(dssim: float) -> int:
    """Return the score of SSIMULACRA 2 that images of this structural dissimilarity, (1 - SSIM) / 2, have on average.

    Fitted to eight photographs as JPEG and WebP of six qualities; single images are 7 away from it.
    """
    return min(99, max(1, round(10.2 - 15.46 * math.log(dssim))))


def max_bytes(arguments: Arguments, into: Collected) -> None:
    """Set the largest size of the file."""
    into.saving.max_bytes = arguments.given_integer(0)


def set_format(arguments: Arguments, into: Collected) -> None:
    """Set the format of the file."""
    into.saving.format = arguments.choice(0, (*FORMATS, BEST))


def skip_processing(arguments: Arguments, into: Collected) -> None:
    """Add formats of originals that are not edited."""
    into.saving.skipped += [arguments.choice(at, FORMATS) for at in range(len(arguments))]


def set_raw(arguments: Arguments, into: Collected) -> None:
    """Leave the original unedited, whatever its format is."""
    into.saving.raw = arguments.given_boolean(0)


def expires(arguments: Arguments, into: Collected) -> None:
    """Set the end of the URL as seconds since 1970."""
    into.saving.expires = arguments.given_integer(0, -(10**18))
    if 0 < into.saving.expires < time.time():
        arguments.refuse("a time in the future")


def cachebuster(arguments: Arguments, into: Collected) -> None:
    """Accept any text: it only makes another URL."""


def filename(arguments: Arguments, into: Collected) -> None:
    """Set the name of the file without its extension."""
    name = arguments.base64(0) if arguments.boolean(1) else arguments.text(0)
    if not name and arguments.faults.is_lenient:
        # imgproxy then takes the name of the original, as without the option.
        arguments.faults.tolerate(arguments.fault("a name of 1 to 200 printable characters"))
        return
    if not _PRINTABLE.fullmatch(name):
        arguments.refuse("a name of 1 to 200 printable characters")
    into.saving.filename = name


def name_after(source: str, into: Collected) -> None:
    """Name a file that the browser saves after its original, as imgproxy does, unless the URL gives it a name."""
    name = source.rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    if into.saving.attachment and not into.saving.filename and _PRINTABLE.fullmatch(stem):
        into.saving.filename = stem


def return_attachment(arguments: Arguments, into: Collected) -> None:
    """Have the browser save the file."""
    into.saving.attachment = arguments.given_boolean(0)


def is_format(name: str) -> bool:
    """Return whether this is the name of a format, in imgproxy's words or in those of this service."""
    return name in FORMATS or name in OWN_NAMES.values()
