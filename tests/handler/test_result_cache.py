"""Finished pictures that are kept, and redirects to what is too large for an answer: through the real entry point."""

from __future__ import annotations

import base64
import hmac
import http.client
import json
import os
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests import pictures
from tests.client import Answered, Client, size
from tests.stand_ins.moto import Moto
from tests.stand_ins.rclone import KEYS, rclone_server
from tests.stand_ins.scripted_http import Reply, scripted_server

from features import CATALOGUE
from handler.config import SettingsError
from handler.storage.cache_rules import _SLOW
from handler.storage.result_cache import LINK_SECONDS
from handler.storage.results.folder import FolderResults

LARGE = {"MAX_ANSWER_BYTES": "12000"}
KEEPING = {"STORE_RESULTS": "Yes"}
AVIF = "/cat.jpg?width=40&format=avif"
HEAVY_PNG = "/cat.jpg?format=png"
"""More than 6 kB, as the original is not."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "cat.jpg").write_bytes(pictures.jpeg())
    (sources / "dot.png").write_bytes(pictures.png())
    return sources


@pytest.fixture
def results(tmp_path: Path) -> Path:
    (tmp_path / "results").mkdir()
    return tmp_path / "results"


@pytest.fixture
def environment(folder: Path, results: Path) -> dict[str, str]:
    return {"SOURCE_BUCKETS": f"p=file://{folder}", "RESULTS_BUCKET": f"results=file://{results}"}


def signing(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    (tmp_path / "key").write_text("signing-key")
    return {**environment, "ENABLE_SIGNATURE": "Yes", "SIGNATURE_SECRET_FILE": str(tmp_path / "key")}


def kept(results: Path, part: str = "private") -> list[Path]:
    return sorted(path for path in (results / part).rglob("*") if path.is_file())


def signed(client: Client, url: str, life: timedelta | None = None) -> str:
    signatures = client.application.http.signatures
    assert signatures is not None
    return signatures.signed_url(url, life)


def redirected(answer: Answered) -> str:
    assert (answer.status, answer.body) == (302, b""), answer
    assert answer.headers["x-amz-meta-cache-tag"]
    return answer.headers["Location"]


def test_what_was_made_is_fetched(environment: dict[str, str], results: Path) -> None:
    client = Client({**environment, **KEEPING})
    made = client.get(AVIF)
    (file,) = kept(results)
    assert file.read_bytes() == made.body
    file.write_bytes(b"from the store")
    again = Client({**environment, **KEEPING}).get(AVIF)
    assert again.body == b"from the store"
    assert again.headers == made.headers
    assert client.get(AVIF, if_none_match=made.headers["ETag"]).status == 304


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("/cat.jpg?width=40", 0),
        ("/cat.jpg", 0),
        ("/cat.jpg?info=true", 0),
        ("/cat.jpg?width=40&format=webp", 0),
        (AVIF, 1),
        ("/cat.jpg?width=40&format=auto", 1),
        ("/cat.jpg?width=40&maxBytes=900", 1),
        ("/cat.jpg?quantize=4", 1),
        ("/cat.jpg?clahe.width=9&clahe.height=9", 1),
        ("/cat.jpg?median=3&format=webp", 1),
        ("/cat.jpg?blur=3", 0),
        ("/large.jpg", 0),
        ("/large.jpg?width=40", 1),
    ],
)
def test_what_is_cheaper_to_make_than_to_fetch_is_not_kept(
    environment: dict[str, str], folder: Path, results: Path, query: str, count: int
) -> None:
    (folder / "large.jpg").write_bytes(pictures.jpeg() + bytes(2_000_000))
    client = Client({**environment, **KEEPING})
    assert client.get(query, accept="image/avif").status == 200
    assert len(kept(results)) == count
    assert client.get(query, accept="image/avif").status == 200


def test_a_picture_without_its_facts_is_made_again(environment: dict[str, str], results: Path) -> None:
    """A crash between the two writes leaves the bytes alone."""
    client = Client({**environment, **KEEPING})
    made = client.get(AVIF)
    (file,) = kept(results)
    facts = results / ".results" / f"{file.relative_to(results)}.json"
    whole = facts.read_bytes()
    for damage in (facts.unlink, lambda: facts.write_bytes(whole[:20]), lambda: facts.write_bytes(b"")):
        damage()
        again = client.get(AVIF)
        assert (again.status, again.headers, again.body) == (200, made.headers, made.body)
        assert facts.read_bytes().startswith(b"{")


def test_nothing_is_kept_unless_asked(environment: dict[str, str], results: Path) -> None:
    assert Client(environment).get(AVIF).status == 200
    assert kept(results) == []
    with pytest.raises(SettingsError, match="STORE_RESULTS=Yes needs RESULTS_BUCKET"):
        Client({"SOURCE_BUCKETS": environment["SOURCE_BUCKETS"], **KEEPING})


def test_a_public_feature_that_runs_a_model_is_rendered_once(
    environment: dict[str, str], results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever `v` is, and although STORE_RESULTS is off: anyone could ask for it again and again."""
    public = {**environment, "VISION": "local", "PUBLIC_FEATURES": "smartCropping"}
    client = Client(public)
    address = "/cat.jpg?feature=smartCropping&width=40&height=40"
    assert [client.get(f"{address}&v={v}").status for v in range(3)] == [200] * 3
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("kept") for line in lines if line["message"] == "request"] == [None, True, True]
    assert len(kept(results)) == 1
    assert client.get("/cat.jpg?width=30").status == 200
    assert len(kept(results)) == 1, "what is cheap is not stored"
    # The operator's own URLs are not stored: nobody else can request them.
    closed = Client(signing({**environment, "VISION": "local"}, tmp_path))
    assert closed.get(signed(closed, f"{address}&v=9&smartCropping.padding=3")).status == 200
    assert len(kept(results)) == 1


