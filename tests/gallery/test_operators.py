"""What the operator of a gallery can choose, and what the gallery looks like from outside."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests import pictures
from tests.client import Client, size
from tests.gallery.conftest import gallery_settings
from tests.gallery.test_limits import serving_gallery
from tests.gallery.visiting import SECRET, Browser, Reply, http_api_event, over_events, over_http
from tests.local_server import Server
from tests.weights import WEIGHTS, require_weights

from handler.aws import AwsAccess
from handler.config import SettingsError
from handler.entrypoints.gallery.request import find_address
from handler.entrypoints.http_call import read_http_request
from handler.records import open_records
from handler.records.record import ProcessingError

PNG = pictures.png(pictures.scene(60, 40))
_MODEL_BYTES = 100_000_000
"""Of memory, at least, that the model takes."""
PRESETS = {
    "badge": {"resize": {"width": 40, "height": 30}, "watermark": {"bucket": "secrets", "key": "logo.png"}},
    "smaller": {"resize": {"width": 10}, "toFormat": "png"},
}


def test_presets_are_recipes_and_may_name_what_visitors_may_not(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "logo.png").write_bytes(pictures.png(pictures.scene(10, 10)))
    sources = gallery_settings(tmp_path)["SOURCE_BUCKETS"] + f",secrets={(tmp_path / 'secrets').as_uri()}"
    more = {"SOURCE_BUCKETS": sources, "PRIVATE_SOURCES": "secrets", "PRESETS": json.dumps(PRESETS)}
    with serving_gallery(tmp_path, GALLERY_RECIPES="badge,smaller,smart-square", **more) as server:
        browser = Browser(over_http(server))
        recipes = browser.ask("GET", "/session").json()["recipes"]
        assert [each["name"] for each in recipes] == ["badge", "smaller", "smart-square"]
        assert (recipes[0]["edits"], recipes[0]["features"]) == (None, ["resize", "watermark"])
        picture = browser.keep(PNG)
        path = f"/pictures/{picture['id']}"
        for name, expected in (("badge", (40, 30)), ("smaller", (10, 7))):
            result = browser.post(f"{path}/results", recipe=name).json()
            assert size(browser.fetch(result["url"]).body) == expected
            assert browser.fetch(result["thumbnail"]).headers["content-type"] == "image/webp"
        preview = browser.post(f"{path}/preview", recipe="badge", side=20).json()
        assert size(browser.fetch(preview["url"]).body) == (20, 15)
        refused = browser.post(f"{path}/preview", edits=PRESETS["badge"])
        assert (refused.status, refused.code) == (403, "private_object")
        assert browser.post(f"{path}/preview", recipe="cutout").code == "no_such_recipe"
    with serving_gallery(tmp_path, GALLERY_RECIPES="smart-square") as server:
        browser.send = over_http(server)
        assert browser.pictures()[0]["results"] == [], "their presets are gone"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"GALLERY_RECIPES": "cutout,nothing"}, "GALLERY_RECIPES must name .* got `nothing`"),
        ({"GALLERY_SOURCE": "elsewhere"}, "GALLERY_SOURCE must name"),
        ({"PRESETS_ONLY": "Yes", "PRESETS": "{}"}, "GALLERY_SOURCE needs PRESETS_ONLY=No"),
        ({"DIALECTS": "query"}, "GALLERY_SOURCE needs json in DIALECTS"),
        ({"SIGNATURE_SECRET_FILE": ""}, "GALLERY_SOURCE needs SECRETS_MANAGER or SIGNATURE_SECRET_FILE"),
        ({"RECORDS": ""}, "GALLERY_SOURCE needs RECORDS"),
    ],
)
def test_settings_that_contradict_the_gallery_are_refused(
    tmp_path: Path, settings: dict[str, str], expected: str
) -> None:
    with pytest.raises(SettingsError, match=expected):
        Client(gallery_settings(tmp_path, **settings))


def test_a_service_without_a_gallery_has_no_such_pages(tmp_path: Path) -> None:
    client = Client({"SOURCE_BUCKETS": f"photos={tmp_path.as_uri()}"})
    for path in ("/_gallery/", "/_api/gallery/session", "/_api/gallery/pictures"):
        assert client.get(path).status == 404, path


def test_the_page_is_served_with_a_policy_that_runs_no_foreign_script(server: Server) -> None:
    page = server.ask("/_gallery/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = page.headers["content-security-policy"]
    assert ("script-src 'self'" in policy, "unsafe-inline" in policy, "default-src 'none'" in policy) == (1, 0, 1)
    assert server.ask("/_gallery").headers["location"] == "/_gallery/"
    assert server.ask("/_gallery/nothing.js").status == 404


def test_the_page_is_served_by_a_function_too(tmp_path: Path) -> None:
    client = Client({**gallery_settings(tmp_path), "AWS_LAMBDA_FUNCTION_NAME": "images"})
    page = client.get("/_gallery/")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert client.get("/_gallery/nothing.js").status == 404


def test_the_address_without_a_slash_leads_to_the_page_behind_a_cdn_too(tmp_path: Path) -> None:
    (tmp_path / "origin").write_text(SECRET)
    client = Client({**gallery_settings(tmp_path), "ORIGIN_SECRET_FILE": str(tmp_path / "origin")})
    wrapped = "/_p/" + base64.urlsafe_b64encode(b"/_gallery").decode().rstrip("=")  # as the edge function sends it
    answer = client.get(wrapped, x_origin_secret=SECRET)
    assert (answer.status, answer.headers["Location"]) == (302, "/_gallery/")


def test_a_server_opens_the_model_when_a_visitor_comes(tmp_path: Path) -> None:
    require_weights("optimised/u2net.onnx")
    with serving_gallery(tmp_path, WEIGHTS=str(WEIGHTS)) as server:
        before = server.metric("process_resident_memory_bytes")
        browser = Browser(over_http(server))
        assert [browser.ask("GET", "/session").status for _ in range(3)] == [200] * 3
        end = time.monotonic() + 60
        while server.metric("process_resident_memory_bytes") < before + _MODEL_BYTES:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert server.stop() == 0


def test_a_function_opens_no_model_before_it_is_needed(tmp_path: Path) -> None:
    client = Client({**gallery_settings(tmp_path), "AWS_LAMBDA_FUNCTION_NAME": "images", "WEIGHTS": str(WEIGHTS)})
    assert client.get("/_api/gallery/session").status == 200
    assert "model" not in [each.name for each in threading.enumerate()]


def test_other_sites_are_never_allowed(tmp_path: Path) -> None:
    client = Client({**gallery_settings(tmp_path), "AWS_LAMBDA_FUNCTION_NAME": "images", "CORS_ENABLED": "Yes"})
    assert "Access-Control-Allow-Origin" in client.get("/logo.png").headers
    for method, path in (("OPTIONS", "session"), ("GET", "session"), ("GET", "%73ession"), ("OPTIONS", "pictures")):
        answer = client.get(f"/_api/gallery/{path}", method=method, origin="https://evil.example.com")
        assert not [name for name in answer.headers if name.startswith("Access-Control")], (method, path)


@pytest.mark.parametrize(("method", "path"), [("PUT", "session"), ("HEAD", "pictures"), ("PATCH", "pictures")])
def test_other_methods_are_refused(browser: Browser, method: str, path: str) -> None:
    refused = browser.ask(method, f"/{path}")
    assert (refused.status, "GET" in refused.headers["allow"]) == (405, True)


@pytest.mark.parametrize("path", ["/nothing", "/pictures/", "/pictures/a/b", "/pictures/a/results/b/c", "/"])
def test_other_pages_do_not_exist(browser: Browser, path: str) -> None:
    assert (browser.ask("GET", path).status, browser.ask("GET", path).headers["cache-control"]) == (404, "no-store")


def test_actions_are_logged_without_personal_data(tmp_path: Path) -> None:
    with serving_gallery(tmp_path) as server:
        browser = Browser(over_http(server))
        picture = browser.keep(PNG, "Aunt Mary.png")
        assert browser.fetch(picture["original"]["thumbnail"]).status == 200
        browser.post(f"/pictures/{picture['id']}", "PATCH", name="Uncle Bob")
        browser.ask("DELETE", f"/pictures/{picture['id']}")
        tag = browser.ask("GET", "/session").json()["visitor"]
    found = [re.fullmatch(r"\S+Z gallery (\w+) visitor=(\w+) picture=(\w+)\n", line) for line in server.log]
    actions = [match.groups() for match in found if match]
    assert actions == [(action, tag, picture["id"]) for action in ("upload", "rename", "delete")]
    log = "".join(server.log)
    identifier = browser.cookie.split(".")[1]
    assert not [text for text in ("Mary", "Bob", identifier, browser.cookie[-64:]) if text in log]
    # Nor in base64, as the key in the URL of a picture.
    words = [word + "=" * (-len(word) % 4) for word in re.findall(r"GET /(eyJ[\w-]+)…", log)]
    assert [base64.urlsafe_b64decode(word) for word in words] == [b'{"bucket":"gallery","key']


def test_results_with_a_model_are_limited_by_the_hour(tmp_path: Path) -> None:
    with serving_gallery(tmp_path, GALLERY_UPLOADS_PER_HOUR="1") as server:
        browser = Browser(over_http(server))
        path = f"/pictures/{browser.keep(PNG)['id']}/preview"
        replies = [browser.post(path, recipe="cutout", side=16 + number) for number in range(12)]
        assert [each.status for each in replies] == [200] * 10 + [429] * 2
        assert (replies[10].code, "retry-after" in replies[10].headers) == ("too_many_renders", True)
        assert browser.post(path, recipe="smaller").status == 200


def test_a_picture_that_has_failed_is_processed_again(tmp_path: Path) -> None:
    with serving_gallery(tmp_path) as server:
        browser = Browser(over_http(server))
        picture = browser.keep(PNG)
        records = open_records(f"sqlite:///{tmp_path}/records.db", AwsAccess())
        record = records.get(picture["id"])
        assert record is not None
        error = ProcessingError(code="TimeExceeded", message="it took too long", attempts=5)
        assert records.write(replace(record, status="failed", error=error, facts={}), replaces=record.revision)
        records.close()
        [failed] = browser.pictures()
        expected = {"code": "TimeExceeded", "message": "it took too long"}
        assert (failed["status"], failed["error"], failed["original"]) == ("failed", expected, None)
        again = browser.post(f"/pictures/{picture['id']}/retry")
        assert again.status == 202
        assert browser.wait(picture["id"]) == picture


def test_the_secret_is_rotated_without_losing_a_visitor(tmp_path: Path) -> None:
    with serving_gallery(tmp_path) as server:
        browser = Browser(over_http(server))
        picture = browser.keep(PNG)
        first = browser.cookie
    secret = tmp_path / "secret"
    secret.write_text(f"another secret of forty characters, so it is\n{secret.read_text()}\n")
    with serving_gallery(tmp_path) as server:
        browser.send = over_http(server)
        [listed] = browser.pictures()
        assert (listed["id"], browser.cookie != first) == (picture["id"], True)
        for url in (listed["original"]["url"], picture["original"]["url"]):
            assert browser.fetch(url).status == 200
    secret.write_text(secret.read_text().splitlines()[0])
    with serving_gallery(tmp_path) as server:
        assert len(Browser(over_http(server), browser.cookie).pictures()) == 1
        assert Browser(over_http(server), first).pictures() == []
        assert server.ask(picture["original"]["url"]).status == 403


def test_a_visitor_who_has_given_the_password_stays_admitted_when_the_secret_is_rotated(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("open sesame")
    browser = Browser(lambda *_: Reply(0, {}, b""))
    secrets = ["a" * 40, "b" * 40, "c" * 40]
    for number in range(3):
        (tmp_path / "secret").write_text("\n".join(reversed(secrets[max(0, number - 1) : number + 1])))
        with serving_gallery(tmp_path, GALLERY_PASSWORD_FILE=str(tmp_path / "password")) as server:
            browser.send = over_http(server)
            if number == 0:
                assert browser.post("/session", password="open sesame").status == 200
                browser.upload(PNG)
            assert browser.ask("GET", "/session").json()["passwordNeeded"] is False
            assert len(browser.pictures()) == 1
    (tmp_path / "password").write_text("another password")
    with serving_gallery(tmp_path, GALLERY_PASSWORD_FILE=str(tmp_path / "password")) as server:
        browser.send = over_http(server)
        assert browser.ask("GET", "/pictures").code == "password_needed"


def test_a_database_that_does_not_answer_is_a_503_with_a_pause(tmp_path: Path) -> None:
    settings = gallery_settings(tmp_path, RECORDS="postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    client = Client({**settings, "AWS_LAMBDA_FUNCTION_NAME": "images"})
    browser = Browser(over_events(client))
    assert browser.ask("GET", "/session").status == 200, "a new visitor has nothing in it"
    for reply in (browser.ask("GET", "/pictures"), browser.upload(PNG), browser.ask("DELETE", "/pictures")):
        assert (reply.status, reply.headers["retry-after"], reply.headers["cache-control"]) == (503, "5", "no-store")


@pytest.mark.parametrize(
    ("headers", "counted"),
    [
        ({}, "198.51.100.7"),
        ({"x-forwarded-for": "203.0.113.1, 203.0.113.2"}, "203.0.113.2"),
        ({"cloudfront-viewer-address": "203.0.113.3:4711"}, "203.0.113.3"),
        ({"cloudfront-viewer-address": "2001:db8::1:4711"}, "2001:db8::1"),
        ({"cloudfront-viewer-address": "[2001:db8::1]:4711"}, "2001:db8::1"),
    ],
)
@pytest.mark.parametrize("behind_cdn", [True, False])
def test_only_a_cdn_that_has_proven_itself_names_the_address(
    headers: dict[str, str], counted: str, *, behind_cdn: bool
) -> None:
    call = read_http_request(http_api_event("GET", "/_api/gallery/session", headers, b""))
    assert find_address(call, behind_cdn=behind_cdn) == (counted if behind_cdn else "198.51.100.7")
