"""From results and errors to answers."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from handler import response
from handler.core.errors import BadSignature, Busy, PayloadTooLarge, UpstreamError
from handler.render.results import NotModified, RenderedResult, ResultFacts
from handler.requests.image_request import ImageRequest
from handler.response import Answer, Caching
from imaging import DamagedSource, InvalidParameter, Output, TimeExceeded

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def made(media_type: str = "image/png", **facts: object) -> RenderedResult:
    return RenderedResult(ResultFacts("e", WHEN, **facts), b"x", media_type)  # type: ignore[arg-type]  # a test's shorthand


def test_a_picture_says_who_it_is_and_how_long_it_lives() -> None:
    answer = response.of_result(made(tags=("t1", "t2"), negotiated=True), ImageRequest(b""), Caching(10, 20))
    assert answer.headers["ETag"] == '"e-v"'
    assert answer.headers["Last-Modified"] == "Fri, 02 Jan 2026 03:04:05 GMT"
    assert answer.headers["Cache-Control"] == "public, max-age=10, s-maxage=20"
    assert answer.headers["x-amz-meta-cache-tag"] == "t1,t2"
    assert answer.headers["Vary"] == "Accept"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_objects_own_cache_control_is_kept() -> None:
    assert (
        response.of_result(made(cache_control="no-cache"), ImageRequest(b""), Caching()).headers["Cache-Control"]
        == "no-cache"
    )


def test_an_expiring_address_is_kept_no_longer() -> None:
    expires = datetime.now(UTC) + timedelta(seconds=100)
    answer = response.of_result(made(cache_control="max-age=9999"), ImageRequest(b"", expires=expires), Caching())
    assert answer.headers["Cache-Control"] in ("max-age=99,public", "max-age=100,public")
    assert "Expires" in answer.headers


@pytest.mark.parametrize(
    ("caching", "kept"),
    [
        (Caching(), "max-age=31536000,public"),
        (Caching(10, 10), "max-age=10,public"),
        (Caching(10, 20), "max-age=10,s-maxage=20,public"),
    ],
)
def test_an_end_far_away_lengthens_no_time_of_the_settings(caching: Caching, kept: str) -> None:
    expires = datetime.now(UTC) + timedelta(days=40_000)
    answer = response.of_result(made(), ImageRequest(b"", expires=expires), caching)
    assert answer.headers["Cache-Control"] == kept


@pytest.mark.parametrize(
    ("said", "kept"),
    [("private, max-age=9999", "max-age=0,private"), ("no-store", "no-store"), ("No-Store", "No-Store")],
)
def test_an_end_opens_nothing_that_the_object_closes(said: str, kept: str) -> None:
    request = ImageRequest(b"", expires=datetime.now(UTC))
    assert response.of_result(made(cache_control=said), request, Caching()).headers["Cache-Control"] == kept


def test_svg_is_sandboxed() -> None:
    answer = response.of_result(made(media_type="image/svg+xml"), ImageRequest(b""), Caching())
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_a_request_may_override_headers_whatever_their_case() -> None:
    answer = response.of_result(made(), ImageRequest(b"", headers={"cache-control": "no-store"}), Caching())
    assert {name.lower(): value for name, value in answer.headers.items()}["cache-control"] == "no-store"
    assert "Cache-Control" not in answer.headers


@pytest.mark.parametrize("name", ["cat.jpg", 'a"b\\c.png', "é☃.jpg", "a\r\nb"])
def test_a_download_is_named_in_plain_and_in_full(name: str) -> None:
    disposition = response.of_result(made(), ImageRequest(b"", output=Output(download=name)), Caching()).headers[
        "Content-Disposition"
    ]
    assert disposition.isascii()
    assert disposition.isprintable()
    assert disposition.startswith('attachment; filename="')


@pytest.mark.parametrize(
    ("error", "status", "kept"),
    [
        (InvalidParameter("x", "y", 1), 400, True),
        (BadSignature("no"), 403, True),
        (DamagedSource("cut off"), 422, True),
        (TimeExceeded("late"), 504, False),
        (UpstreamError("down"), 502, False),
        (Busy("full", headers={"Retry-After": "1"}), 503, False),
    ],
)
def test_errors_carry_status_code_and_message_and_are_not_kept_for_long(error: object, status: int, kept: bool) -> None:
    answer = response.refusal(error, Caching(error=5))  # type: ignore[arg-type]  # one of the two kinds
    assert answer.status == status
    assert answer.headers["Cache-Control"] == ("public, max-age=5" if kept else "no-store")
    if isinstance(error, Busy):
        assert answer.headers["Retry-After"] == "1"


def test_pictures_travel_in_base64_and_json_as_it_is() -> None:
    assert base64.b64decode(str(Answer(200, {"Content-Type": "image/png"}, b"\xff").as_event()["body"])) == b"\xff"
    assert response.report({"é": 1}).as_event()["body"] == '{"é": 1}'


def test_what_is_too_large_for_an_answer_is_refused() -> None:
    with pytest.raises(PayloadTooLarge, match="maxBytes"):
        Answer(200, {"Content-Type": "image/png"}, b"x" * 9000).refuse_above(10_000)


def test_head_has_the_length_and_no_body() -> None:
    event = Answer(200, {"Content-Type": "image/png"}, b"1234").as_event(head=True)
    assert event["body"] == ""
    assert event["headers"] == {"Content-Type": "image/png", "Content-Length": "4"}


def test_nothing_that_a_request_sets_keeps_an_answer_beyond_its_end() -> None:
    ends = datetime.now(UTC) + timedelta(seconds=60)
    headers = {"cache-control": "max-age=999", "Expires": "never", "X-Robots-Tag": "none"}
    answer = response.of_result(made(), ImageRequest(b"", expires=ends, headers=headers), Caching())
    assert answer.headers["Cache-Control"] in ("max-age=59,public", "max-age=60,public")
    assert answer.headers["Expires"] == response.http_date(ends)
    assert answer.headers["X-Robots-Tag"] == "none"
    assert {name.lower() for name in answer.headers} == {name.lower(): 0 for name in answer.headers}.keys()


def test_a_request_adds_to_what_an_answer_varies_by() -> None:
    answer = response.of_result(made(negotiated=True), ImageRequest(b"", headers={"vary": "Origin"}), Caching())
    assert [value for name, value in answer.headers.items() if name.lower() == "vary"] == ["Accept, Origin"]


def test_a_304_to_head_tells_no_length() -> None:
    answer = response.of_result(NotModified(made().facts), ImageRequest(b""), Caching())
    headers = answer.as_event(head=True)["headers"]
    assert isinstance(headers, dict)
    assert "Content-Length" not in headers
