"""Mutants of signed addresses: what is accepted means what was signed."""

from __future__ import annotations

import base64
import hmac
import random
import re
from collections.abc import Callable
from functools import cache
from urllib.parse import quote, unquote

from tests.fuzz.addresses import PIECES, spoilt
from tests.fuzz.case import IMGPROXY_KEY, IMGPROXY_SALT, ORIGIN, SECRET, Case
from tests.fuzz.events import KINDS

from handler.auth.signature import signed_url

_OF_QUERY = (
    *(
        "/cat.jpg",
        "/cat.jpg?width=20",
        "/private/cat.jpg?width=20&format=png",
        "/%C3%A9%20%C3%BC.jpg?blur=2&format=webp",
    ),
    *("/cat.jpg?watermark=logo.png&watermark.width=40", "/wide.jpg?crop.width=50%25&crop.height=50%25&width=30"),
    *("/cat.jpg?preset=thumb&v=3", "/cat.jpg?width=20&expires=20990101T000000Z", "/other/cat.jpg?bucket=other"[6:]),
    *("/unsafe/30x20/filters:blur(2):format(png)/cat.jpg", "/fit-in/30x20/filters:grayscale()/cat.jpg"),
    "/" + base64.urlsafe_b64encode(b'{"key": "cat.jpg", "edits": {"resize": {"width": 20}}}').decode(),
)
_OF_PATH = (
    *(
        "cat.jpg",
        "30x20/cat.jpg",
        "fit-in/30x20/filters:grayscale():format(png)/cat.jpg",
        "meta/cat.jpg",
        "private/cat.jpg",
    ),
    *(
        "filters:watermark(logo.png,1,1,0)/cat.jpg",
        "-30x20/%C3%A9%20%C3%BC.jpg",
        "trim/20x20/smart/filters:blur(2)/wide.jpg",
    ),
)
_KEYS = ("cat.jpg", "logo.png", "private/cat.jpg", "private%2Fcat.jpg", "wide.jpg", "dot.png", "é ü.jpg", "nosuch.jpg")
_ASKED = (
    "width=30",
    "blur=9",
    "bucket=other",
    "watermark=logo.png",
    "utm_source=x",
    "v=9",
    "preset=soft",
    "expires=1",
    "=",
)
_SEGMENTS = (
    "200x100",
    "filters:watermark(private/cat.jpg,0,0,0)",
    "fit-in",
    "meta",
    "unsafe",
    "private",
    "..",
    ".",
    "",
    "_key",
)


_OF_IMGPROXY = (
    "w:20/plain/cat.jpg", "rs:fill:30:20/g:so/plain/wide.jpg@png", "rs:fit:20:0/f:webp/plain/private%2Fcat.jpg",
    "pd:3/bg:ff0000/plain/logo.png", "w:20/bG9nby5wbmc", "w:20/bG9nby5wbmc.jpg", "h:9/plain/%C3%A9%20%C3%BC.jpg",
)  # fmt: skip


def _signed_by_imgproxy(rest: str) -> str:
    digest = hmac.digest(IMGPROXY_KEY, IMGPROXY_SALT + b"/" + rest.encode(), "sha256")
    return f"/{base64.urlsafe_b64encode(digest).decode().rstrip('=')}/{rest}"


def _imgproxy_case(draw: random.Random) -> Case:
    """A path that imgproxy's key signed, changed, or the signature of another one on it."""
    originals = [_signed_by_imgproxy(rest) for rest in _OF_IMGPROXY]
    original = address = draw.choice(originals)
    for _ in range(draw.choice((1, 1, 2, 3))):
        address = draw.choice((_other_key, _escaped, _unescaped, _asked, _segment, _joint, spoilt))(draw, address)
    if draw.random() < 0.2:
        other = draw.choice(originals)
        address = f"/{other.split('/')[1]}/{draw.choice(_OF_IMGPROXY)}"
    plain = unquote(unquote(address))
    original = next((each for each in originals if each.split("/")[1] in plain), original)
    return Case("signatures", address, "imgproxy-signed", original=original)


