"""Still WebPs are decoded by Pillow's libwebp: the answers are those of libvips' loader, whatever the file is."""

from __future__ import annotations

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

from imaging.codecs.decode import webp_stream

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


KINDS: dict[str, Callable[[], bytes]] = {
    "opaque": photograph,
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


@pytest.mark.parametrize(("kind", "is_read"), [("opaque", True), ("in Display P3", True), ("with alpha", False)])
def test_opaque_lossy_files_are_read_by_the_library(
    tmp_path: Path, kind: str, *, is_read: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []
    read_stream = webp_stream.read_webp_stream

    def count(stream: Any, head: bytes, *others: Any) -> Image:
        read.append(head)
        return read_stream(stream, head, *others)

    monkeypatch.setattr(webp_stream, "read_webp_stream", count)
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
