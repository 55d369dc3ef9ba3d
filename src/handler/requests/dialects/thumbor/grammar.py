"""The grammar of Thumbor paths: which segments stand before the key, and what each of them holds.

Nothing here knows what a segment or a filter does; `filters` and `aws` interpret the `ThumborPath` that is parsed here.
The order of the segments is that of Thumbor's own pattern (`libthumbor.url.Url.regex`):

    /meta/trim/crop/fit-in/size/halign/valign/smart/filters:…/key
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

import msgspec

from handler.core.errors import NotFound
from handler.requests.dialects.dialect import STRICT, Faults
from imaging import InvalidParameter

MAX_FILTERS = 32
_SIDE = r"[0-9]{1,9}|orig"
PIXELS = r"[0-9]{1,9}"
_FRACTION = r"[0-9]{1,9}(?:\.[0-9]{0,12})?|\.[0-9]{1,12}"
_TRIM = re.compile(r"trim(?::(top-left|bottom-right))?(?::([0-9]{1,9}))?")
_CROP = re.compile(rf"({_FRACTION})x({_FRACTION}):({_FRACTION})x({_FRACTION})")
_FIT_IN = re.compile(r"(adaptive-)?(full-)?fit-in")
_SIZE = re.compile(rf"(-)?({_SIDE})?x(-)?({_SIDE})?")
_HOST = re.compile(r"https?://[^/]*/")
_UNSAFE_OR_SIGNATURE = re.compile(r"(?:unsafe|[A-Za-z0-9_-]{27}=)/")
AREA = re.compile(rf"({PIXELS})x({PIXELS}):({PIXELS})x({PIXELS})")
"""`LEFTxTOP:RIGHTxBOTTOM`, in pixels."""
_CALL = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,39})\(")
_END_OF_CALL = re.compile(r"\)[:/]")
_STRAY_TEXT = re.compile(r"([^:/]*+)[^/]*?(?:\)[:/]|/)")


class FilterCall(NamedTuple):
    """One filter of a path, such as `blur(7)`: its name and the text between its brackets."""

    name: str
    text: str
    encoded: bool = False
    """Whether the text still holds percent-escapes, which are then decoded in each argument."""

    def __str__(self) -> str:
        return f"{self.name}({self.text})"

    @property
    def arguments(self) -> list[str]:
        """Return the arguments, split at commas that are neither inside brackets nor between single quotes.

        `watermark('a,b.png',0,0)` has three arguments, and so has `curve([(0,0),(9,9)],[],[])`.
        """
        found, depth, quoted = [""], 0, False
        for character in self.text:
            # A quote opens only at the beginning of an argument: `it's.png` needs none.
            if character == "'" and (quoted or not found[-1].strip()):
                quoted = not quoted
                continue
            if character == "," and not depth and not quoted:
                found.append("")
                continue
            depth += 0 if quoted else (character in "[(") - (character in "])")
            found[-1] += character
        if found == [""]:
            return []
        return [unquote(argument.strip()) if self.encoded else argument.strip() for argument in found]


class Corners(NamedTuple):
    """The top left and bottom right corner of a crop. All four are 0 where nothing is cropped, as in Thumbor."""

    left: float
    top: float
    right: float
    bottom: float
    relative: bool
    """Whether the numbers are fractions of the sides, from 0 to 1, and not pixels."""

    def __bool__(self) -> bool:
        return any(self[:4])


class Size(NamedTuple):
    """The size of a path, in pixels: 0 follows from the other side, None (`orig`) keeps the side of the original."""

    width: int | None
    height: int | None
    flop: bool = False
    """Whether a minus sign stands before the width, which mirrors left and right."""
    flip: bool = False
    """Whether a minus sign stands before the height, which mirrors top and bottom."""


class FitIn(NamedTuple):
    """How the image is fitted into the size instead of being cropped to it."""

    adaptive: bool
    """Whether width and height of the box change places where the image has the other orientation."""
    full: bool
    """Whether the image covers the box (fit `outside`)."""


class Trim(NamedTuple):
    """A border to cut off: the corner whose colour it has, and how far other colours may be from that one."""

    corner: str
    tolerance: int


class ThumborPath(msgspec.Struct, kw_only=True):
    """The parsed segments of a path, none of which has been interpreted yet."""

    image: str = ""
    """The key: everything after the last segment that was recognised."""
    bucket: str = ""
    """The bucket of an `s3:BUCKET` segment, which only AWS's paths have."""
    meta: bool = False
    trim: Trim | None = None
    crop: Corners | None = None
    fit_in: FitIn | None = None
    size: Size | None = None
    halign: str = ""
    """`left`, `center`, `right` or nothing."""
    valign: str = ""
    """`top`, `middle`, `bottom` or nothing."""
    smart: bool = False
    filters: list[FilterCall] = msgspec.field(default_factory=list)
    encoded: bool = False
    """Whether the text that is being parsed still holds percent-escapes."""
    faults: Faults = STRICT