def case(draw: random.Random) -> Case:
    """A signed address, changed in one to three ways, or the signature of another one on it."""
    if draw.random() < 0.25:
        return _imgproxy_case(draw)
    original = draw.choice(_signed())
    address = original
    for _ in range(draw.choice((1, 1, 2, 3))):
        address = draw.choice(_CHANGES)(draw, address)
    original = _signed_as(address) or original
    if draw.random() < 0.25:  # behind a CDN, whose edge wraps the address as it stands
        address = _wrapped(draw, address) if draw.random() < 0.7 else address
        return Case("signatures", address, "behind", headers={"x-origin-secret": ORIGIN}, original=original)
    kind = draw.choices(KINDS, [6, 1, 1, 1])[0]
    return Case("signatures", address, "signed", kind, original=original)


def _signed_as(address: str) -> str:
    """The signed address whose signature is on this one, however often it is escaped."""
    plain = unquote(unquote(unquote(address)))
    return next((each for each in _signed() if _signature_on(each) in plain), "")


def _signature_on(address: str) -> str:
    return address.partition("signature=")[2] or address.split("/")[1]


@cache
def _signed() -> list[str]:
    of_path = [f"/{_signature(rest)}/{rest}" for rest in _OF_PATH]
    return [*of_path, *(signed_url(address, SECRET) for address in _OF_QUERY)]


def _signature(rest: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(SECRET.encode(), rest.encode(), "sha1")).decode()


def _other_key(draw: random.Random, address: str) -> str:
    return re.sub(r"[^/?]+(?=\?|$)", lambda _: draw.choice(_KEYS), address, count=1)


def _escaped(draw: random.Random, address: str) -> str:
    """One character, or all of one kind, percent-encoded, perhaps twice."""
    letter = draw.choice(address)
    code = "".join(f"%{byte:02{draw.choice('xX')}}" for byte in letter.encode())
    code = quote(code) if draw.random() < 0.3 else code
    return address.replace(letter, code, draw.choice((1, 1, -1)))


def _unescaped(draw: random.Random, address: str) -> str:
    path, mark, query = address.partition("?")
    return unquote(path) + mark + query if draw.random() < 0.5 else path + mark + unquote(query)


def _asked(draw: random.Random, address: str) -> str:
    more = draw.choice(_ASKED)
    path, _, query = address.partition("?")
    pairs = [pair for pair in query.split("&") if pair]
    pairs.insert(draw.randint(0, len(pairs)), more)
    return f"{path}?{'&'.join(pairs)}"


def _reordered(draw: random.Random, address: str) -> str:
    path, mark, query = address.partition("?")
    pairs = query.split("&")
    draw.shuffle(pairs)
    return path + mark + draw.choice(("&", "&", "&&", ";")).join(pairs)


def _segment(draw: random.Random, address: str) -> str:
    path, mark, query = address.partition("?")
    segments = path.split("/")
    at = draw.randint(1, len(segments))
    segments.insert(at, draw.choice(_SEGMENTS))
    joint = draw.choice(("/", "/", "%2F", "%2f", "%252F", "//", "\\"))
    return "/".join(segments[:at]) + joint + "/".join(segments[at:]) + mark + query


def _swapped(draw: random.Random, address: str) -> str:
    """The signature of one address on another."""
    other = draw.choice(_signed())
    if "signature=" in address and "signature=" in other:
        return re.sub(r"signature=.*", "signature=" + other.partition("signature=")[2], address)
    return "/" + other.split("/")[1] + "/" + draw.choice((address.lstrip("/"), "/".join(address.split("/")[2:])))


def _wrapped(_draw: random.Random, address: str) -> str:
    path, mark, query = address.partition("?")
    return "/_p/" + base64.urlsafe_b64encode(path.encode()).decode().rstrip("=") + mark + query


def _joint(draw: random.Random, address: str) -> str:
    joint = draw.choice(("/", "?", "&", "=", ":", ",", "%"))
    return address.replace(joint, draw.choice(PIECES), 1)


_CHANGES: tuple[Callable[[random.Random, str], str], ...] = (
    *(_other_key, _escaped, _escaped, _unescaped, _asked, _reordered, _segment, _segment, _swapped, _joint),
    *(spoilt, spoilt),
)
