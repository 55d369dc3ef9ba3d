"""HTTP through the entry point: events of every kind, keys with special characters, conditions, methods, access."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests import pictures
from tests.client import Answered, Client, answered, function_url_event, size

from handler.auth import canonical

EVENTS = Path(__file__).parents[2] / "events"
JPEG = pictures.jpeg(pictures.scene(64, 48))
Event = dict[str, Any]

ODD_KEYS = [
    "a b.jpg", "a%20b.jpg", "100%.jpg", "100%25.jpg", "a+b.jpg", "a%2Fb", "what?.jpg", "#1.jpg", 'quote".jpg',
    "tick`.jpg", "back\\slash.jpg", "🐈.jpg", "caf\u00e9.jpg", "cafe\u0301.jpg", "300x200/cat.jpg",
    "fit-in/cat.jpg", "a&b=c.jpg",
    "a,b;c.jpg", "~tilde'(1)!*.jpg", "日本語/写真.jpg", "cat", "_p/cat.jpg",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cat.jpg").write_bytes(JPEG)
    return tmp_path


@pytest.fixture
def client(folder: Path) -> Client:
    return Client({"SOURCE_BUCKETS": f"pictures=file://{folder}"})


def event_of(kind: str) -> Event:
    loaded: Event = json.loads((EVENTS / f"{kind}.json").read_text())
    return loaded


def _plain(event: Event, path: str) -> None:
    """Gateways that decode the path before the function sees it."""
    event["rawPath" if "rawPath" in event else "path"] = path


def _encoded(event: Event, path: str) -> None:
    event["rawPath" if "rawPath" in event else "path"] = quote(path, safe="/")


def _wrapped(event: Event, path: str) -> None:
    """As the edge wraps it, with the CDN's secret."""
    raw = quote(path, safe="/").encode()
    event["rawPath"] = "/_p/" + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    event["headers"]["x-origin-secret"] = "from-the-edge"


def _in_json(said: dict[str, object]) -> str:
    return "/" + base64.urlsafe_b64encode(json.dumps(said).encode()).decode()


