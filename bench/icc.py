"""ICC profiles that pictures of the bench and of the tests are stored in."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pyvips

_SAMPLES = Path(__file__).resolve().parent.parent / "samples" / "photos"
_COLORANTS = {b"rXYZ": (0x6FA2, 0x38F5, 0x0390), b"gXYZ": (0x6299, 0xB785, 0x18DA), b"bXYZ": (0x24A0, 0x0F84, 0xB6CF)}
_WHITE = (0xF6D6, 0x10000, 0xD32D)
_C2 = (
    0x0000, 0x00CB, 0x01C9, 0x0363, 0x0592, 0x086B, 0x0BF6, 0x103F, 0x1551, 0x1B34, 0x21F1, 0x2990, 0x3218,
    0x3B92, 0x4605, 0x5177, 0x5DED, 0x6B70, 0x7A05, 0x89B1, 0x9A7C, 0xAC69, 0xBF7D, 0xD3C3, 0xE930, 0xFFFF,
)  # fmt: skip
"""The tone curve of Facebook's profile `c2`: sRGB's in 26 points."""


def display_p3() -> bytes:
    """Return Display P3, as phones store photographs."""
    return bytes(pyvips.Operation.call("profile_load", "p3"))


def adobe_rgb() -> bytes:
    """Return Adobe RGB (1998), as cameras store photographs."""
    picture: Any = pyvips.Image.new_from_file(str(_SAMPLES / "rocket.jpg"))
    return bytes(picture.get("icc-profile-data"))


def c2() -> bytes:
    """Return sRGB as Facebook writes it, with curves of 26 points."""
    return srgb_with(struct.pack(f">4s4xI{len(_C2)}H", b"curv", len(_C2), *_C2))


def srgb_with(curve: bytes) -> bytes:
    """Return a profile (ICC 2.1) with sRGB's primaries and this tag as the tone curve of all three."""
    tags = {b"desc": struct.pack(">4s4xI3s76x", b"desc", 3, b"c2\0"), b"cprt": b"text\0\0\0\0FB\0\0"}
    tags[b"wtpt"] = _xyz(_WHITE)
    tags |= {name: _xyz(value) for name, value in _COLORANTS.items()}
    directory, body = struct.pack(">I", len(tags) + 3), b""
    start = 132 + 12 * (len(tags) + 3)
    for name, tag in tags.items():
        directory += struct.pack(">4sII", name, start + len(body), len(tag))
        body += tag + b"\0" * (-len(tag) % 4)
    for name in (b"rTRC", b"gTRC", b"bTRC"):
        directory += struct.pack(">4sII", name, start + len(body), len(curve))
    body += curve + b"\0" * (-len(curve) % 4)
    head = struct.pack(
        ">I4sI4s4s4s12x4s28x3I48x", start + len(body), b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ", b"acsp",
        0xF6D6, 0x10000, 0xD32D,
    )  # fmt: skip
    return head + directory + body


def _xyz(values: tuple[int, int, int]) -> bytes:
    return struct.pack(">4s4x3I", b"XYZ ", *values)


def stored_in(image: Any, name: str) -> Any:
    """Return an image in sRGB with its colours as numbers of one of the profiles, which it then has."""
    with NamedTemporaryFile(suffix=".icc") as file:
        file.write(PROFILES[name]())
        file.flush()
        return image.icc_transform(file.name, input_profile="srgb", intent="perceptual", depth=8).copy_memory()


PROFILES: dict[str, Callable[[], bytes]] = {"p3": display_p3, "adobe-rgb": adobe_rgb, "c2": c2}
"""By the names that the pictures of the bench have."""
