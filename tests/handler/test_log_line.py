"""The log line of a request or an upload: by what it can be searched, and what it must not hold."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import pictures
from tests.client import Client
from tests.handler.uploads.test_service import Service
from tests.mutants import ORIGIN, SECRET, signed_path, signed_query, through_the_edge, wrapped
from tests.stand_ins.moto import Moto
from tests.template.stack import template

from handler.observability.logs import SERVICE, logger


@pytest.fixture
def client(tmp_path: Path) -> Client:
    (tmp_path / "a b.jpg").write_bytes(pictures.jpeg())
    for name, text in (("signature", SECRET), ("origin", ORIGIN)):
        (tmp_path / name).write_text(text)
    return Client(
        {
            "SOURCE_BUCKETS": f"photos=file://{tmp_path}",
            "ENABLE_SIGNATURE": "Yes",
            "SIGNATURE_SECRET_FILE": str(tmp_path / "signature"),
            "ORIGIN_SECRET_FILE": str(tmp_path / "origin"),
        }
    )


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return lines


@pytest.fixture
def originals() -> Iterator[list[dict[str, Any]]]:
    """The fields of the lines about originals, from a handler of the test's own: the service's has another output."""
    found: list[dict[str, Any]] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage() == "original":
                found.append(record.__dict__)

    collect = Collect()
    logger()  # sets the level
    logging.getLogger(SERVICE).addHandler(collect)
    yield found
    logging.getLogger(SERVICE).removeHandler(collect)


def test_a_request_can_be_searched_by_all_that_it_was(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    event = wrapped(signed_query("/a b.jpg", {"width": "20", "blur": "2", "format": "webp", "bucket": "photos"}))
    assert event is not None
    client.invoke(event)
    (line,) = logged(capsys)
    found = {
        name: line[name]
        for name in ("path", "query", "source", "key", "features", "format", "dialect", "result", "status")
    }
    assert found == {
        "path": "/a%20b.jpg",
        "query": "blur=2&bucket=photos&format=webp&width=20&signature=…",
        "source": "photos",
        "key": "a b.jpg",
        "features": "resize+blur",
        "format": "webp",
        "dialect": "query",
        "result": "RenderedResult",
        "status": 200,
    }


def test_a_request_that_is_refused_keeps_its_address(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    for url in (
        signed_query("/none.jpg", {"width": "20"}),
        signed_path("20x20/a%20b.jpg"),
        "/a.jpg?width=3&signature=00",
    ):
        event = wrapped(url)
        assert event is not None
        client.invoke(event)
    missing, thumbor, refused = logged(capsys)
    assert (missing["status"], missing["key"], missing["code"]) == (404, "none.jpg", "NoSuchKey")
    assert (thumbor["dialect"], thumbor["path"], thumbor["key"]) == ("thumbor", "/…/20x20/a%20b.jpg", "a b.jpg")
    assert (refused["path"], refused["query"], refused["code"]) == (
        "/a.jpg",
        "width=3&signature=…",
        "SignatureDoesNotMatch",
    )


def test_a_path_with_a_verified_signature_is_logged_as_the_viewer_wrote_it(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    signature = signed_query("/a b.jpg", {}).rpartition("=")[2]
    for prefix in ("/_s/", "/_x/"):
        event = through_the_edge(f"{prefix}L2ElMjBiLmpwZw", "")
        assert event is not None
        event["headers"] |= {"x-signature": signature}
        client.invoke(event)
    lines = logged(capsys)
    assert [line["path"] for line in lines] == ["/a%20b.jpg"] * 2
    assert signature not in str(lines)


def test_an_upload_can_be_searched_by_its_key(tmp_path: Path, moto: Moto, originals: list[dict[str, Any]]) -> None:
    service = Service(moto, tmp_path)
    service.put(pictures.jpeg(), "in/a b.jpg")
    service.put(b"no image", "in/c.jpg")
    service.delete("in/a b.jpg")
    assert [(line["source"], line["key"], line["outcome"]) for line in originals] == [
        ("photos", "in/a b.jpg", "ready"),
        ("photos", "in/c.jpg", "rejected"),
        ("photos", "in/a b.jpg", "deleted"),
    ]
    assert originals[0]["variants"] == "thumb/photos/in/a b.jpg"


def test_a_variant_may_be_cached_though_its_original_says_nothing(tmp_path: Path, moto: Moto) -> None:
    service = Service(moto, tmp_path, {"BROWSER_MAX_AGE": "600", "CDN_MAX_AGE": "7200"})
    service.put(pictures.jpeg())
    (stored,) = moto.s3.list_objects_v2(Bucket=service.output)["Contents"]
    head = moto.s3.head_object(Bucket=service.output, Key=stored["Key"])
    assert head["CacheControl"] == "public, max-age=600, s-maxage=7200"
    moto.s3.put_object(Bucket=service.originals, Key="own.jpg", Body=pictures.jpeg(), CacheControl="max-age=9")
    service.client.invoke(service.event("Object Created", "own.jpg"))
    own = moto.s3.list_objects_v2(Bucket=service.output, Prefix="thumb/photos/own")["Contents"][0]["Key"]
    assert moto.s3.head_object(Bucket=service.output, Key=own)["CacheControl"] == "max-age=9"


def test_every_field_of_the_saved_queries_is_logged(
    client: Client, tmp_path: Path, moto: Moto, capsys: pytest.CaptureFixture[str], originals: list[dict[str, Any]]
) -> None:
    event = wrapped(signed_query("/a b.jpg", {"width": "20"}))
    assert event is not None
    client.invoke(event)
    client.invoke({**event, "rawQueryString": "signature=1"})
    Service(moto, tmp_path).put(pictures.jpeg())
    known = {name for line in [*logged(capsys), *originals] for name in line} | {"@timestamp"}
    queries = [
        made["Properties"]["QueryString"]
        for made in template()["Resources"].values()
        if made["Type"] == "AWS::Logs::QueryDefinition"
    ]
    assert len(queries) == 4
    for query in queries:
        listed = query.splitlines()[0].removeprefix("fields ").split(", ")
        assert {name for name in listed if not name.startswith(("coalesce", "'none'"))} <= known, query
