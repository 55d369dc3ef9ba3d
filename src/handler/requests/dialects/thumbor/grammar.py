"""The grammar of the paths: which segments stand before the key, and what they hold; nothing of what that means."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

import msgspec

from handler.errors import NotFound
from imaging import InvalidParameter

MOST_FILTERS = 32
_SIDE = r"[0-9]{1,9}|orig"
_PIXELS = r"[0-9]{1,9}"
_SHARE = r"[0-9]{1,9}(?:\.[0-9]{0,12})?|\.[0-9]{1,12}"
_TRIM = re.compile(r"trim(?::(top-left|bottom-right))?(?::([0-9]{1,9}))?")
_CROP = re.compile(rf"({_SHARE})x({_SHARE}):({_SHARE})x({_SHARE})")
_FIT_IN = re.compile(r"(adaptive-)?(full-)?fit-in")
_SIZE = re.compile(rf"(-)?({_SIDE})?x(-)?({_SIDE})?")
_SIZE_OF_AWS = re.compile(rf"({_PIXELS})x({_PIXELS})")
_HOST = re.compile(r"https?://[^/]*/")
_UNSAFE_OR_HASH = re.compile(r"(?:unsafe|[A-Za-z0-9_-]{27}=)/")
_BUCKET = re.compile(r"s3:([^/]+)")
AREA = re.compile(rf"({_PIXELS})x({_PIXELS}):({_PIXELS})x({_PIXELS})")
_CALL = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,39})\(")
_CALL_ENDS = re.compile(r"\)[:/]")


class FilterCall(NamedTuple):
    """A filter with what stands between its brackets."""

    name: str
    text: str
    encoded: bool = False
    """Whether the text still holds percent-escapes, which are decoded in each argument."""

    def __str__(self) -> str:
        return f"{self.name}({self.text})"

    @property
    def arguments(self) -> list[str]:
        """Separated by commas that stand neither in brackets nor between single quotes."""
        found, depth, quoted = [""], 0, False
        for letter in self.text:
            if letter == "'" and (quoted or not found[-1].strip()):
                quoted = not quoted
                continue
            if letter == "," and not depth and not quoted:
                found.append("")
                continue
            depth += 0 if quoted else (letter in "[(") - (letter in "])")
            found[-1] += letter
        if found == [""]:
            return []
        return [unquote(argument.strip()) if self.encoded else argument.strip() for argument in found]


class Corners(NamedTuple):
    """Two corners of a crop, in pixels, or as shares of the sides; all 0: none."""

    left: float
    top: float
    right: float
    bottom: float
    shares: bool

    def __bool__(self) -> bool:
        return any(self[:4])


class Size(NamedTuple):
    """Width and height; 0 is free, None is the side as it is. A sign turns the picture over."""

    width: int | None
    height: int | None
    flop: bool = False
    flip: bool = False


class FitIn(NamedTuple):
    """Fit in a box; `full`: cover it, `adaptive`: turn the box as the picture lies."""

    adaptive: bool
    full: bool


class Trim(NamedTuple):
    """Whose colour is cut off, and how far from it a colour may be."""

    corner: str
    tolerance: int


class Path(msgspec.Struct, kw_only=True):
    """Everything that a path says."""

    image: str = ""
    bucket: str = ""
    meta: bool = False
    trim: Trim | None = None
    crop: Corners | None = None
    fit_in: FitIn | None = None
    size: Size | None = None
    across: str = ""
    """left, center or right."""
    down: str = ""
    """top, middle or bottom."""
    smart: bool = False
    filters: list[FilterCall] = msgspec.field(default_factory=list)
    encoded: bool = False
    """Whether the text that is being read still holds percent-escapes."""


def whole(text: str, *, encoded: bool = False) -> Path:
    """The whole language: what follows a signature or `unsafe`. InvalidParameter, NotFound.

    `encoded`: the text holds percent-escapes. Separators are looked for in the text as it stands; the key and the
    arguments of filters are decoded once they are taken apart.
    """
    path = Path(encoded=encoded)
    for take in (_meta, _trim, _crop, _fit_in, _size, _across, _down, _smart):
        head, slash, rest = text.partition("/")
        if slash and take(path, head):
            text = rest
    path.image = _filters(path, text)
    if encoded:
        path.image = unquote(path.image)
    if not path.image:
        raise NotFound("the path must name a picture behind what is to be done to it")
    return path


def within(image: str) -> Path | None:
    """The path of Thumbor that a key is, perhaps behind a host: signed (which is not checked) or unsafe."""
    address = _HOST.sub("", image)
    _, slash, rest = address.partition("/")
    if not slash or not _UNSAFE_OR_HASH.match(address):
        return None
    return whole(rest)


def aws_part(text: str) -> Path | None:
    """AWS's part of the language, in any order, each segment once; None for any other path. InvalidParameter."""
    path = Path()
    rest = text
    while True:
        rest = _filters(path, rest)
        head, slash, after = rest.partition("/")
        if not slash or not any(take(path, head) for take in (_bucket, _crop_of_aws, _fit_in_of_aws, _size_of_aws)):
            break
        rest = after
    if rest == text or not rest:
        return None
    path.image = rest
    return path


