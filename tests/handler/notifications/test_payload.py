"""The JSON of a notice: its names, and what is left out of a large one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.handler.notifications.notices import notice, variant
from tests.weights import ROOT

from handler.notifications.payload import MAX_BYTES, message_of
from handler.records.record import FINAL, ProcessingError, Status
from handler.reference.interface import openapi


def test_a_notice_holds_its_record_with_names_in_camel_case() -> None:
    content = json.loads(message_of(notice()).body)
    assert content == {
        "id": notice().id,
        "type": "image.ready",
        "timestamp": "2026-11-29T12:00:00Z",
        "data": {
            "id": notice().record.id,
            "source": "photos",
            "key": "cat.jpg",
            "name": "",
            "owner": "",
            "status": "ready",
            "etag": "e1",
            "sequencer": "0A",
            "attempts": 1,
            "createdAt": "2026-11-29T12:00:00Z",
            "updatedAt": "2026-11-29T12:00:00Z",
            "facts": {"width": 4000},
            "variants": [
                {
                    "preset": "thumb",
                    "key": "thumb/photos/cat.jpg",
                    "mediaType": "image/webp",
                    "width": 40,
                    "height": 30,
                    "bytes": 123,
                    "etag": "e2",
                    "url": "",
                }
            ],
            "error": None,
        },
    }


def test_a_rejection_says_why() -> None:
    error = ProcessingError(code="UnsupportedImage", message="the file is not an image", attempts=1)
    content = json.loads(message_of(notice(status="rejected", variants=(), error=error)).body)
    assert content["type"] == "image.rejected"
    assert content["data"]["error"] == {
        "code": "UnsupportedImage",
        "message": "the file is not an image",
        "attempts": 1,
    }


def test_the_largest_facts_are_left_out_first_and_listed() -> None:
    facts = {"exif": "x" * 200_000, "width": 4000, "iptc": "y" * 100_000}
    content = json.loads(message_of(notice(facts=facts)).body)
    assert content["omitted"] == ["facts.exif"]
    assert content["data"]["facts"] == {"width": 4000, "iptc": "y" * 100_000}
    assert len(content["data"]["variants"]) == 1


def test_variants_are_left_out_once_there_are_no_facts() -> None:
    variants = tuple(variant(f"preset{number}") for number in range(3000))
    message = message_of(notice(variants=variants, facts={"exif": "x" * 1000}))
    content = json.loads(message.body)
    assert content["omitted"] == ["facts.exif", "variants"]
    kept = [each["preset"] for each in content["data"]["variants"]]
    assert kept == [f"preset{number}" for number in range(len(kept))]
    assert MAX_BYTES * 0.9 < len(message.body) <= MAX_BYTES


def schema_of(kind: str) -> dict[str, Any]:
    document = openapi()
    body = document["webhooks"][kind]["post"]["requestBody"]
    return {**body["content"]["application/json"]["schema"], "components": document["components"]}


@pytest.mark.parametrize("status", FINAL)
def test_a_notice_has_the_schema_of_the_openapi_document(status: Status) -> None:
    document = openapi()
    error = ProcessingError(code="UnsupportedImage", message="the file is not an image", attempts=1)
    for fields in ({}, {"error": error}, {"facts": {"exif": "x" * 300_000}}):
        content = json.loads(message_of(notice(status=status, **fields)).body)
        Draft202012Validator(schema_of(f"image.{status}")).validate(content)
        assert {*content["data"]} == {*document["components"]["schemas"]["Record"]["properties"]}
        variant_schema = document["components"]["schemas"]["Record"]["properties"]["variants"]["items"]
        assert {*content["data"]["variants"][0]} == {*variant_schema["properties"]}


def test_the_example_of_the_documentation_has_the_schema() -> None:
    page = (ROOT / "docs/uploads.md").read_text("utf-8")
    section = page.split("\n## Notifications\n")[1]
    example = json.loads(section.split("```json\n", 1)[1].split("```", 1)[0])
    Draft202012Validator(schema_of("image.ready")).validate(example)
    assert {*example["data"]} == {*openapi()["components"]["schemas"]["Record"]["properties"]}


@given(
    facts=st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=300), max_size=12),
    count=st.integers(0, 30),
    limit=st.integers(1200, 6000),
)
def test_no_notice_exceeds_the_limit(facts: dict[str, Any], count: int, limit: int) -> None:
    variants = tuple(variant(f"preset{number}") for number in range(count))
    whole = message_of(notice(facts=facts, variants=variants), 10**9)
    message = message_of(notice(facts=facts, variants=variants), limit)
    content = json.loads(message.body)
    assert len(message.body) <= limit
    assert ("omitted" in content) == (len(whole.body) > limit)
    left_out = {name for name in content.get("omitted", ()) if name.startswith("facts.")}
    assert {f"facts.{name}" for name in content["data"]["facts"]} | left_out == {
        f"facts.{name}" for name in notice(facts=facts).record.facts
    }
    assert not content["data"]["facts"] or "variants" not in content.get("omitted", ())
