"""PNG files packed by ISA-L."""

from __future__ import annotations

import struct
import zlib

import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from tests.pictures import Image, deep, grey, profile, scene, scene_with_alpha

from imaging.codecs.png_chunks import SIGNATURE, chunk, compress_pixels, read_chunks


@given(kind=st.binary(min_size=4, max_size=4), payload=st.binary(max_size=100))
def test_a_chunk_has_length_kind_and_checksum(kind: bytes, payload: bytes) -> None:
    whole = struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))
    assert chunk(kind, payload) == chunk(kind, memoryview(payload)) == whole


@pytest.mark.parametrize("image", [scene(), scene_with_alpha(), grey(), deep()], ids=["rgb", "alpha", "grey", "deep"])
@pytest.mark.parametrize("interlace", [False, True])
def test_packed_it_is_the_same_picture_with_the_same_chunks(image: Image, interlace: bool) -> None:
    image = image.copy()
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile())
    stored = image.pngsave_buffer(compression=0, filter="avg", interlace=interlace)
    small = compress_pixels(stored)
    assert len(small) < len(stored)
    kinds = [kind for kind, _ in read_chunks(small)]
    assert kinds == list(dict.fromkeys(kind for kind, _ in read_chunks(stored)))
    shown = pyvips.Image.new_from_buffer(small, "", fail_on="warning")
    assert shown.write_to_memory() == image.write_to_memory()
    assert shown.get_fields() == pyvips.Image.new_from_buffer(stored, "").get_fields()


def test_only_a_sound_file_has_chunks() -> None:
    whole = scene(20, 10).pngsave_buffer()
    assert b"".join([SIGNATURE, *(part for _, part in read_chunks(whole))]) == whole
    kinds = [kind for kind, _ in read_chunks(whole)]
    assert (kinds[0], kinds[-1]) == (b"IHDR", b"IEND")
    assert read_chunks(whole + b"what follows counts for nothing") == read_chunks(whole)
    assert read_chunks(b"") == read_chunks(SIGNATURE) == []
    for at in range(len(SIGNATURE), len(whole)):
        assert read_chunks(whole[:at]) == []
        assert read_chunks(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]) == []
