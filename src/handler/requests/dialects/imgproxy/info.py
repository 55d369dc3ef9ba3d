"""imgproxy's info endpoint: `/info/unsafe/option:argument/…/source`, which the report `info` answers.

A signature covers what follows it and so not the word `info`: a signed address of an image would be one of its report,
too. Where paths are signed, the report is therefore a query that is signed as a whole.
"""

from __future__ import annotations

from handler.core.errors import InvalidURL
from handler.requests.dialects.dialect import Faults
from handler.requests.dialects.imgproxy.arguments import Arguments
from handler.requests.dialects.imgproxy.colors import make_step
from handler.requests.dialects.imgproxy.configuration import Configuration
from handler.requests.dialects.imgproxy.handlers import ALIASES, HANDLERS
from handler.requests.dialects.imgproxy.options import Collected
from handler.requests.dialects.imgproxy.path import mend, split_path
from handler.requests.dialects.imgproxy.source import describe_original
from handler.requests.parsed_request import ParsedRequest, Recipe
from imaging import suggest

_FACTS: dict[str, tuple[str, ...]] = {
    "size": ("size",), "format": ("format", "mime_type"), "dimensions": ("width", "height", "orientation"),
    "colorspace": ("colorspace",), "bands": ("bands",), "sample_format": ("sample_format",),
    "pages_number": ("pages_number",), "alpha": ("alpha",), "palette": ("palette",), "average": ("average",),
    "blurhash": ("blurhash",), "thumb_hash": ("thumb_hash",), "perceptual_hash": ("perceptual_hash",),
    # Metadata is not published: it can hold a position.
    "exif": (), "iptc": (), "xmp": (), "video_meta": (),
}  # fmt: skip
"""The keys of the report that each option switches on or off."""
_ALIASES = {
    "s": "size", "f": "format", "d": "dimensions", "cs": "colorspace", "b": "bands", "sf": "sample_format",
    "pn": "pages_number", "a": "alpha", "p": "palette", "avg": "average", "bh": "blurhash", "th": "thumb_hash",
    "phash": "perceptual_hash", "ph": "perceptual_hash", "vm": "video_meta",
}  # fmt: skip
_ON = ("size", "format", "dimensions")
_OTHERS = ("cachebuster", "expires")


def parse_info(rest: str, configuration: Configuration, faults: Faults) -> ParsedRequest:
    """Parse what follows `/info/unsafe/`. Raise InvalidURL, NotFound or Forbidden."""
    path = split_path(
        mend(rest),
        configuration.separator,
        has_filename=configuration.has_filename,
        decrypt=configuration.decrypt,
    )
    chosen = dict.fromkeys(_ON, True)
    others = Collected(faults=faults)
    for name, *texts in path.options:
        option = _ALIASES.get(name, name)
        if option in _FACTS:
            chosen[option] = _is_on(Arguments(name, texts, 2, faults))
        elif ALIASES.get(name, name) in _OTHERS:
            HANDLERS[ALIASES.get(name, name)].apply(Arguments(name, texts, 1, faults), others)
        else:
            known = (*_FACTS, *_OTHERS)
            written = configuration.separator.join((name, *texts))
            faults.tolerate(InvalidURL(name, "one of " + ", ".join(known) + suggest(name, known), written))
    facts = [key for option, keys in _FACTS.items() if chosen.get(option) for key in keys]
    if not facts:
        raise InvalidURL("path", "options that leave something to report", rest)
    step = make_step("info", facts=",".join(facts))
    return ParsedRequest(**describe_original(path, configuration), recipe=Recipe((step,)))


def _is_on(arguments: Arguments) -> bool:
    """Return whether an option is switched on: by a boolean, or by a number of colours or components."""
    text = arguments.text(0)
    return arguments.given_integer(0) > 0 if text.isdecimal() else arguments.given_boolean(0)
