"""Still WebPs are decoded by Pillow's libwebp: the answers are those of libvips' loader, whatever the file is."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import pyvips
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import pictures
from tests.client import Answered, Client

from imaging.codecs import webp_write
from imaging.codecs.decode import webp_stream
from imaging.codecs.pillow_libraries import open_library

Image = Any
"""A pyvips image; its stubs give every field a union of types."""


def webp(image: Image = None, *, icc: bytes | None = None, **options: Any) -> bytes:
    """Return a WebP without EXIF."""
    image = (pictures.scene() if image is None else image).copy()
    if icc:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc)
    return bytes(image.webpsave_buffer(keep="icc" if icc else "none", **{"Q": 90, "effort": 0, **options}))


@cache
def photograph() -> bytes:
    return webp(pictures.scene(500, 400))


def cut(size: int) -> bytes:
    """Return the first bytes of a WebP, whose head states that there are no more."""
    body = bytearray(photograph()[:size])
    body[4:8], body[16:20] = (size - 8).to_bytes(4, "little"), (size - 20).to_bytes(4, "little")
    return bytes(body)


def in_partitions(added: int = 1_000_000) -> bytes:
    """Return a WebP of eight partitions, with so many bytes that no pixel needs between the first seven."""
    image, library = pictures.scene(60, 140), webp_write._encoder()
    assert library is not None
    config, picture, writer = webp_write._Config(), webp_write._Picture(), webp_write._Writer()
    library.WebPConfigInitInternal(ctypes.byref(config), 0, 80, webp_write._ENCODER_ABI)
    library.WebPPictureInitInternal(ctypes.byref(picture), webp_write._ENCODER_ABI)
    library.WebPMemoryWriterInit(ctypes.byref(writer))
    config.more[15] = 3  # the binary logarithm of the number of partitions
    fields = {
        "width": image.width, "height": image.height,
        "writer": ctypes.cast(library.WebPMemoryWrite, ctypes.c_void_p), "custom": ctypes.addressof(writer),
    }  # fmt: skip
    for name, value in fields.items():
        setattr(picture, name, value)
    assert webp_write._import_pixels(library, picture, image)
    assert library.WebPEncode(ctypes.byref(config), ctypes.byref(picture))
    frame = ctypes.string_at(writer.mem, writer.size)[20:]
    library.WebPMemoryWriterClear(ctypes.byref(writer))
    library.WebPPictureFree(ctypes.byref(picture))
    # RFC 6386, 9.5: the sizes of all partitions but the last one, 3 bytes each, stand before them.
    start = 10 + (int.from_bytes(frame[:3], "little") >> 5)
    rest, partitions = frame[start + 21 :], []
    for at in range(start, start + 21, 3):
        size = int.from_bytes(frame[at : at + 3], "little")
        partitions.append(rest[:size] + bytes(added // 7))
        rest = rest[size:]
    sizes = b"".join(len(each).to_bytes(3, "little") for each in partitions)
    frame = frame[:start] + sizes + b"".join(partitions) + rest
    frame += bytes(len(frame) % 2)
    return b"RIFF" + struct.pack("<I", len(frame) + 12) + b"WEBPVP8 " + struct.pack("<I", len(frame)) + frame


KINDS: dict[str, Callable[[], bytes]] = {
    "opaque": photograph,
    "in eight partitions": in_partitions,
    "small": lambda: webp(pictures.scene(7, 5)),
    "in Display P3": lambda: webp(icc=pictures.profile("p3")),
    "with alpha": lambda: webp(pictures.scene_with_alpha()),
    "lossless": lambda: webp(lossless=True),
    "with EXIF": lambda: pictures.webp(orientation=6),
    "animated": lambda: pictures.webp(pictures.film()),
    "cut off": lambda: photograph()[:2_000],
    "cut off, as its head says": lambda: cut(2_000),
    "with bytes after its end": lambda: photograph() + bytes(1000),
}


def answers(folder: Path, body: bytes, parameters: str) -> tuple[Answered, Answered]:
    """Return the answer, and the one where Pillow's library is missing."""
    (folder / "cat.webp").write_bytes(body)
    service = Client({"SOURCE_BUCKETS": f"photos=file://{folder}"})
    found = service.get(f"/cat.webp?{parameters}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(webp_stream, "_library", lambda: None)
        return found, service.get(f"/cat.webp?{parameters}")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parameters", ["width=90&format=png", "width=4&format=webp", "width=900&format=png&page=0"])
def test_the_answer_is_that_of_libvips(tmp_path: Path, kind: str, parameters: str) -> None:
    found, expected = answers(tmp_path, KINDS[kind](), parameters)
    assert found == expected
    assert found.status == (422 if kind.startswith("cut off") else 200)


@pytest.mark.parametrize(
    ("kind", "is_read"),
    [("opaque", True), ("in Display P3", True), ("in eight partitions", True), ("with alpha", False)],
)
def test_opaque_lossy_files_are_read_by_the_library(
    tmp_path: Path, kind: str, *, is_read: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Image] = []
    decode = webp_stream._read

    def count(*given: Any) -> Image:
        read.append(decode(*given))
        return read[-1]

    monkeypatch.setattr(webp_stream, "_read", count)
    (tmp_path / "cat.webp").write_bytes(KINDS[kind]())
    assert Client({"SOURCE_BUCKETS": f"photos=file://{tmp_path}"}).get("/cat.webp?width=90").status == 200
    assert bool(read) == is_read


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.one_of(st.floats(0, 1, exclude_max=True), st.floats(0, 0.01)), written=st.binary(min_size=1))
def test_any_damage_gets_the_answer_of_libvips(tmp_path: Path, place: float, written: bytes) -> None:
    body = photograph()
    start = int(place * len(body))
    found, expected = answers(tmp_path, body[:start] + written + body[start + len(written) :], "width=90&format=jpeg")
    assert found == expected


def test_a_library_without_a_function_that_is_called_is_not_used() -> None:
    assert open_library("libwebp", "WebPIUpdate") is not None
    assert open_library("libwebp", "WebPIUpdate", "WebPOfTheFuture") is None
    assert open_library("libpictures") is None
