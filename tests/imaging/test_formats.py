"""The records of the formats: complete, free of dead references, and the only place that names a format."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests import pictures

from imaging.formats import FORMATS, INDEX, NEGOTIATED, format_by_name
from imaging.formats.format import Format, Lazy
from imaging.params.output import Output
from imaging.params.validation import fields

SRC = Path(__file__).parents[2] / "src"
NAMES = {name for each in INDEX for name in (each.name, *each.aliases)}
EXCEPTIONS = {
    "handler/gallery/built_in.py": "the formats that the gallery's own recipes ask for",
    "handler/gallery/devices.py": "what segno calls the kind of a drawing",
    "handler/requests/dialects/imagor/output.py": "imagor's names of formats and its rules for them",
    "handler/requests/dialects/imgproxy/configuration.py": "imgproxy's preferred formats, and qualities by format",
    "handler/requests/dialects/imgproxy/output.py": "imgproxy's rules for SVG, HEIC, JPEG and WebP",
    "handler/requests/dialects/imgproxy/saving.py": "imgproxy's names of formats",
    "handler/requests/dialects/json_edits/formats.py": "sharp's own names for formats, which AWS's edits use",
    "handler/requests/dialects/thumbor/aws.py": "the formats of AWS's filters, and extensions of keys",
    "handler/requests/dialects/thumbor/filters.py": "the formats of Thumbor's filter `format`",
}
"""Files of src that may name a format, and why."""
SELF_CONTAINED: frozenset[str] = frozenset()
"""Formats whose records name no function of another module by `Lazy`."""


def _named_formats(path: Path) -> Iterator[str]:
    """Yield each string literal of a file that is the name of a format."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in NAMES:
            yield f"{path.relative_to(SRC).as_posix()}:{node.lineno} {node.value}"


def test_only_the_records_name_a_format() -> None:
    others = [path for path in SRC.rglob("*.py") if not path.is_relative_to(SRC / "imaging" / "formats")]
    found = [named for path in others for named in _named_formats(path)]
    assert len(others) > 100
    assert [each for each in found if each.partition(":")[0] not in EXCEPTIONS] == []


def test_every_exception_is_needed() -> None:
    assert [name for name in EXCEPTIONS if not any(_named_formats(SRC / name))] == []


def test_the_records_are_seen_by_the_scan() -> None:
    assert any(_named_formats(SRC / "imaging" / "formats" / "jpeg.py"))


def test_no_name_or_media_type_is_used_twice() -> None:
    names = [name for each in INDEX for name in (each.name, *(each.aliases if each.name != "avif" else ()))]
    assert len(names) == len(set(names))
    assert len({each.media_type for each in INDEX}) == len(FORMATS)
    extensions = [extension for each in FORMATS for extension in each.extensions]
    assert len(extensions) == len(set(extensions))


def test_the_index_agrees_with_the_records() -> None:
    for entry, record in zip(INDEX, FORMATS, strict=True):
        assert entry.name == record.name
        assert entry.writable == (record.encoder is not None), entry.name
        assert record.encoder or not (entry.is_slow or entry.max_pixels or entry.negotiation), entry.name
        assert not record.shown or entry.negotiation is None, entry.name


def _references(record: Any, seen: set[int]) -> Iterator[Lazy[Any]]:
    """Yield the lazy references of a record, of its parts, and of the functions that it holds."""
    if id(record) in seen:
        return
    seen.add(id(record))
    if isinstance(record, Lazy):
        yield record
    elif isinstance(record, msgspec.Struct):
        for name in record.__struct_fields__:
            yield from _references(getattr(record, name), seen)
    elif callable(record) and getattr(record, "__module__", "").startswith("imaging.formats."):
        for name in record.__code__.co_names:
            yield from _references(record.__globals__.get(name), seen)


@pytest.mark.parametrize("record", FORMATS, ids=lambda record: record.name)
def test_every_reference_leads_to_a_function(record: Format) -> None:
    references = list(_references(record, set()))
    assert references or record.name in SELF_CONTAINED
    for reference in references:
        assert callable(reference.resolve()), (reference.module, reference.name)


def test_a_format_that_cannot_be_written_is_converted_to_one_that_can() -> None:
    for each in FORMATS:
        assert format_by_name(each.converted_to or each.name).encoder is not None, each.name
        assert not each.opaque_as or format_by_name(each.opaque_as).encoder is not None


def test_negotiation_tries_avif_before_webp() -> None:
    assert list(NEGOTIATED) == ["avif", "webp"]


def test_requests_may_name_every_format_that_is_written() -> None:
    choices = fields(Output)["format"].choices
    assert choices == ("auto", "best", "original", "jpeg", "png", "webp", "avif", "gif", "apng", "tiff", "bmp")
    assert dict(fields(Output)["format"].synonyms) == {"jpg": "jpeg", "tif": "tiff", "heif": "avif", "heic": "avif"}


@pytest.mark.parametrize("name", pictures.NAMES)
def test_one_record_alone_recognises_a_file(name: str) -> None:
    """Except for a HEIF container, which may list the brands of both codecs."""
    sample = pictures.sample(name)
    found = {each.name for each in FORMATS if each.is_signed(sample.body)}
    assert sample.format in found
    assert found <= {sample.format} | ({"avif", "heif"} if sample.format in ("avif", "heif") else set())
