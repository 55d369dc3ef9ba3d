"""The operator API under `/_api/`, through the real entry point."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests import pictures
from tests.client import Answered, Client
from tests.stand_ins.moto import Moto
from tests.stand_ins.rclone import KEYS, rclone_server
from tests.stand_ins.scripted_http import Reply, scripted_server

TOKEN = "op-token"
KNOWN = f"Bearer {TOKEN}"
FILES = ("a.jpg", "b.jpg", "deep/c.jpg", "deep/down/d.jpg", "deeper/e é.jpg", "z.jpg")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pictures.jpeg())
    return tmp_path / "pictures"


@pytest.fixture
def environment(folder: Path, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "key").write_text("signing-key")
    return {"SOURCE_BUCKETS": f"pictures=file://{folder}", "OPERATOR_TOKEN_FILE": str(tmp_path / "token")}


@pytest.fixture
def client(environment: dict[str, str]) -> Client:
    return Client(environment)


def signing(environment: Mapping[str, str], tmp_path: Path) -> Client:
    return Client({**environment, "ENABLE_SIGNATURE": "Yes", "SIGNATURE_SECRET_FILE": str(tmp_path / "key")})


def posted(client: Client, said: object) -> Answered:
    return client.post("/_api/sign", json.dumps(said).encode(), authorization=KNOWN)


@pytest.mark.parametrize("page", ["sign?url=/a.jpg", "images"])
def test_only_the_operator_gets_in(environment: dict[str, str], client: Client, page: str) -> None:
    assert client.get(f"/_api/{page}").status == 401
    refused = client.get(f"/_api/{page}", authorization="Bearer wrong")
    assert (refused.status, refused.json()["code"]) == (401, "Unauthorized")
    assert client.get(f"/_api/{page}", authorization=KNOWN).status == 200
    del environment["OPERATOR_TOKEN_FILE"]
    assert Client(environment).get(f"/_api/{page}", authorization=KNOWN).status == 404
    assert Client(environment, operator_open=True).get(f"/_api/{page}").status == 200


def test_a_signed_address_is_served(environment: dict[str, str], tmp_path: Path) -> None:
    client = signing(environment, tmp_path)
    assert client.get("/a.jpg?width=20").status == 400
    for url in (
        posted(client, {"url": "/a.jpg?width=20"}).json()["url"],
        posted(client, {"url": "/a.jpg?width=20&utm_source=x", "expires": "1h"}).json()["url"],
        posted(client, {"url": "/a.jpg", "expires": None}).json()["url"],
        client.get("/_api/sign?expires=2w&url=" + quote("/a.jpg?width=20", safe=""), authorization=KNOWN).json()["url"],
    ):
        assert client.get(url).status == 200, url
        assert client.get(url.replace("a.jpg", "b.jpg")).status == 403
    assert "expires=2" in url


def test_without_signatures_the_address_comes_back(client: Client) -> None:
    assert posted(client, {"url": "/a.jpg?width=20"}).json() == {"url": "/a.jpg?width=20"}
    assert posted(client, {"url": "/a.jpg", "expires": "1h"}).status == 400


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({}, "`url` must be a URL to sign"),
        ({"url": 3}, "`url` must be a URL to sign"),
        ({"url": "cat.jpg"}, "begins with a slash"),
        ({"url": "/a.jpg", "expires": "soon"}, "`expires` must be a number and s, m, h, d or w"),
        ({"url": "/a.jpg", "expires": 3}, "`expires` must be a time to live"),
        ({"url": "/a.jpg", "expires": "999999999w"}, "days"),
        ({"url": "/a.jpg", "life": "1h"}, "`life` must be one of url, expires"),
        ([], "must be a JSON object"),
    ],
)
def test_what_cannot_be_signed(environment: dict[str, str], tmp_path: Path, said: object, named: str) -> None:
    answer = posted(signing(environment, tmp_path), said)
    assert (answer.status, answer.json()["code"]) == (400, "BadRequest")
    assert named in answer.json()["message"]


def test_methods(client: Client) -> None:
    for method, page, allowed in (
        ("DELETE", "sign", "GET, POST"),
        ("POST", "images", "GET"),
        ("GET", "transform", "POST"),
    ):
        answer = client.get(f"/_api/{page}", method=method, authorization=KNOWN)
        assert (answer.status, answer.headers["Allow"]) == (405, allowed)


def listed(client: Client, query: str = "") -> Any:
    answer = client.get(f"/_api/images{query}", authorization=KNOWN)
    assert answer.status == 200, answer.body
    return answer.json()


def keys(said: Any) -> list[str]:
    return [image["key"] for image in said["images"]]


def walk(client: Client, limit: int) -> list[str]:
    """Every key under every prefix, page by page."""
    found, open_prefixes = [], [""]
    while open_prefixes:
        prefix, cursor = open_prefixes.pop(), ""
        while cursor is not None:
            said = listed(
                client, f"?prefix={quote(prefix)}&limit={limit}" + (f"&cursor={quote(cursor)}" if cursor else "")
            )
            assert len(said["images"]) + len(said["prefixes"]) <= limit
            found += keys(said)
            open_prefixes += said["prefixes"]
            cursor = said["cursor"]
    return sorted(found)


def test_a_folder_is_listed(client: Client) -> None:
    said = listed(client)
    assert (said["buckets"], said["bucket"], said["prefix"], said["cursor"]) == (["pictures"], "pictures", "", None)
    assert (keys(said), said["prefixes"]) == (["a.jpg", "b.jpg", "z.jpg"], ["deep/", "deeper/"])
    assert said["images"][0]["bytes"] == len(pictures.jpeg())
    assert said["images"][0]["lastModified"].endswith("Z")
    assert listed(client, "?prefix=deep")["prefixes"] == ["deep/", "deeper/"]
    assert keys(listed(client, "?bucket=pictures&prefix=deep/c")) == ["deep/c.jpg"]
    for nowhere in ("../", "..", "nothing/", "/etc/", "deep//", "a/../b", "%00"):
        assert (keys(said := listed(client, f"?prefix={nowhere}")), said["prefixes"]) == ([], []), nowhere


def test_a_folder_does_not_lead_out(client: Client, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "secret.jpg").write_bytes(b"secret")
    (folder / "way-out").symlink_to(tmp_path / "private")
    assert listed(client)["prefixes"] == ["deep/", "deeper/"]
    assert keys(listed(client, "?prefix=way-out/")) == []


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_page_by_page(client: Client, limit: int) -> None:
    assert walk(client, limit) == sorted(FILES)


@pytest.mark.parametrize(
    ("query", "status", "named"),
    [
        ("?bucket=secrets", 403, "is not in SOURCE_BUCKETS"),
        ("?limit=0", 400, "`limit` must be a whole number from 1 to 1000"),
        ("?limit=1001", 400, "`limit`"),
        ("?limit=many", 400, "`limit`"),
        ("?width=20", 400, "`width` must be one of bucket, prefix, limit, cursor"),
    ],
)
def test_what_is_not_listed(client: Client, query: str, status: int, named: str) -> None:
    answer = client.get(f"/_api/images{query}", authorization=KNOWN)
    assert answer.status == status
    assert named in answer.json()["message"]


def test_listing_can_be_switched_off(environment: dict[str, str]) -> None:
    assert Client({**environment, "LIST_IMAGES": "No"}).get("/_api/images", authorization=KNOWN).status == 404


@pytest.mark.parametrize("ignored", ["*", "utm_*"])
def test_names_to_ignore_are_those_of_pictures(environment: dict[str, str], ignored: str) -> None:
    client = Client({**environment, "IGNORED_PARAMETERS": ignored})
    assert listed(client, "?prefix=deep/&limit=1")["prefixes"] == ["deep/down/"] or listed(
        client, "?prefix=deep/&limit=1"
    )


def fill(put: Callable[[str, bytes], object]) -> None:
    for name in FILES:
        put(name, pictures.jpeg())


@pytest.mark.parametrize("prefix", ["", "under/here/"])
def test_a_bucket_of_s3(moto: Moto, environment: dict[str, str], prefix: str) -> None:
    bucket = moto.bucket()
    fill(lambda name, body: moto.s3.put_object(Bucket=bucket, Key=prefix + name, Body=body))
    moto.s3.put_object(Bucket=bucket, Key=prefix + "deep/", Body=b"")
    keys = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}
    source = {"SOURCE_BUCKETS": f"shop=s3://{bucket}/{prefix}", "AWS_ENDPOINT_URL": moto.url}
    client = Client({**environment, **keys, **source})
    for limit in (1, 2, 1000):
        assert walk(client, limit) == sorted(FILES)
    assert listed(client)["bucket"] == "shop"


def test_a_store_that_speaks_like_s3(tmp_path: Path, folder: Path, environment: dict[str, str]) -> None:
    with rclone_server(tmp_path) as access:
        keys = {"AWS_ACCESS_KEY_ID": KEYS.access_key_id, "AWS_SECRET_ACCESS_KEY": KEYS.secret_access_key}
        source = {"SOURCE_BUCKETS": folder.name, "AWS_ENDPOINT_URL_S3": access.endpoint_url_s3}
        client = Client({**environment, **keys, **source})
        assert walk(client, 1000) == sorted(FILES)


def test_a_cursor_that_s3_does_not_know(environment: dict[str, str]) -> None:
    body = b"<Error><Code>InvalidArgument</Code><Message>The continuation token is incorrect</Message></Error>"
    keys = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}
    with scripted_server(lambda _: Reply(400, body)) as server:
        client = Client({**environment, **keys, "SOURCE_BUCKETS": "shop", "AWS_ENDPOINT_URL": server.url})
        answer = client.get("/_api/images?cursor=broken", authorization=KNOWN)
    assert (answer.status, answer.json()["message"]) == (
        400,
        "`cursor` must be the one that the previous page returned",
    )