def parse_path(text: str, faults: Faults = STRICT, *, encoded: bool = False) -> ThumborPath:
    """Parse what follows a signature or `unsafe`, in Thumbor's full grammar. Raise InvalidParameter or NotFound.

    `encoded`: the text holds percent-escapes. Separators are looked for in the text as it stands, and the key and the
    arguments of filters are decoded after they have been split off, so that an escaped separator separates nothing.
    """
    path = ThumborPath(encoded=encoded, faults=faults)
    # Each segment is optional, and each may stand in its own place only: what does not match begins the key.
    for take in (_take_meta, _take_trim, take_crop, take_fit_in, take_size, _take_halign, _take_valign, _take_smart):
        head, slash, rest = text.partition("/")
        if slash and take(path, head):
            text = rest
    path.image = take_filters(path, text).lstrip("/")
    if encoded:
        path.image = unquote(path.image)
    if not path.image:
        raise NotFound("the path must end with the key of an image, got none")
    return path


def parse_nested_path(image: str) -> ThumborPath | None:
    """Parse a key that is a Thumbor path itself, with or without a host before it; return None for any other key.

    Thumbor's filter `extract_focal` looks for one. The signature of a nested path is not verified, as it is not there.
    """
    path = _HOST.sub("", image)
    _, slash, rest = path.partition("/")
    if not slash or not _UNSAFE_OR_SIGNATURE.match(path):
        return None
    return parse_path(rest)


def _take_meta(path: ThumborPath, head: str) -> bool:
    path.meta = head == "meta"
    return path.meta


def _take_trim(path: ThumborPath, head: str) -> bool:
    if found := _TRIM.fullmatch(head):
        path.trim = Trim(found[1] or "top-left", int(found[2] or 0))
    return found is not None


def take_crop(path: ThumborPath, head: str) -> bool:
    found = _CROP.fullmatch(head)
    if found is None:
        return False
    left, top, right, bottom = (float(part) for part in found.groups())
    # One decimal point makes all four numbers fractions.
    relative = "." in head
    if relative and max(left, top, right, bottom) > 1:
        raise InvalidParameter("crop", "four numbers in pixels, or four fractions from 0 to 1", head)
    path.crop = Corners(left, top, right, bottom, relative)
    return True


def take_fit_in(path: ThumborPath, head: str) -> bool:
    if found := _FIT_IN.fullmatch(head):
        path.fit_in = FitIn(adaptive=bool(found[1]), full=bool(found[2]))
    return found is not None


def take_size(path: ThumborPath, head: str) -> bool:
    if found := _SIZE.fullmatch(head):
        width, height = (None if side == "orig" else int(side or 0) for side in (found[2], found[4]))
        path.size = Size(width, height, flop=bool(found[1]), flip=bool(found[3]))
    return found is not None


def _take_halign(path: ThumborPath, head: str) -> bool:
    if head in ("left", "center", "right"):
        path.halign = head
    return bool(path.halign)


def _take_valign(path: ThumborPath, head: str) -> bool:
    if head in ("top", "middle", "bottom"):
        path.valign = head
    return bool(path.valign)


def _take_smart(path: ThumborPath, head: str) -> bool:
    path.smart = head == "smart"
    return path.smart


def take_filters(path: ThumborPath, text: str) -> str:
    """Take every `filters:…/` off the front of the text, and return the rest. Raise InvalidParameter.

    Arguments may hold slashes, colons and brackets (a watermark's key, a curve's points). A call therefore ends with
    the first closing bracket that a colon (another call follows) or a slash (the segment ends) follows directly.
    """
    while text.startswith("filters:"):
        at, ended = len("filters:"), False
        while not ended:
            name = _CALL.match(text, at)
            end = name and _END_OF_CALL.search(text, name.end())
            if not name or not end:
                expected = "name(arguments), separated by colons and followed by a slash and the key"
                error = InvalidParameter("filters", expected, text[at:])
                stray = _STRAY_TEXT.match(text, at)
                if stray is None:
                    raise error
                # Thumbor takes all text up to the next closing bracket for the name of an unknown filter.
                path.faults.tolerate(error, f"filters:{stray[1]}")
                at, ended = stray.end(), stray[0].endswith("/")
                continue
            path.filters.append(FilterCall(name[1], text[name.end() : end.start()], path.encoded))
            if len(path.filters) > MAX_FILTERS:
                raise InvalidParameter("filters", f"at most {MAX_FILTERS} filters", "more")
            at, ended = end.end(), end[0] == ")/"
        text = text[at:]
    return text