def _meta(path: Path, head: str) -> bool:
    path.meta = head == "meta"
    return path.meta


def _trim(path: Path, head: str) -> bool:
    if found := _TRIM.fullmatch(head):
        path.trim = Trim(found[1] or "top-left", int(found[2] or 0))
    return found is not None


def _crop(path: Path, head: str) -> bool:
    found = _CROP.fullmatch(head)
    if found is None:
        return False
    left, top, right, bottom = (float(part) for part in found.groups())
    shares = "." in head
    if shares and max(left, top, right, bottom) > 1:
        raise InvalidParameter("crop", "corners in pixels, or all of them as shares from 0 to 1", head)
    path.crop = Corners(left, top, right, bottom, shares)
    return True


def _crop_of_aws(path: Path, head: str) -> bool:
    return path.crop is None and AREA.fullmatch(head) is not None and _crop(path, head)


def _fit_in(path: Path, head: str) -> bool:
    if found := _FIT_IN.fullmatch(head):
        path.fit_in = FitIn(bool(found[1]), bool(found[2]))
    return found is not None


def _fit_in_of_aws(path: Path, head: str) -> bool:
    return path.fit_in is None and head == "fit-in" and _fit_in(path, head)


def _size(path: Path, head: str) -> bool:
    if found := _SIZE.fullmatch(head):
        width, height = (None if side == "orig" else int(side or 0) for side in (found[2], found[4]))
        path.size = Size(width, height, bool(found[1]), bool(found[3]))
    return found is not None


def _size_of_aws(path: Path, head: str) -> bool:
    return path.size is None and _SIZE_OF_AWS.fullmatch(head) is not None and _size(path, head)


def _across(path: Path, head: str) -> bool:
    if head in ("left", "center", "right"):
        path.across = head
    return bool(path.across)


def _down(path: Path, head: str) -> bool:
    if head in ("top", "middle", "bottom"):
        path.down = head
    return bool(path.down)


def _smart(path: Path, head: str) -> bool:
    path.smart = head == "smart"
    return path.smart


def _bucket(path: Path, head: str) -> bool:
    found = None if path.bucket else _BUCKET.fullmatch(head)
    if found:
        path.bucket = found[1]
    return found is not None


def _filters(path: Path, text: str) -> str:
    """Take `filters:…/` off the front, however many of them there are; what is left."""
    while text.startswith("filters:"):
        at, ended = len("filters:"), False
        while not ended:
            name = _CALL.match(text, at)
            end = name and _CALL_ENDS.search(text, name.end())
            if not name or not end:
                expected = "name(arguments), joined by colons, with a slash and the key behind them"
                raise InvalidParameter("filters", expected, text[at:])
            path.filters.append(FilterCall(name[1], text[name.end() : end.start()], path.encoded))
            if len(path.filters) > MOST_FILTERS:
                raise InvalidParameter("filters", f"at most {MOST_FILTERS}", "more")
            at, ended = end.end(), end[0] == ")/"
        text = text[at:]
    return text