def test_another_original_has_another_answer(environment: dict[str, str], folder: Path, results: Path) -> None:
    client = Client({**environment, **KEEPING})
    before = client.get(AVIF)
    (folder / "cat.jpg").write_bytes(pictures.jpeg(pictures.scene(80, 60)))
    after = client.get(AVIF)
    assert after.headers["ETag"] != before.headers["ETag"]
    assert len(kept(results)) == 2


@pytest.mark.parametrize("url", [HEAVY_PNG, "/big.jpg"])
def test_a_public_picture_too_large_for_an_answer(
    environment: dict[str, str], folder: Path, results: Path, url: str
) -> None:
    (folder / "big.jpg").write_bytes(pictures.jpeg(pictures.scene(1600, 1200)))
    whole = Client(environment).get(url)
    client = Client({**environment, **LARGE})
    first = client.get(url)
    address = redirected(first)
    assert re.fullmatch("/_results/[0-9a-f]{32}", address)
    assert first.headers["Cache-Control"] == "public, max-age=3600"
    assert redirected(client.get(url, method="HEAD")) == redirected(client.get(url)) == address
    assert len(kept(results, "public")) == 1
    there = client.get(address)
    assert (there.status, there.body) == (200, whole.body)
    for name in ("Content-Type", "Cache-Control", "X-Content-Type-Options", "x-amz-meta-cache-tag"):
        assert there.headers[name] == whole.headers[name]
    assert client.get(address, method="HEAD").headers["Content-Length"] == str(len(whole.body))
    assert client.get("/_results/" + "0" * 32).status == 404
    for elsewhere in ("../private/", "private/", "x", address[1:]):
        assert client.get(f"/_results/{elsewhere}").status == 404


def test_a_download_keeps_its_name(environment: dict[str, str]) -> None:
    client = Client({**environment, **LARGE})
    there = client.get(redirected(client.get(f"{HEAVY_PNG}&download=my cat.png".replace(" ", "%20"))))
    assert there.headers["Content-Disposition"].startswith('attachment; filename="my cat.png"')


