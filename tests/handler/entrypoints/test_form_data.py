"""Forms with a file, read while they arrive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.forms import BOUNDARY, encode_form, form_around

from handler.core.errors import BadRequest, PayloadTooLarge
from handler.entrypoints.uploads.form_data import FormReader

FORM = f"multipart/form-data; boundary={BOUNDARY}"
NAMES = st.text(st.characters(codec="ascii", exclude_characters='"\\\r\n;%', exclude_categories=["C"]), min_size=1)
# Bytes that are nearly a boundary are the hard ones.
PIECES = st.sampled_from([b"\r\n", b"--", f"\r\n--{BOUNDARY}".encode()[:-1], BOUNDARY.encode(), b"\0", b"x" * 5000])
FILES = st.lists(st.one_of(PIECES, st.binary(max_size=20)), max_size=8).map(b"".join)


def _cut(body: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield body[at : at + size]
        at += size
    yield body[at:]


def _read(body: bytes, content_type: str = FORM) -> tuple[dict[str, str], bytes]:
    form = FormReader(content_type, [body], "file")
    return form.read_fields(), b"".join(form.read_file())


@given(
    st.dictionaries(NAMES.filter(lambda name: name.strip() == name != "file"), st.text(max_size=50), max_size=5),
    FILES,
    st.lists(st.integers(0, 300), max_size=20),
)  # fmt: skip
def test_fields_and_file_come_back_whatever_the_blocks(fields: dict[str, str], file: bytes, sizes: list[int]) -> None:
    if f"\r\n--{BOUNDARY}".encode() in b"\r\n".join((b"", file)):
        return  # no client chooses a boundary that is in its file
    body, content_type = encode_form(fields, file)
    form = FormReader(content_type, _cut(body, sizes), "file")
    assert form.read_fields() == fields
    assert b"".join(form.read_file()) == file


def test_the_file_is_never_held_as_a_whole() -> None:
    head, tail = form_around({"key": "a.png"})
    form = FormReader(FORM, iter((head, *[bytes(65_536)] * 100, tail)), "file")
    form.read_fields()
    largest = max(len(block) for block in form.read_file())
    assert largest <= 2 * 65_536


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "image/png",
        "multipart/form-data",
        "multipart/mixed; boundary=x",
        f"multipart/form-data; boundary={'b' * 71}",
    ],
)
def test_other_media_types_are_refused(content_type: str) -> None:
    with pytest.raises(BadRequest):
        FormReader(content_type, [b""], "file")


BODY, _ = encode_form({"key": "a.png"}, b"the bytes")
SECOND = b'Content-Disposition: form-data; name="more"\r\n\r\nx\r\n--' + BOUNDARY.encode() + b"--\r\n"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        BODY[:-10],
        BODY[:200],
        BODY.replace(b'name="file"', b'name="picture"'),
        BODY.replace(b"Content-Disposition", b"Content-Whatever"),
        BODY.replace(b'name="key"', b'nothing="key"'),
        BODY.replace(b"a.png", b"\xff\xfe"),
        encode_form({str(number): "" for number in range(60)}, b"")[0],
        BODY[:-4] + b"\r\n" + SECOND,
        BODY + b"x" * 2000,
    ],
)
def test_invalid_forms_are_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        _read(body)


def test_a_repeated_field_is_refused() -> None:
    with pytest.raises(BadRequest):
        _read(
            form_around({"key": "a"})[0].partition(
                b'--%b\r\nContent-Disposition: form-data; name="file"' % BOUNDARY.encode()
            )[0]
            + BODY
        )


@pytest.mark.parametrize("body", [b"x" * 20_000, encode_form({"key": "x" * 70_000}, b"")[0]])
def test_long_fields_are_refused(body: bytes) -> None:
    with pytest.raises(PayloadTooLarge):
        _read(body)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(BadRequest, PayloadTooLarge):
        _read(f"--{BOUNDARY}\r\n".encode() + body)
