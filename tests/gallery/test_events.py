"""The gallery's API in a function: events of API Gateway, pictures in S3, records in DynamoDB."""

from __future__ import annotations

import base64
import hashlib
import http.client
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests import pictures
from tests.client import Client, size
from tests.forms import encode_form
from tests.gallery.visiting import SECRET, Browser, Reply, Shape, http_api_event, over_events, rest_api_event
from tests.stand_ins.moto import REGION, Moto

PNG = pictures.png(pictures.scene(60, 40))


class Stack:
    """A function that answers visitors, and one that processes what arrives in the bucket."""

    def __init__(self, moto: Moto, folder: Path) -> None:
        (folder / "secret").write_text(SECRET)
        self.moto, self.bucket = moto, moto.bucket()
        environment = {
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": moto.url,
            "AWS_ACCESS_KEY_ID": "AKID",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "SOURCE_BUCKETS": f"gallery=s3://{self.bucket}",
            "GALLERY_SOURCE": "gallery",
            "RECORDS": f"dynamodb://{moto.table()}",
            "SIGNATURE_SECRET_FILE": str(folder / "secret"),
            "UPLOAD_PREFIX": "incoming/",
        }
        self.http = Client({**environment, "AWS_LAMBDA_FUNCTION_NAME": "images"})
        self.uploads = Client({**environment, "AWS_LAMBDA_FUNCTION_NAME": "uploads"})
        self._sequencer = 0x55AED6DCD90281E5

    def report(self, key: str, kind: str = "Object Created") -> None:
        """Send the event of a new or deleted object, as EventBridge does."""
        self._sequencer += 1
        detail = {"bucket": {"name": self.bucket}, "object": {"key": key, "sequencer": f"{self._sequencer:018X}"}}
        self.uploads.invoke({"detail-type": kind, "source": "aws.s3", "detail": detail})

    def list_keys(self) -> list[str]:
        return [each["Key"] for each in self.moto.s3.list_objects_v2(Bucket=self.bucket).get("Contents", ())]

    def close(self) -> None:
        for client in (self.http, self.uploads):
            assert client.application.records is not None
            client.application.records().close()


@pytest.fixture
def stack(moto: Moto, tmp_path: Path) -> Iterator[Stack]:
    with closing(Stack(moto, tmp_path)) as built:
        yield built


@pytest.fixture(params=[http_api_event, rest_api_event])
def browser(stack: Stack, request: pytest.FixtureRequest) -> Browser:
    shape: Shape = request.param
    return Browser(over_events(stack.http, shape))


def post_form(url: str, fields: dict[str, str], file: bytes) -> int:
    """Send a form to the store, and return the status."""
    body, kind = encode_form(fields, file)
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port or 80, timeout=60)
    with closing(connection):
        connection.request("POST", address.path or "/", body, {"Content-Type": kind})
        return connection.getresponse().status


def test_the_cookie_of_a_function_is_bound_to_host_and_https(browser: Browser) -> None:
    session = browser.ask("GET", "/session")
    name, _, attributes = session.headers["set-cookie"].partition("=")
    assert name == "__Host-gallery"
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(attributes.split("; "))
    assert browser.ask("GET", "/session").json()["visitor"] == session.json()["visitor"]
    assert session.json()["uploads"] == "store"


def test_a_form_that_leads_to_the_store(stack: Stack, browser: Browser) -> None:
    sha256 = hashlib.sha256(PNG).hexdigest()
    granted = browser.post("/pictures", name="Garden.png", bytes=len(PNG), type="image/png", sha256=sha256)
    assert (granted.status, granted.json()["status"]) == (201, "uploading")
    upload = granted.json()["upload"]
    assert urlsplit(upload["url"]).netloc == urlsplit(stack.moto.url).netloc
    assert post_form(upload["url"], upload["fields"], PNG) == 201
    [key] = stack.list_keys()
    stack.report(key)
    [picture] = browser.pictures()
    assert (picture["status"], picture["name"], picture["width"]) == ("ready", "Garden.png", 60)
    assert (picture["id"], picture["sha256"]) == (granted.json()["id"], sha256)
    assert size(browser.fetch(picture["original"]["thumbnail"]).body) == (60, 40)
    again = browser.post("/pictures", name="Other.png", bytes=len(PNG), type="image/png", sha256=sha256)
    assert (again.status, again.code, again.json()["picture"]["id"]) == (409, "duplicate", picture["id"])


def uploads(browser: Browser) -> list[Reply]:
    """Upload in the two ways whose bytes are in the event."""
    encoded = base64.b64encode(pictures.jpeg(pictures.scene(50, 40))).decode()
    return [browser.upload(PNG, "Form.png"), browser.post("/pictures", name="JSON.jpg", image=encoded)]


def test_bytes_in_an_event_are_stored_and_processed(stack: Stack, browser: Browser) -> None:
    for reply in uploads(browser):
        assert (reply.status, reply.json()["status"]) == (201, "uploading"), reply.body
    for key in stack.list_keys():
        stack.report(key)
    found = browser.pictures()
    assert {(each["name"], each["status"], each["type"]) for each in found} == {
        ("Form.png", "ready", "image/png"),
        ("JSON.jpg", "ready", "image/jpeg"),
    }
    stranger = Browser(browser.send)
    assert stranger.pictures() == []


def test_a_picture_is_renamed_edited_and_deleted(stack: Stack, browser: Browser) -> None:
    identifier = browser.upload(PNG).json()["id"]
    [key] = stack.list_keys()
    assert browser.post(f"/pictures/{identifier}", "PATCH", name="While it is processed").status == 200
    stack.report(key)
    assert browser.post(f"/pictures/{identifier}/results", recipe="smaller").status == 201
    [picture] = browser.pictures()
    assert (picture["name"], picture["results"][0]["recipe"]) == ("While it is processed", "smaller")
    assert browser.fetch(picture["results"][0]["url"]).headers["content-type"] == "image/webp"
    assert browser.ask("DELETE", f"/pictures/{identifier}").status == 204
    assert (browser.pictures(), stack.list_keys()) == ([], [])
    stack.report(key, "Object Deleted")
    record = record_of(stack, identifier)
    assert (record.status, record.owner, record.name, record.applied) == ("deleted", "", "", ())
    assert browser.fetch(picture["original"]["url"]).status == 404


def record_of(stack: Stack, identifier: str) -> Any:
    assert stack.http.application.records is not None
    return stack.http.application.records().get(identifier)
