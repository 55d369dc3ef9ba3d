"""An address without a page: browsers get a page that leads to the others, other clients JSON."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from tests.client import Client
from tests.local_server import SAMPLES

from handler import pages
from handler.composition.server import adapt_to_server

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
UNKNOWN = ["/_docs/nosuch", "/_demo/nosuch.html", "/_gallery/nosuch", "/_api/nosuch", "/_nosuch"]
ENVIRONMENT = {"SOURCE_BUCKETS": f"images={SAMPLES.as_uri()}"}


@pytest.fixture(scope="module")
def service() -> Client:
    return Client(ENVIRONMENT)


@pytest.mark.parametrize("path", UNKNOWN)
def test_a_browser_gets_a_page_whose_links_all_lead_somewhere(service: Client, path: str) -> None:
    answer = service.get(path, accept=BROWSER)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Vary"] == "Accept"
    assert "ETag" not in answer.headers
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    text = answer.body.decode()
    assert "<h1>There is no page here</h1>" in text
    addresses = {unescape(each) for each in re.findall(r'\s(?:href|src|data-index)="([^"#][^"]*)"', text)}
    assert {"/_docs/", "/_api/docs"} <= addresses
    assert {address: service.get(address).status for address in addresses} == dict.fromkeys(addresses, 200)


@pytest.mark.parametrize("path", UNKNOWN)
@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "image/webp,*/*", "text/html;q=0"])
def test_other_clients_get_json(service: Client, path: str, accept: str) -> None:
    answer = service.get(path, accept=accept)
    assert answer.status == 404
    assert answer.json() == {"status": 404, "code": "NotFound", "message": f"no page is called '{path}'"}
    assert answer.headers["Vary"] == "Accept"


def test_a_missing_image_stays_json_for_a_browser(service: Client) -> None:
    assert service.get("/nosuch.jpg", accept=BROWSER).json()["code"] == "NoSuchKey"


def test_a_path_in_the_message_is_not_markup(service: Client) -> None:
    answer = service.get("/_docs/%3Cscript%3Ealert(1)%3C/script%3E", accept=BROWSER)
    assert b"alert" not in answer.body


def test_a_call_that_is_no_get_gets_json(service: Client) -> None:
    assert service.post("/_api/nosuch", b"{}", accept=BROWSER).json()["code"] == "NotFound"


@pytest.mark.parametrize("path", ["/_docs/nosuch", "/_docs/", "/_docs/signing", "/_api/docs"])
def test_a_page_leads_to_the_demo_where_a_server_or_the_cdn_has_it(service: Client, path: str) -> None:
    server, cdn = Client(ENVIRONMENT), Client(ENVIRONMENT, demo_bucket="pages")
    server.application = adapt_to_server(server.application)
    assert pages.HOME in pages.demo()
    for client, is_linked in ((server, True), (cdn, True), (service, False)):
        assert (b'href="/_demo/"' in client.get(path, accept=BROWSER).body) == is_linked


@pytest.mark.parametrize("path", ["/_api", "/_api/"])
def test_the_home_of_the_api_leads_to_its_reference(service: Client, path: str) -> None:
    answer = service.get(path)
    assert answer.status == 302
    assert service.get(answer.headers["Location"]).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize(
    "path",
    [
        *("/_api", "/_api/", "/_api/docs", "/_api/openapi.json", "/_api/capabilities", "/_api/explain"),
        *("/_docs", "/_docs/", "/_docs/signing", "/_docs/search.json", "/_health", "/_ready", "/_demo"),
    ],
)
def test_a_page_can_only_be_read(service: Client, path: str, method: str) -> None:
    answer = service.get(path, method=method, accept=BROWSER)
    assert (answer.status, answer.headers["Allow"], answer.json()["code"]) == (405, "GET, HEAD", "MethodNotAllowed")
    assert service.get(path, method="HEAD").status == service.get(path).status != 404


def test_a_stored_result_can_only_be_read(tmp_path: Path) -> None:
    stores_results = Client({**ENVIRONMENT, "RESULTS_BUCKET": f"results={tmp_path.as_uri()}"})
    for path in ("/_results/x", "/_results/private/x"):
        answer = stores_results.get(path, method="PUT")
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
