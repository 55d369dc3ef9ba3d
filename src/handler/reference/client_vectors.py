"""Generate clients/vectors.json: what every client library has to answer, as this service reads and signs it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from handler.auth.canonical import canonical, decode_path, split_query
from handler.auth.signature import sign
from handler.errors import BadRequest, NotFound
from handler.requests import dialects
from handler.requests.parse import parse_address
from handler.requests.parsed_request import KEY_PREFIX
from handler.requests.policy import Policy
from imaging import FeatureError

SECRET = "an example, never to be used"  # noqa: S105 - it is printed for everybody
_ANY_LANGUAGE = Policy(dialects=dialects.select(dialects.names()))
"""Every URL language is accepted, and the service's own comes last, so that each of the others reads what it can."""

_STEPS = "steps"
"""The one parameter whose value is JSON."""

URLS: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("photos/cat.jpg", {}),
    ("/photos/cat.jpg", {"width": 300}),
    ("photos/cat.jpg", {"width": 300, "height": 200, "resize": {"fit": "contain", "background": "#fff"}}),
    ("photos/cat.jpg", {"flip": True, "flop": False, "blur": 2.5, "rotate": -90, "quality": None}),
    ("photos/cat.jpg", {"watermark": {"key": "logos/é & ü.png", "position": "bottom-right", "width": 25}}),
    ("photos/cat.jpg", {"watermark.key": "logo.png", "watermark.opacity": 0.5, "format": "auto"}),
    ("photos/cat.jpg", {"text": {"text": "50% off + free = “yes”? #1", "size": "12p"}}),
    ("photos/cat.jpg", {"linear": {"a": [1.25, 1, 0.5], "b": [-20, 0, 20]}}),
    ("photos/cat.jpg", {"info": {"faces": True}, "feature": ["flip", "grayscale"]}),
    ("photos/cat.jpg", {"watermark": [{"key": "a.png", "width": 10}, {"key": "b.png", "anchor": "soea:12:12"}]}),
    (
        "photos/cat.jpg",
        {"steps": [{"resize": {"width": 400}}, {"rotate": 90}, {"text": {"text": "<é & /"}}], "quality": 70},
    ),
    ("a b+c.jpg", {"download": "a b+c.jpg"}),
    ("café/🐱.jpg", {"width": 300}),
    ("100%/what?.jpg", {"v": "50%=1/2"}),
    ("a%20b.jpg", {"flip": ""}),
    ("~.-_!*'().jpg", {"v": "~.-_!*'()"}),
    ("2024/01/x.jpg", {"width": 1}),
    ("_private/cat.jpg", {"width": 300}),
    ("300x200/cat.jpg", {}),
    ("unsafe/cat.jpg", {}),
    ("insecure/cat.jpg", {}),
    ("fit-in/cat.jpg", {}),
    ("eyJrZXkiOiJjYXQuanBnIn0=", {}),
    ("filters:blur(3)/cat.jpg", {}),
)
"""Keys and options: what a caller of a client library passes."""
PATHS: Sequence[str] = (
    "/photos/cat.jpg",
    "/photos/cat.jpg?width=300&format=webp",
    "/photos/cat.jpg?rotate.background=%23ff0000&rotate=10",
    "/photos/cat.jpg?width=300&expires=20301231T235959Z",
    "/a%20b+c.jpg?download=a+b%2Bc.jpg",
    "/caf%c3%a9/%F0%9F%90%B1.jpg?watermark.key=logos/%C3%A9+%26+%c3%bc.png",
    "/100%25/what%3F.jpg?v=50%25=1/2",
    "/a%2520b.jpg?width=0&flip",
    "/fit-in/300x200/filters:blur(3):rgb(1,2,3)/cat.jpg?v=~.-_!*'()",
    "/photos/cat.jpg?width=300&signature=0123&&",
)
"""Paths with their queries, as a page may spell them."""


def client_vectors() -> dict[str, Any]:
    """Return the secret, the URLs of keys with options, and the signatures of paths."""
    return {
        "secret": [SECRET],
        "urls": [{"key": key, "options": options, "url": _url(key, options)} for key, options in URLS],
        "signatures": [_signed(path) for path in PATHS],
    }


def _url(key: str, options: Mapping[str, Any]) -> str:
    """Return the canonical form of the first address that every configuration of URL languages reads as this key."""
    key = key.removeprefix("/")
    pairs = list(_flatten(options))
    prefix = "/" if _is_read_as_key(key) else KEY_PREFIX
    return canonical(prefix + key, pairs)


def _is_read_as_key(key: str) -> bool:
    try:
        parsed = parse_address(f"/{key}", (), _ANY_LANGUAGE)
    except (BadRequest, NotFound, FeatureError):
        return False
    return parsed.ref.key == key and not parsed.ref.bucket and not parsed.recipe.steps


def _flatten(options: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the query parameters that options stand for."""
    for name, value in options.items():
        if name == _STEPS:
            yield name, json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        elif isinstance(value, Mapping):
            yield from _flatten(value, f"{name}.")
        elif isinstance(value, list) and isinstance(value[0], Mapping):
            for number, element in enumerate(value):
                yield from _flatten(element, f"{name}.{number}.")
        elif value is not None:
            yield prefix + name, _write(value)


def _write(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_write, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _signed(path: str) -> dict[str, str]:
    raw_path, _, query = path.partition("?")
    decoded, pairs = decode_path(raw_path), split_query(query)
    text = canonical(decoded, pairs)
    signature = sign(decoded, pairs, SECRET)
    joint = "&" if "?" in text else "?"
    return {"path": path, "stringToSign": text, "signature": signature, "url": f"{text}{joint}signature={signature}"}