@pytest.mark.parametrize(
    "address",
    [
        "/cat.jpg?width=0",
        "/cat.jpg?width=&height=",
        "/cat.jpg?feature=resize",
        "/cat.jpg?rotate=0",
        _in_json({"key": "cat.jpg", "edits": {"resize": {}}}),
        _in_json({"key": "cat.jpg", "edits": {"resize": {"width": None}, "rotate": None}}),
    ],
)
def test_an_original_without_steps_keeps_its_pixels(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status == 200, answer.body
    assert answer.body == client.get("/cat.jpg").body


KINDS: dict[str, Callable[[Event, str], None]] = {
    "http-api-2.0": _plain,
    "function-url": _encoded,
    "http-api-1.0": _plain,
    "rest-api": _encoded,
    "load-balancer": _encoded,
}


@pytest.mark.parametrize("kind", [*KINDS, "http-api-2.0-stage"])
def test_every_kind_of_event_is_answered(client: Client, kind: str) -> None:
    answer = answered(client.invoke(event_of(kind)))
    assert answer.status == 200, answer.body
    assert size(answer.body) == (40, 30)
    assert answer.headers["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize("key", ODD_KEYS)
@pytest.mark.parametrize("kind", [*KINDS, "wrapped"])
def test_odd_keys_reach_their_object(folder: Path, kind: str, key: str) -> None:
    target = folder / key
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(JPEG)
    (folder / "origin").write_text("from-the-edge")
    environment = {"SOURCE_BUCKETS": f"pictures=file://{folder}"}
    path = "/_key/" + key if key.startswith(("_", "300x200/", "fit-in/")) else "/" + key
    if kind == "wrapped":
        event = event_of("http-api-2.0")
        _wrapped(event, path)
        environment["ORIGIN_SECRET_FILE"] = str(folder / "origin")
    else:
        event = event_of(kind)
        KINDS[kind](event, path)
    answer = answered(Client(environment).invoke(event))
    assert answer.status == 200, answer.body


def test_without_the_cdns_secret_nothing_is_answered_or_unwrapped(folder: Path) -> None:
    (folder / "origin").write_text("from-the-edge")
    guarded = Client({"SOURCE_BUCKETS": f"p=file://{folder}", "ORIGIN_SECRET_FILE": str(folder / "origin")})
    assert guarded.get("/cat.jpg").status == 403
    assert guarded.get("/cat.jpg", x_origin_secret="wrong").status == 403
    assert guarded.get("/cat.jpg", x_origin_secret="from-the-edge").status == 200
    open_to_all = Client({"SOURCE_BUCKETS": f"p=file://{folder}"})
    assert open_to_all.get("/_p/L2NhdC5qcGc").status == 404


def test_a_path_is_decoded_exactly_once(folder: Path, client: Client) -> None:
    (folder / "a%20b.jpg").write_bytes(JPEG)
    assert client.get("/a%2520b.jpg").status == 200
    assert client.get("/a%20b.jpg").status == 404


@pytest.mark.parametrize(
    "address", ["/%ff.jpg", "/%zz.jpg", "/cat.jpg?width=%ff", "/cat.jpg?width=3&width=4", "/cat.jpg?%zz=1"]
)
def test_broken_escapes_and_repetitions_are_the_clients_fault(client: Client, address: str) -> None:
    assert client.get(address).status == 400


def test_lone_surrogates_are_the_clients_fault(client: Client) -> None:
    event = event_of("http-api-2.0")
    event["rawPath"] = "/\ud800.jpg"
    assert answered(client.invoke(event)).status == 400


def test_a_broken_event_in_http_shape_never_reaches_another_door(client: Client) -> None:
    answer = answered(client.invoke({"rawPath": "/x", "imageKey": "cat.jpg"}))
    assert answer.status == 400


def test_conditions_are_answered_without_the_picture(client: Client) -> None:
    first = client.get("/cat.jpg?width=20")
    etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    assert client.get("/cat.jpg?width=20", if_none_match=etag).status == 304
    assert client.get("/cat.jpg?width=20", if_none_match=f'"other", W/{etag}').status == 304
    assert client.get("/cat.jpg?width=20", if_none_match="*").status == 304
    assert client.get("/cat.jpg?width=20", if_modified_since=modified).status == 304
    assert client.get("/cat.jpg?width=20", if_modified_since=modified, if_none_match='"other"').status == 200
    assert client.get("/cat.jpg?width=20", if_modified_since="yesterday").status == 200
    assert client.get("/cat.jpg?width=21", if_none_match=etag).status == 200
    unchanged = client.get("/cat.jpg?width=20", if_none_match=etag)
    assert unchanged.body == b""
    assert unchanged.headers["ETag"] == etag
    assert unchanged.headers["Cache-Control"] == first.headers["Cache-Control"]


@pytest.mark.parametrize(("key", "vary"), [("cat.heic", "Accept"), ("cat.jpg", None)])
@pytest.mark.parametrize("query", ["", "?width=20"])
def test_a_304_varies_as_its_answer_did(client: Client, folder: Path, key: str, vary: str | None, query: str) -> None:
    (folder / "cat.heic").write_bytes(pictures.heic())
    whole = client.get(f"/{key}{query}", accept="image/webp")
    again = client.get(f"/{key}{query}", accept="image/webp", if_none_match=whole.headers["ETag"])
    assert (whole.status, again.status) == (200, 304)
    assert whole.headers.get("Vary") == again.headers.get("Vary") == vary
    assert whole.headers["ETag"] == again.headers["ETag"]
    # By its date alone nobody knows which it was: one `Vary` too many does no harm.
    by_date = client.get(f"/{key}{query}", accept="image/webp", if_modified_since=whole.headers["Last-Modified"])
    assert (by_date.status, by_date.headers["Vary"]) == (304, "Accept")


def test_another_original_is_another_answer(folder: Path, client: Client) -> None:
    etag = client.get("/cat.jpg?width=20").headers["ETag"]
    (folder / "cat.jpg").write_bytes(pictures.jpeg(pictures.scene(80, 48)))
    assert client.get("/cat.jpg?width=20", if_none_match=etag).status == 200


def test_equal_requests_in_different_dialects_share_an_etag(client: Client) -> None:
    said = base64.urlsafe_b64encode(b'{"key": "cat.jpg", "edits": {"resize": {"width": 20}}}').decode()
    etags = {
        client.get(address).headers["ETag"]
        for address in ("/cat.jpg?width=20", "/cat.jpg?resize.width=20&v=2", f"/{said}")
    }
    assert len(etags) == 1


def test_head_is_get_without_the_body(client: Client) -> None:
    head, get = client.get("/cat.jpg", method="HEAD"), client.get("/cat.jpg")
    assert head.status == 200
    assert head.body == b""
    assert head.headers["Content-Length"] == str(len(get.body))
    assert head.headers["ETag"] == get.headers["ETag"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
def test_other_methods_are_refused(client: Client, method: str) -> None:
    answer = client.get("/cat.jpg", method=method)
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"


def test_cors_is_sent_where_it_is_switched_on(folder: Path, client: Client) -> None:
    assert "Access-Control-Allow-Origin" not in client.get("/cat.jpg").headers
    cors = Client(
        {"SOURCE_BUCKETS": f"p=file://{folder}", "CORS_ENABLED": "Yes", "CORS_ORIGIN": "https://site.example"}
    )
    for answer in (cors.get("/cat.jpg"), cors.get("/nosuch.jpg"), cors.get("/cat.jpg", method="OPTIONS")):
        assert answer.headers["Access-Control-Allow-Origin"] == "https://site.example"


def test_ignored_names_count_nowhere(folder: Path, client: Client) -> None:
    plain = client.get("/cat.jpg?width=20").headers["ETag"]
    assert client.get("/cat.jpg?width=20&utm_source=x&utm_source=y&fbclid=%ff").headers["ETag"] == plain
    assert client.get("/cat.jpg?width=20&ver=5").status == 400
    lax = Client({"SOURCE_BUCKETS": f"p=file://{folder}", "IGNORED_PARAMETERS": "*"})
    assert lax.get("/cat.jpg?width=20&ver=5").headers["ETag"] == lax.get("/cat.jpg?width=20").headers["ETag"]


def refused(answer: Answered, status: int, code: str) -> None:
    assert answer.status == status
    assert answer.json()["status"] == status
    assert answer.json()["code"] == code
    assert answer.json()["message"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_refusals_carry_status_code_and_message(client: Client) -> None:
    refused(client.get("/nosuch.jpg"), 404, "NoSuchKey")
    refused(client.get("/cat.jpg?bucket=other"), 403, "ImageBucket::CannotAccessBucket")
    refused(client.get("/cat.jpg?width=0.5"), 400, "BadRequest")
    refused(client.get("/_api/nosuch"), 404, "NotFound")
    refused(client.get("/_results/x"), 404, "NotFound")
    refused(client.get("/" + "x" * 9000), 414, "UriTooLong")
    assert "`resize.width`" in client.get("/cat.jpg?width=0.5").json()["message"]


def test_signatures_are_asked_for_where_they_are_on(folder: Path) -> None:
    from handler.auth.signature import signed_url

    (folder / "secret").write_text("s3cret")
    signed = Client(
        {
            "SOURCE_BUCKETS": f"p=file://{folder}",
            "ENABLE_SIGNATURE": "Yes",
            "SIGNATURE_SECRET_FILE": str(folder / "secret"),
        }
    )
    refused(signed.get("/cat.jpg?width=20"), 400, "AuthorizationQueryParametersError")
    address = signed_url("/cat.jpg?width=20", "s3cret")
    assert signed.get(address).status == 200
    assert signed.get(address + "&utm_source=mail").status == 200
    refused(signed.get(address.replace("20", "21")), 403, "SignatureDoesNotMatch")
    refused(signed.get(address + "&height=5"), 403, "SignatureDoesNotMatch")
    assert signed.get("/_health").status == 200


def test_an_expired_address_is_refused(client: Client) -> None:
    refused(client.get("/cat.jpg?expires=20200101T000000Z"), 400, "ImageRequestExpired")
    refused(client.get("/cat.jpg?expires=tomorrow"), 400, "ImageRequestExpiryFormat")
    assert client.get("/cat.jpg?expires=29990101T000000Z").headers["Cache-Control"].endswith(",public")


def test_errors_can_be_answered_with_a_picture(folder: Path) -> None:
    (folder / "sorry.png").write_bytes(pictures.png(pictures.scene(10, 10)))
    kind = Client(
        {
            "SOURCE_BUCKETS": f"p=file://{folder}",
            "ENABLE_DEFAULT_FALLBACK_IMAGE": "Yes",
            "DEFAULT_FALLBACK_IMAGE_KEY": "sorry.png",
            "ALWAYS": '{"resize": {"width": 5}}',
        }
    )
    answer = kind.get("/nosuch.jpg")
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "image/png"
    assert size(answer.body) == (5, 5)
    assert "31536000" not in answer.headers["Cache-Control"]


def test_a_body_of_an_event_may_be_broken_into_lines(folder: Path) -> None:
    (folder / "token").write_text("op-token")
    operated = Client({"SOURCE_BUCKETS": f"p=file://{folder}", "OPERATOR_TOKEN_FILE": str(folder / "token")})
    headers = {"authorization": "Bearer op-token"}
    event = function_url_event("/_api/transform?width=20", method="POST", headers=headers, body=JPEG)
    answer = answered(operated.invoke({**event, "body": base64.encodebytes(JPEG).decode()}))
    assert size(answer.body) == (20, 15)
    refused(answered(operated.invoke({**event, "body": "???"})), 400, "BadRequest")


def test_a_posted_picture_is_for_the_operator_alone(folder: Path, client: Client) -> None:
    refused(client.post("/_api/transform?width=20", JPEG), 404, "NotFound")
    (folder / "token").write_text("op-token")
    operated = Client({"SOURCE_BUCKETS": f"p=file://{folder}", "OPERATOR_TOKEN_FILE": str(folder / "token")})
    refused(operated.post("/_api/transform?width=20", JPEG), 401, "Unauthorized")
    refused(operated.post("/_api/transform?width=20", JPEG, authorization="Bearer wrong"), 401, "Unauthorized")
    raw = operated.post("/_api/transform?width=20", JPEG, authorization="Bearer op-token")
    assert size(raw.body) == (20, 15)
    assert raw.headers["Cache-Control"] == "no-store"
    body = json.dumps({"image": base64.b64encode(JPEG).decode(), "width": 30}).encode()
    said = operated.post("/_api/transform", body, authorization="Bearer op-token", content_type="application/json")
    assert said.json()["contentType"] == "image/jpeg"
    assert size(base64.b64decode(said.json()["image"])) == (30, 23)
    body = json.dumps({"image": base64.b64encode(JPEG).decode(), "feature": "info"}).encode()
    report = operated.post("/_api/transform", body, authorization="Bearer op-token", content_type="application/json")
    assert report.json()["width"] == 64
    for broken in (b"", b"{", b"[]", b'{"image": "???"}', b'{"image": 1}', b"[" * 100_000):
        assert (
            operated.post(
                "/_api/transform", broken, authorization="Bearer op-token", content_type="application/json"
            ).status
            == 400
        )


def test_reports_are_json(client: Client) -> None:
    answer = client.get("/cat.jpg?feature=info")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["width"] == 64


def test_formats_are_negotiated_where_asked(folder: Path, client: Client) -> None:
    browser = "image/avif,image/webp,image/*,*/*;q=0.8"
    chosen = client.get("/cat.jpg?width=40&format=auto", accept=browser)
    assert chosen.headers["Content-Type"] == "image/avif"
    assert chosen.headers["Vary"] == "Accept"
    assert client.get("/cat.jpg?width=40&format=auto").headers["Content-Type"] == "image/jpeg"
    assert client.get("/cat.jpg?width=40&format=auto", accept="image/webp").headers["Content-Type"] == "image/webp"
    assert (
        client.get("/cat.jpg?width=40&format=auto", accept="image/webp;q=0, */*").headers["Content-Type"]
        == "image/jpeg"
    )
    assert "Vary" not in client.get("/cat.jpg?width=40", accept=browser).headers
    webp = Client({"SOURCE_BUCKETS": f"p=file://{folder}", "AUTO_WEBP": "Yes"})
    assert webp.get("/cat.jpg?width=40", accept=browser).headers["Content-Type"] == "image/webp"
    assert webp.get("/cat.jpg?width=40&format=png", accept=browser).headers["Content-Type"] == "image/png"
    for path in ("/fit-in/40x30/cat.jpg", "/fit-in/40x30/filters:quality(5)/cat.jpg"):
        assert webp.get(path, accept=browser).headers["Content-Type"] == "image/webp"
        assert webp.get(path).headers["Content-Type"] == "image/jpeg"
        assert webp.get(path + "?format=png", accept=browser).headers["Content-Type"] == "image/png"
    low, high = (webp.get(f"/filters:quality({q})/cat.jpg", accept=browser).body for q in (5, 95))
    assert len(low) < len(high) / 2
    asked = webp.get("/filters:quality(5):format(png)/cat.jpg", accept=browser)
    assert asked.headers["Content-Type"] == "image/png"


def test_events_are_not_changed(client: Client) -> None:
    event = event_of("http-api-2.0")
    before = copy.deepcopy(event)
    client.invoke(event)
    assert event == before


def test_the_canonical_path_of_every_odd_key_names_it_again() -> None:
    for key in ODD_KEYS:
        assert canonical.decode_path(canonical.encode_path("/" + key)) == "/" + key


def test_an_answer_too_large_for_the_gateway_is_refused_alike_for_get_and_head(folder: Path) -> None:
    small = Client({"SOURCE_BUCKETS": f"p=file://{folder}", "MAX_ANSWER_BYTES": "5000", "CORS_ENABLED": "Yes"})
    for method in ("GET", "HEAD"):
        answer = small.get("/cat.jpg?width=400&format=png", method=method)
        assert answer.status == 413
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_proxy_in_front_of_the_local_server_closes_the_operators_doors(folder: Path) -> None:
    local = Client({"SOURCE_BUCKETS": f"p=file://{folder}"}, operator_open=True)
    assert local.post("/_api/transform?width=20", JPEG).status == 200
    refused(local.post("/_api/transform?width=20", JPEG, x_forwarded_for="198.51.100.7"), 404, "NotFound")
