"""The grammar of imagor's paths (imagorpath/parse.go): segments in a fixed order, filters, and the key."""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple
from urllib.parse import unquote

import msgspec

from handler.core.errors import NotFound
from handler.requests.dialects.dialect import STRICT, Faults
from handler.requests.dialects.thumbor.grammar import MAX_FILTERS, FilterCall
from imaging import InvalidParameter

_EDGE = r"[0-9]{1,9}|[0-9]?\.[0-9]{1,12}"
_SEGMENTS = re.compile(
    r"(?P<meta>meta/)?(?:trim(?::(?P<corner>top-left|bottom-right))?(?::(?P<tolerance>[0-9]{1,9}))?(?P<trim>/))?"
    rf"(?:(?P<left>{_EDGE})x(?P<top>{_EDGE}):(?P<right>{_EDGE})x(?P<bottom>{_EDGE})/)?"
    r"(?:(?P<adaptive>adaptive-)?(?P<full>full-)?(?P<fit>fit-in)/)?(?P<stretch>stretch/)?"
    r"(?:(?P<flop>-?)(?P<width>[0-9]{0,9})x(?P<flip>-?)(?P<height>[0-9]{0,9})/)?"
    r"(?:(?P<across>[0-9]{1,9})x(?P<down>[0-9]{1,9})(?::(?P<far>[0-9]{1,9})x(?P<low>[0-9]{1,9}))?/)?"
    r"(?:(?P<halign>left|right|center)/)?(?:(?P<valign>top|bottom|middle)/)?(?P<smart>smart/)?"
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")
_COLOR_IMAGE = "color:"


class Edges(NamedTuple):
    """Left, top, right and bottom: of a crop its edges, of a padding the widths."""

    left: float = 0
    top: float = 0
    right: float = 0
    bottom: float = 0

    @property
    def is_relative(self) -> bool:
        """Whether the edges of a crop are fractions of the sides."""
        return self.left < 1 and self.top < 1 and self.right <= 1 and self.bottom <= 1


class ImagorPath(msgspec.Struct, kw_only=True):
    """The segments of a path, none of which has been interpreted yet."""

    image: str = ""
    """The key of the original."""
    meta: bool = False
    trim: tuple[str, int] | None = None
    """The corner whose colour is cut off, and the tolerance."""
    crop: Edges = Edges()
    fit_in: bool = False
    adaptive: bool = False
    full: bool = False
    stretch: bool = False
    width: int = 0
    height: int = 0
    flop: bool = False
    flip: bool = False
    padding: Edges = Edges()
    halign: str = ""
    valign: str = ""
    smart: bool = False
    filters: list[FilterCall] = msgspec.field(default_factory=list)


def parse_path(text: str, faults: Faults = STRICT, *, encoded: bool = False) -> ImagorPath:
    """Take apart what follows a signature or `unsafe`. Raise InvalidParameter or NotFound.

    `encoded`: the text holds percent-escapes, which are decoded after it is taken apart.
    """
    text = text.lstrip("/")
    found = _SEGMENTS.match(text)
    if found is None:
        raise TypeError("every segment is optional, so that the pattern matches every text")
    path = _read_segments(found)
    filters, image = split_filters(text[found.end() :], faults, encoded=encoded)
    path.filters, path.image = filters, _read_image(unquote(image) if encoded else image)
    return path


def _read_segments(found: re.Match[str]) -> ImagorPath:
    edges = Edges(*(float(found[name] or 0) for name in ("left", "top", "right", "bottom")))
    left, top = (int(found[name] or 0) for name in ("across", "down"))
    return ImagorPath(
        meta=bool(found["meta"]),
        trim=(found["corner"] or "top-left", int(found["tolerance"] or 0)) if found["trim"] else None,
        crop=edges,
        fit_in=bool(found["fit"]),
        adaptive=bool(found["adaptive"]),
        full=bool(found["full"]),
        stretch=bool(found["stretch"]),
        width=int(found["width"] or 0),
        height=int(found["height"] or 0),
        flop=bool(found["flop"]),
        flip=bool(found["flip"]),
        padding=Edges(left, top, int(found["far"] or left), int(found["low"] or top)),
        halign=found["halign"] or "",
        valign=found["valign"] or "",
        smart=bool(found["smart"]),
    )


def split_filters(text: str, faults: Faults, *, encoded: bool) -> tuple[list[FilterCall], str]:
    """Return the filters at the beginning of a text, and what follows them. Raise InvalidParameter.

    Brackets may be nested: the path of another image is an argument of `image`.
    """
    if not text.startswith("filters:"):
        return [], text
    calls: list[FilterCall] = []
    at = len("filters:")
    while True:
        name = text[at : text.find("(", at)] if "(" in text[at:] else ""
        end = _closing_bracket(text, at + len(name)) if _NAME.fullmatch(name) else -1
        if end < 0 or text[end + 1 : end + 2] not in ("/", ":"):
            expected = "name(arguments), separated by colons and followed by a slash and the key"
            faults.tolerate(InvalidParameter("filters", expected, text[at:]), f"filters:{name[:40]}")
            return calls, text[at:].partition("/")[2]
        calls.append(FilterCall(name, text[at + len(name) + 1 : end], encoded))
        if len(calls) > MAX_FILTERS:
            raise InvalidParameter("filters", f"at most {MAX_FILTERS} filters", "more")
        at = end + 2
        if text[end + 1] == "/":
            return calls, text[at:]


def _closing_bracket(text: str, start: int) -> int:
    """Return where the bracket ends that opens at `start`, -1 if it does not."""
    depth = 0
    for found in re.finditer(r"[()]", text[start:]):
        depth += 1 if found[0] == "(" else -1
        if not depth:
            return start + found.start()
    return -1


def _read_image(image: str) -> str:
    """Return the key of the original. Raise NotFound or InvalidParameter."""
    image = decode_prefixed(image.strip("/") if image.startswith("b64:") else image.lstrip("/"))
    if not image:
        raise NotFound("the path must end with the key of an image, got none")
    if image.startswith(_COLOR_IMAGE):
        raise InvalidParameter("image", "the key of an image; a plain colour has the address /_canvas", image)
    return image


def decode_prefixed(text: str) -> str:
    """Return the text behind `b64:`, decoded; any other text unchanged."""
    if not text.startswith("b64:"):
        return text
    data = text.removeprefix("b64:").rstrip("=")
    try:
        return base64.urlsafe_b64decode(data + "=" * (-len(data) % 4)).decode()
    except (binascii.Error, ValueError):
        return text  # as in imagor, a name may begin with these letters
