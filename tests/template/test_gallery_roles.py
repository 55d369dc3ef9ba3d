"""The gallery in the functions as the template makes them: what visitors do needs no more than the roles allow."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from tests import pictures
from tests.client import Client, size
from tests.gallery.visiting import Browser, over_events
from tests.stand_ins.moto import Moto
from tests.template.account import Account, account
from tests.template.conftest import create_secrets
from tests.template.samples import GALLERY, LEAST, UPLOADS

pytestmark = pytest.mark.slow

PNG = pictures.png(pictures.scene(60, 40))
SECRET = "from-the-cdn"
ORIGIN = {"x-origin-secret": SECRET}
WITH_PASSWORD = {**LEAST, **GALLERY, "GalleryPasswordSecret": "password", "DeployDemoUI": "No"}
BESIDE_UPLOADS = {
    **LEAST,
    **GALLERY,
    **UPLOADS,
    "UploadPrefix": "incoming/",
    "UploadPresets": "thumb",
    "Presets": '{"thumb": "width=30"}',
}


@pytest.fixture
def moto(fresh_account: Moto) -> Moto:
    made = {"OriginSecret": SECRET, "OperatorToken": "t", "password": "open sesame"}
    create_secrets(fresh_account, {**made, "SignatureSecret": '{"SECRET_KEY": "a key of the stack"}'})
    return fresh_account


def visitor(client: Client) -> Browser:
    """Return a browser behind the CDN, which adds its secret."""
    browser = Browser(over_events(client))
    browser.headers |= ORIGIN
    return browser


def report(stack: Account, moto: Moto, kind: str = "Object Created", *keys: str) -> None:
    """Let the queue tell the upload function what has changed in the bucket."""
    listed = [each["Key"] for each in moto.s3.list_objects_v2(Bucket="gallerybucket").get("Contents", ())]
    records = []
    for number, key in enumerate(keys or listed):
        sequencer = f"{0x55AED6DCD90281E5 + number + (1 << 20) * (kind != 'Object Created'):018X}"
        detail = {"bucket": {"name": "gallerybucket"}, "object": {"key": key, "size": 1, "sequencer": sequencer}}
        body = {"version": "0", "detail-type": kind, "source": "aws.s3", "detail": detail}
        records.append({"messageId": key, "eventSource": "aws:sqs", "body": json.dumps(body)})
    assert stack.client("UploadFunction").invoke({"Records": records}) == {"batchItemFailures": []}


def keep(stack: Account, moto: Moto, browser: Browser) -> dict[str, Any]:
    """Upload a picture, and return it when it is processed."""
    stored = browser.post("/pictures", name="Cat.png", image=base64.b64encode(PNG).decode())
    assert stored.status == 201, stored.body
    report(stack, moto)
    (picture,) = browser.pictures()
    assert picture["status"] == "ready", picture
    return dict(picture)


@pytest.mark.parametrize("parameters", [{**LEAST, **GALLERY}, BESIDE_UPLOADS])
def test_what_a_visitor_does_is_allowed(moto: Moto, parameters: dict[str, str]) -> None:
    with account(moto, parameters) as stack:
        client = stack.client()
        browser = visitor(client)
        session = browser.ask("GET", "/session").json()
        assert (session["uploads"], session["passwordNeeded"]) == ("store", False)
        picture = keep(stack, moto, browser)
        path = f"/pictures/{picture['id']}"
        assert browser.post(path, "PATCH", name="Dog.png").status == 200
        granted = browser.post("/pictures", name="Garden.png", bytes=len(PNG), type="image/png").json()
        assert "gallerybucket" in granted["upload"]["url"]
        result = browser.post(f"{path}/results", recipe="smaller").json()
        for url in (result["url"], result["thumbnail"], picture["original"]["thumbnail"]):
            assert client.get(url, x_origin_secret=SECRET).status == 200
        assert browser.post(f"{path}/share", seconds=600).status == 200
        assert browser.post("/devices").status == 201
        assert visitor(client).ask("GET", path).status == 404
        keys = [each["Key"] for each in moto.s3.list_objects_v2(Bucket="gallerybucket")["Contents"]]
        assert browser.ask("DELETE", "/pictures").status == 204
        report(stack, moto, "Object Deleted", *keys)
        assert "Contents" not in moto.s3.list_objects_v2(Bucket="gallerybucket")
        assert "Contents" not in moto.s3.list_objects_v2(Bucket="variations"), "no presets of uploads"
    assert stack.denied == []
    assert {"ReadGallery", "WriteGallery", "KeepRecords", "ReadSecrets"} <= stack.used["FunctionRole"]
    assert {"ReadGallery", "KeepRecords"} <= stack.used["UploadRole"]


def test_the_password_is_read_from_its_secret(moto: Moto) -> None:
    with account(moto, WITH_PASSWORD) as stack:
        browser = visitor(stack.client())
        assert browser.ask("GET", "/session").json()["passwordNeeded"]
        assert browser.ask("GET", "/pictures").status in (401, 403)
        assert browser.post("/session", password="a guess").status == 403
        assert browser.post("/session", password="open sesame").status == 200
        assert keep(stack, moto, browser)["name"] == "Cat.png"
    assert stack.denied == []


def test_no_function_gives_a_picture_away_without_a_signature(moto: Moto) -> None:
    with account(moto, {**LEAST, **GALLERY}) as stack:
        browser = visitor(stack.client())
        picture = keep(stack, moto, browser)
        (key,) = (each["Key"] for each in moto.s3.list_objects_v2(Bucket="gallerybucket")["Contents"])
        for function in ("Function", "HeavyWorker", "UploadFunction"):
            client = stack.client(function)
            for address in (f"/{key}?bucket=gallery&width=9", f"/{quote(key)}?bucket=gallery&info=true"):
                assert client.get(address, x_origin_secret=SECRET).status == 403, (function, address)
        heavy = stack.client("HeavyWorker").get(picture["original"]["thumbnail"], x_origin_secret=SECRET)
        assert size(heavy.body) == (60, 40)
    assert stack.denied == []


def test_the_address_of_a_visitor_is_what_the_cdn_says(moto: Moto) -> None:
    """So the limits of one address do not count all visitors of an edge location together."""
    extra = '{"GALLERY_UPLOADS_PER_HOUR": 1}'
    with account(moto, {**LEAST, **GALLERY, "ExtraSettings": extra}) as stack:
        client = stack.client()

        def upload(address: str) -> int:
            browser = visitor(client)
            browser.headers["CloudFront-Viewer-Address"] = address
            browser.ask("GET", "/session")
            return browser.post("/pictures", name="Cat.png", image=base64.b64encode(PNG).decode()).status

        assert [upload("198.51.100.1:443"), upload("198.51.100.1:444"), upload("198.51.100.2:443")] == [201, 429, 201]
    assert stack.denied == []
