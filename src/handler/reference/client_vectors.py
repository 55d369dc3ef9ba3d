"""Generate clients/vectors.json: what every client library has to answer, as this service reads and signs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handler.auth.canonical import canonical, decode_path, split_query
from handler.auth.signature import sign
from handler.requests.image_address import image_address

SECRET = "an example, never to be used"  # noqa: S105 - it is printed for everybody
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
        "urls": [{"key": key, "options": options, "url": image_address(key, options)} for key, options in URLS],
        "signatures": [_signed(path) for path in PATHS],
    }


def _signed(path: str) -> dict[str, str]:
    raw_path, _, query = path.partition("?")
    decoded, pairs = decode_path(raw_path), split_query(query)
    text = canonical(decoded, pairs)
    signature = sign(decoded, pairs, SECRET)
    joint = "&" if "?" in text else "?"
    return {"path": path, "stringToSign": text, "signature": signature, "url": f"{text}{joint}signature={signature}"}
