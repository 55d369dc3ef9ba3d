"""The pages for people: nothing of a key or a document becomes markup, and OpenAPI's words become sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from features import ObjectRef
from handler import pages
from handler.errors import Forbidden
from handler.ports import ObjectInfo, StoredObject


class Listed:
    """A source that holds objects of these names, or cannot be listed."""

    def __init__(self, *keys: str, fault: Forbidden | None = None) -> None:
        self._keys, self._fault = keys, fault

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        if self._fault:
            raise self._fault
        for key in self._keys:
            yield ObjectInfo(ObjectRef("images", key), 1, "etag", datetime.now(UTC))

    def resolve(self, ref: ObjectRef) -> ObjectRef:
        raise NotImplementedError

    def get(self, ref: ObjectRef) -> StoredObject:
        raise NotImplementedError

    def head(self, ref: ObjectRef) -> ObjectInfo:
        raise NotImplementedError


def test_a_key_does_not_become_markup() -> None:
    text = pages.start(Listed('a"><script>&.jpg')).body.decode()
    assert "<script" not in text
    assert "/a%22%3E%3Cscript%3E%26.jpg?width=320" in text


def test_examples_take_a_photograph_and_a_logo() -> None:
    text = pages.start(Listed("a.png", "notes.txt", "b.JPG", "deep/logo.png")).body.decode()
    assert 'src="/b.JPG?width=320"' in text
    assert "/b.JPG?width=320&amp;watermark.key=deep/logo.png" in text
    assert "notes.txt" not in text


def test_a_source_that_cannot_be_listed_is_told() -> None:
    assert b"cannot be listed: not &lt;you&gt;" in pages.start(Listed(fault=Forbidden("not <you>"))).body


ABOVE_1 = {"type": ["number", "string", "null"], "exclusiveMinimum": 1.0}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "A <b> service", "description": "What it does & more"},
    "paths": {
        "/{key}": {
            "summary": "not a method",
            "get": {
                "summary": "A picture",
                "parameters": [
                    {"$ref": "#/components/parameters/width"},
                    {"name": "fit", "in": "query", "schema": {"enum": ["cover", "inside"], "default": "cover"}},
                    {"name": "dpr", "in": "query", "schema": {"anyOf": [ABOVE_1, {"type": "null"}]}},
                ],
                "responses": {"200": {"description": "The picture"}},
            },
        }
    },
    "components": {
        "parameters": {
            "width": {
                "name": "width", "in": "query", "description": "Pixels <across>, as `px`",
                "schema": {"type": "integer", "minimum": 0, "maximum": 9},
            }
        }
    },
}  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        "A &lt;b&gt; service",
        "What it does &amp; more",
        "<code>GET /{key}</code>",
        "<code>width</code></td><td>integer, from 0 to 9</td><td>Pixels &lt;across&gt;, as <code>px</code></td>",
        "<code>fit</code></td><td>one of cover | inside, default cover</td>",
        "<code>dpr</code></td><td>number or string, above 1</td>",
        "<td>200</td><td>The picture</td>",
    ],
)
def test_the_reference_says_what_the_document_says(words: str) -> None:
    assert words in pages.reference(DOCUMENT).body.decode()


def test_a_page_loads_nothing_from_elsewhere() -> None:
    answer = pages.reference(DOCUMENT)
    assert re.findall(r'(?:href|src)="([^"]+)"', answer.body.decode()) == [
        pages.STYLE, pages.ICON, "/_demo/", "/_api/docs", "/_api/openapi.json", "#parameters",
    ]  # fmt: skip
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; img-src 'self'; style-src 'self'")