def test_a_redirect_ends_before_what_it_leads_to(environment: dict[str, str], results: Path) -> None:
    client = Client({**environment, **LARGE, "RESULTS_EXPIRE_AFTER_DAYS": "3"})
    first = redirected(client.get(HEAVY_PNG))
    age(results, days=1)
    assert redirected(client.get(HEAVY_PNG)) == first
    age(results, days=2.1)
    second = redirected(client.get(HEAVY_PNG))
    assert second != first
    assert client.get(second).status == 200


def age(results: Path, days: float) -> None:
    for file in kept(results):
        os.utime(file, (time.time() - days * 86_400,) * 2)


def test_of_two_that_make_it_at_once_the_first_gives_the_address(environment: dict[str, str], results: Path) -> None:
    client = Client({**environment, **LARGE})
    start = Barrier(2, timeout=20)

    def get(_: int) -> str:
        return redirected(Client({**environment, **LARGE}).get(HEAVY_PNG))

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as pool:
        # Both have looked and found nothing before either writes.
        put = FolderResults.put
        waiting = [True, True]

        def late(store: FolderResults, key: str, *given: Any, **named: Any) -> bool:
            if waiting and not key.startswith("private/"):
                waiting.pop()
                start.wait()
            return put(store, key, *given, **named)

        patch.setattr(FolderResults, "put", late)
        addresses = list(pool.map(get, range(2)))
    assert not waiting
    assert addresses[0] == addresses[1]
    assert len(kept(results, "public")) == 1
    assert client.get(addresses[0]).status == 200
    assert client.application.http.result_cache is not None
    tag = kept(results)[0].parent.name
    assert client.application.http.result_cache.purge(tag) == 1
    assert kept(results) == kept(results, "public") == []


