"""What a file is, its bytes decide."""

from __future__ import annotations

import contextlib
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import pictures

from imaging import UnsupportedSource
from imaging.codecs.decode.sniff import sniff

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>'


@pytest.mark.parametrize("name", pictures.NAMES)
def test_every_kind_is_known_by_its_bytes(name: str) -> None:
    sample = pictures.sample(name)
    assert sniff(sample.body) == sample.format


@pytest.mark.parametrize(
    "drawing",
    [
        SVG,
        b"\xef\xbb\xbf" + SVG,
        b"\n\t " + SVG,
        b'<?xml version="1.0" encoding="UTF-8"?>\n' + SVG,
        b'<?xml version="1.0"?><?xml-stylesheet href="a.css"?><!-- <html> > --><!-- b -->\n' + SVG,
        b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">\n' + SVG,
        b'<!DOCTYPE svg [ <!ENTITY a "<b>"> <!ENTITY c "d"> ]  >' + SVG,
        ('<?xml version="1.0" encoding="UTF-16"?>' + SVG.decode()).encode("utf-16"),
        b'<s:svg xmlns:s="http://www.w3.org/2000/svg" width="1" height="1"/>',
        b"<svg>",
        b"<svg/>",
    ],
)
def test_a_drawing_is_known_behind_what_may_stand_before_it(drawing: bytes) -> None:
    assert sniff(drawing) == "svg"


@pytest.mark.parametrize(
    ("original", "got"),
    [
        (b"", "something else"),
        (b"hello", "something else"),
        (b"<!DOCTYPE html><html><svg></svg></html>", "something else"),
        (b"<svgfoo/>", "something else"),
        (b"<!-- never closed " + SVG, "something else"),
        (b" " * 70_000 + SVG, "something else"),
        (b"BMW is no bitmap but a car that is long enough", "something else"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "something else"),
        (gzip.compress(b"text", mtime=0), "a gzip file that is not an SVG"),
        (b"\xff\x0a\0\0", "a JPEG XL picture"),
        (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41", "a video or a kind of HEIF that is not read"),
        (b"PK\x03\x04", "a ZIP archive"),
    ],
)
def test_what_is_no_picture_is_told(original: bytes, got: str) -> None:
    with pytest.raises(UnsupportedSource) as refusal:
        sniff(original)
    assert refusal.value.message.endswith(f"got {got}")
    assert "jpeg" in refusal.value.message


def test_a_brand_among_the_compatible_ones_counts() -> None:
    assert sniff(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf") == "avif"
    assert sniff(b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf") == "heif"


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"<", b"<!", b"<?", b"\xfe\xff", b"\0\0\0\x18ftyp", b"BM", b"\0\0\1\0"]),
)
def test_no_bytes_confuse_it(rest: bytes, start: bytes) -> None:
    with contextlib.suppress(UnsupportedSource):
        assert sniff(start + rest)