def test_one_that_found_nothing_and_comes_late_gives_the_same_address(
    environment: dict[str, str], results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client({**environment, **LARGE})
    first = redirected(client.get(HEAVY_PNG))
    monkeypatch.setattr("handler.storage.result_cache.BucketResultCache.lookup", lambda *_: None)
    assert redirected(client.get(HEAVY_PNG)) == first
    assert client.get(first).status == 200
    assert len(kept(results, "public")) == 1


def test_what_a_cached_redirect_leads_to_stays_when_the_picture_is_made_anew(
    environment: dict[str, str], results: Path
) -> None:
    client = Client({**environment, **LARGE, "RESULTS_EXPIRE_AFTER_DAYS": "3"})
    first = redirected(client.get(HEAVY_PNG))
    age(results, days=2.1)
    second = redirected(client.get(HEAVY_PNG))
    assert [client.get(address).status for address in (first, second)] == [200, 200]
    assert client.application.http.result_cache is not None
    client.application.http.result_cache.purge(kept(results)[0].parent.name)
    assert [client.get(address).status for address in (first, second)] == [404, 404]
    assert kept(results, "public") == []


@pytest.mark.parametrize("query", [AVIF, HEAVY_PNG])
def test_the_bucket_forgets_no_reference_before_its_picture(
    environment: dict[str, str], folder: Path, results: Path, query: str
) -> None:
    (folder / "logo.png").write_bytes(pictures.png(pictures.scene(20, 10)))
    client = Client({**environment, **LARGE, **KEEPING, "RESULTS_EXPIRE_AFTER_DAYS": "3"})
    client.get(f"{query}&watermark.key=logo.png")
    age(results, days=2.1)
    client.get(f"{query}&watermark.key=logo.png")
    assert [time.time() - file.stat().st_mtime < 3_600 for file in kept(results)] == [True, True]


@pytest.mark.parametrize(
    ("said", "redirect", "lies"),
    [
        ("max-age=5", "public, max-age=5", "public"),
        ("public, s-maxage=60, max-age=9000", "public, max-age=60", "public"),
        ("max-age=9000", "public, max-age=3600", "public"),
        ("max-age=soon", "no-store", "public"),
        ("no-cache", "no-store", "public"),
        ("private, max-age=60", "no-store", "private"),
        ("No-Store", "no-store", "private"),
    ],
)
def test_what_an_original_says_of_caches_counts_for_a_large_picture(
    moto: Moto, tmp_path: Path, said: str, redirect: str, lies: str
) -> None:
    source, bucket = moto.bucket(), moto.bucket()
    moto.s3.put_object(Bucket=source, Key="cat.jpg", Body=pictures.jpeg(), CacheControl=said)
    environment = s3_environment(tmp_path, moto.url, bucket, ("AKID", "secret"))
    client = Client({**environment, "SOURCE_BUCKETS": f"p=s3://{source}", **LARGE})
    first = client.get(HEAVY_PNG)
    assert first.headers["Cache-Control"] == redirect
    assert (redirected(first).startswith("/_results/")) == (lies == "public")
    objects = moto.s3.list_objects_v2(Bucket=bucket)["Contents"]
    largest = max(objects, key=lambda entry: entry["Size"])["Key"]
    assert largest.startswith(f"{lies}/")
    there = moto.s3.head_object(Bucket=bucket, Key=largest)["CacheControl"]
    assert there == (said if lies == "public" else "no-store")
    assert redirected(client.get(HEAVY_PNG)).partition("?")[0] == redirected(first).partition("?")[0]


@pytest.mark.parametrize(
    ("query", "looks"),
    [
        ("/cat.jpg", True),
        ("/cat.jpg?blur=2", True),
        ("/cat.jpg?width=40", False),
        ("/cat.jpg?width=50&height=50", False),
        ("/cat.jpg?height=55", True),
        ("/cat.jpg?width=40&resize.dpr=2", True),
        ("/cat.gif?width=40", True),
    ],
)
def test_only_what_may_be_large_is_looked_for(
    environment: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch, query: str, looks: bool
) -> None:
    (folder / "cat.gif").write_bytes((folder / "cat.jpg").read_bytes())
    asked: list[str] = []
    monkeypatch.setattr(FolderResults, "get", lambda _, key: asked.append(key))
    # 6 kB of an original; 11.2 kB are 53 pixels square as they lie in memory.
    client = Client({**environment, "MAX_ANSWER_BYTES": str(15_000 + 4_096)})
    assert client.get(query).status in (200, 302)
    assert bool(asked) is looks


@pytest.mark.parametrize("why", ["signature", "expires", "ALWAYS"])
def test_a_restricted_result_is_not_stored_in_public(
    environment: dict[str, str], results: Path, tmp_path: Path, why: str
) -> None:
    environment = environment if why != "signature" else signing(environment, tmp_path)
    client = Client({**environment, **LARGE, **({"ALWAYS": '{"flip": true}'} if why == "ALWAYS" else {})})
    soon = f"{datetime.now(UTC) + timedelta(seconds=60):%Y%m%dT%H%M%SZ}"
    url = {"signature": lambda: signed(client, HEAVY_PNG), "expires": lambda: f"{HEAVY_PNG}&expires={soon}"}.get(
        why, lambda: HEAVY_PNG
    )()
    first = client.get(url)
    address = redirected(first)
    assert first.headers["Cache-Control"] == "no-store"
    assert kept(results, "public") == []
    there = client.get(address)
    assert (there.status, there.headers["Cache-Control"]) == (200, "no-store")
    assert size(there.body) == (160, 120)
    left = int(address.partition("until=")[2].partition("&")[0]) - time.time()
    assert left <= (60 if why == "expires" else LINK_SECONDS)
    for broken in (
        address[:-1],
        address.replace("until=1", "until=2"),
        address.partition("&")[0],
        address.partition("?")[0],
    ):
        assert client.get(broken).status == 404
    other = redirected(client.get(url))
    assert client.get(other).body == there.body
    assert len(kept(results)) == 1


def test_the_time_of_a_link_is_over(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client({**environment, **LARGE, "ALWAYS": '{"flip": true}'})
    address = redirected(client.get(HEAVY_PNG))
    now = time.time()
    monkeypatch.setattr("handler.storage.results.folder.time.time", lambda: now + LINK_SECONDS + 1)
    assert client.get(address).status == 404


def test_what_becomes_restricted_leaves_the_public_part(
    environment: dict[str, str], results: Path, tmp_path: Path
) -> None:
    public = redirected(Client({**environment, **LARGE}).get(HEAVY_PNG))
    client = Client({**signing(environment, tmp_path), **LARGE})
    address = redirected(client.get(signed(client, HEAVY_PNG)))
    assert kept(results, "public") == []
    assert client.get(public).status == 404
    assert client.get(address).status == 200
    back = Client({**environment, **LARGE})
    assert back.get(redirected(back.get(HEAVY_PNG))).status == 200


def test_an_expiry_of_one_request_keeps_the_redirects_of_others(environment: dict[str, str], results: Path) -> None:
    client = Client({**environment, **LARGE})
    public = redirected(client.get(HEAVY_PNG))
    soon = f"{datetime.now(UTC) + timedelta(seconds=60):%Y%m%dT%H%M%SZ}"
    address = redirected(client.get(f"{HEAVY_PNG}&expires={soon}"))
    assert address.startswith("/_results/private/")
    assert client.get(public).body == client.get(address).body
    assert redirected(client.get(HEAVY_PNG)) == public
    before = kept(results)
    assert client.get(redirected(client.get(f"{HEAVY_PNG}&expires={soon}"))).status == 200
    assert kept(results) == before


def test_signed_and_unsigned_callers_do_not_take_each_others_pictures(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Where signatures are known and none is needed: Thumbor's paths, signed and `unsafe`."""
    client = Client({**signing(environment, tmp_path), **LARGE, "ENABLE_SIGNATURE": "No"})
    plain = "filters:format(png)/cat.jpg"
    signature = base64.urlsafe_b64encode(hmac.digest(b"signing-key", plain.encode(), "sha1")).decode()
    open_to_all = redirected(client.get(f"/unsafe/{plain}"))
    own = redirected(client.get(f"/{signature}/{plain}"))
    assert not open_to_all.startswith("/_results/private/")
    assert own.startswith("/_results/private/")
    assert redirected(client.get(f"/unsafe/{plain}")) == open_to_all
    assert client.get(own).body == client.get(open_to_all).body != b""


def test_what_is_kept_is_found_with_an_end_too(environment: dict[str, str], results: Path) -> None:
    client = Client({**environment, **KEEPING})
    made = client.get(AVIF)
    before = kept(results)
    soon = f"{datetime.now(UTC) + timedelta(seconds=60):%Y%m%dT%H%M%SZ}"
    assert client.get(f"{AVIF}&expires={soon}").body == made.body
    assert kept(results) == before


def test_without_a_results_bucket_it_stays_refused(environment: dict[str, str]) -> None:
    client = Client({"SOURCE_BUCKETS": environment["SOURCE_BUCKETS"], **LARGE})
    assert client.get(HEAVY_PNG).status == 413
    assert client.get("/_results/" + "0" * 32).status == 404


def s3_environment(folder: Path, url: str, bucket: str, access: tuple[str, str]) -> dict[str, str]:
    return {
        "SOURCE_BUCKETS": f"p=file://{folder}",
        "RESULTS_BUCKET": f"results=s3://{bucket}",
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": access[0],
        "AWS_SECRET_ACCESS_KEY": access[1],
    }


def asked(address: str) -> tuple[int, dict[str, str], bytes]:
    url = urlsplit(address)
    connection = http.client.HTTPConnection(url.netloc, timeout=10)
    try:
        connection.request("GET", f"{url.path}?{url.query}")
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_in_s3(moto: Moto, folder: Path) -> None:
    bucket = moto.bucket()
    environment = s3_environment(folder, moto.url, bucket, ("AKID", "secret"))
    client = Client({**environment, **LARGE, **KEEPING})

    def objects(prefix: str) -> list[str]:
        return [entry["Key"] for entry in moto.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())]

    made = client.get(AVIF)
    assert Client({**environment, **KEEPING}).get(AVIF).body == made.body
    (key,) = objects("private/")
    moto.s3.put_object(Bucket=bucket, Key=key, Body=b"from the store", ContentType="image/avif")
    assert client.get(AVIF).body == b"from the store"
    address = redirected(client.get(HEAVY_PNG))
    (public,) = objects("public/")
    assert public == "public" + address
    head = moto.s3.head_object(Bucket=bucket, Key=public)
    assert (head["ContentType"], head["CacheControl"]) == ("image/png", "public, max-age=31536000, s-maxage=31536000")
    assert head["Metadata"]["cache-tag"] == made.headers["x-amz-meta-cache-tag"]
    assert redirected(client.get(HEAVY_PNG)) == address
    assert client.get(address).status == 200


def test_a_drawing_behind_a_presigned_address_is_no_page(moto: Moto, folder: Path) -> None:
    """S3 cannot send the policy under which no script runs; a browser keeps it as a file, and shows it in an <img>."""
    discs = '<circle cx="80" cy="60" r="5"/>' * 500
    (folder / "drawing.svg").write_bytes(pictures.svg(inside=discs))
    bucket = moto.bucket()
    client = Client({**s3_environment(folder, moto.url, bucket, ("AKID", "secret")), **LARGE})
    soon = f"{datetime.now(UTC) + timedelta(seconds=60):%Y%m%dT%H%M%SZ}"
    _, headers, body = asked(redirected(client.get(f"/drawing.svg?expires={soon}")))
    assert (headers["content-type"], headers["content-disposition"]) == ("image/svg+xml", "attachment")
    assert body.count(b"<circle") == 501


def test_a_presigned_address_in_a_store_that_verifies_it(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "shelf").mkdir()
    with rclone_server(tmp_path) as access:
        keys = (KEYS.access_key_id, KEYS.secret_access_key)
        environment = s3_environment(folder, access.endpoint_url_s3, "shelf", keys)
        client = Client({**environment, **LARGE, "ALWAYS": '{"flip": true}'})
        first = client.get(HEAVY_PNG)
        address = redirected(first)
        assert first.headers["Cache-Control"] == "no-store"
        assert f"X-Amz-Expires={LINK_SECONDS}" in address
        status, headers, body = asked(address)
        assert (status, headers["content-type"]) == (200, "image/png")
        assert size(body) == (160, 120)
        assert asked(address.replace("X-Amz-Signature=", "X-Amz-Signature=0"))[0] == 403
        assert asked(address.partition("?")[0])[0] in (400, 403)


def failing(status: int) -> Callable[[Any], Reply]:
    return lambda _: Reply(status)


def test_a_store_that_fails_costs_no_picture(folder: Path) -> None:
    with scripted_server(failing(403)) as server:
        client = Client({**s3_environment(folder, server.url, "shelf", ("AKID", "secret")), **KEEPING, **LARGE})
        assert client.get(AVIF).status == 200
        assert len(server.asked) >= 2
        refused = client.get(HEAVY_PNG)
    assert refused.status == 502
    assert "private/" not in refused.json()["message"]


def test_what_came_along_is_not_kept(environment: dict[str, str], results: Path) -> None:
    client = Client({**environment, **KEEPING}, operator_open=True)
    assert client.post("/_api/transform?width=40&format=avif", pictures.jpeg()).status == 200
    assert kept(results) == []


def test_what_is_slow_is_a_feature() -> None:
    assert {feature.name for feature in CATALOGUE} >= _SLOW
