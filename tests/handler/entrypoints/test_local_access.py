"""Who uses the operator API of the local server without a token: this machine, and no page of another site."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import pictures
from tests.client import Client
from tests.local_server import Server, serving

HOST = "127.0.0.1:8000"
PAGES = ["images", "sign?url=/a.jpg"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.jpg").write_bytes(pictures.jpeg())
    return tmp_path


@pytest.fixture
def local(folder: Path) -> Client:
    environment = {"SOURCE_BUCKETS": f"p=file://{folder / 'pictures'}", "CORS_ENABLED": "Yes"}
    return Client(environment, operator_open=True)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "Cross-Site"},
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:3000"},
        {"origin": "http://127.0.0.1"},
        {"origin": "null"},
        {"origin": f"http://{HOST}.evil.example"},
        {"origin": f"http://{HOST}@evil.example"},
        {"origin": "http://[", "sec_fetch_site": "same-origin"},
        {"referer": "https://evil.example/127.0.0.1:8000/"},
        {"origin": f"http://{HOST}", "sec_fetch_site": "cross-site"},
    ],
)
def test_pages_of_other_sites_are_refused(local: Client, headers: dict[str, Any]) -> None:
    for page in PAGES:
        answer = local.get(f"/_api/{page}", host=HOST, **headers)
        assert (answer.status, answer.json()["code"]) == (403, "Forbidden")
        assert f"http://{HOST}" in answer.json()["message"]
    answer = local.post("/_api/purge", b'{"keys": ["a.jpg"]}', host=HOST, content_type="text/plain", **headers)
    assert answer.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec_fetch_site": "none"},
        {"sec_fetch_site": "same-origin", "origin": f"http://{HOST}", "referer": f"http://{HOST}/_demo/"},
        {"origin": f"http://{HOST.upper()}"},
    ],
)
def test_its_own_page_and_programs_are_answered(local: Client, headers: dict[str, Any]) -> None:
    for page in PAGES:
        assert local.get(f"/_api/{page}", host=HOST, **headers).status == 200


@pytest.mark.parametrize(
    "header",
    ["forwarded", "x_forwarded_for", "x_forwarded_host", "x_forwarded_proto", "x_forwarded_prefix", "via", "x_real_ip",
     "X_Real_IP", "cf_connecting_ip", "true_client_ip", "x_envoy_external_address", "x_amz_cf_id"],
)  # fmt: skip
def test_what_a_proxy_has_brought_is_not_local(local: Client, header: str) -> None:
    brought: dict[str, Any]
    for value in ("127.0.0.1", ""):
        brought = {header: value}
        for page in PAGES:
            assert local.get(f"/_api/{page}", host=HOST, **brought).status == 404


@pytest.mark.parametrize("host", ["images.example.com", "localhost.example.com", "10.0.0.1", "", "0.0.0.0:8000"])
def test_other_host_names_are_not_local(local: Client, host: str) -> None:
    assert local.get("/_api/images", host=host).status == 404


def test_no_other_site_may_read_what_is_open(local: Client, folder: Path) -> None:
    assert local.get("/a.jpg").headers["Access-Control-Allow-Origin"] == "*"
    for page in ("images", "nosuch", "explain?url=/a.jpg"):
        for method in ("GET", "OPTIONS", "POST"):
            for spelling in ("/_api/", "/%5Fapi/", "/_api%2F"):
                headers = local.get(spelling + page, method=method, host=HOST).headers
                assert not [name for name in headers if name.startswith("Access-Control")], (spelling, page, method)
    # With a token the token is what counts; a page that has it may read.
    (folder / "token").write_text("the token")
    environment = {"OPERATOR_TOKEN_FILE": str(folder / "token"), "CORS_ENABLED": "Yes"}
    closed = Client({"SOURCE_BUCKETS": f"p=file://{folder / 'pictures'}", **environment}, operator_open=True)
    for known, status in (("Bearer the token", 200), ("", 401)):
        answer = closed.get("/_api/images", host=HOST, origin="https://site.example", authorization=known)
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (status, "*")


def test_another_site_reads_no_settings_from_the_local_server(folder: Path) -> None:
    (folder / "secret").write_text("the secret")
    environment = {"ENABLE_SIGNATURE": "Yes", "SIGNATURE_SECRET_FILE": str(folder / "secret")}
    local = Client({"SOURCE_BUCKETS": f"p=file://{folder / 'pictures'}", **environment}, operator_open=True)
    assert local.get("/_api/explain?url=/a.jpg", host=HOST).json()["bucket"] == "p"
    strangers: tuple[dict[str, Any], ...] = ({"origin": "https://evil.example"}, {"x_forwarded_for": "198.51.100.7"})
    for stranger in strangers:
        assert "bucket" not in local.get("/_api/explain?url=/a.jpg", host=HOST, **stranger).json()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "a.jpg").write_bytes(pictures.jpeg())
    with serving(folder) as server:
        yield server


def test_the_server_tells_proxies_from_clients(served: Server) -> None:
    """As nginx up to 1.29 comes: HTTP/1.0 and the Host of the upstream."""
    assert served.ask("/_api/images").status == 200
    assert served.ask("/_api/images", x_real_ip="198.51.100.7").status == 404
    assert served.ask("/_api/images", origin="https://evil.example").status == 403
    assert served.ask("/_api/purge", "POST", b'{"keys": ["a.jpg"]}', sec_fetch_site="cross-site").status == 403
    assert status_in_http_1_0(served, "/_api/images") == 404
    assert status_in_http_1_0(served, "/a.jpg") == 200


def status_in_http_1_0(server: Server, path: str) -> int:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        request = f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        with connection.makefile("rb") as answer:
            return int(answer.readline().split()[1])


def test_a_server_behind_a_proxy_opens_nothing(folder: Path) -> None:
    with serving(folder / "pictures", "--behind-proxy") as server:
        assert server.ask("/_api/images").status == 404
        assert server.ask("/a.jpg?removeBackground=u2net").status == 403
        assert server.ask("/a.jpg?width=20", host="images.example.com").status == 200


FORWARDED: dict[str, Any] = {
    "forwarded": 'for=127.0.0.1;host=localhost;proto=https;by="_secret"',
    "x_forwarded_for": "127.0.0.1, ::1",
    "x_forwarded_host": "localhost",
    "x_forwarded_proto": "https",
    "x_forwarded_port": "443",
    "x_forwarded_uri": "/_api/images",
    "x_original_url": "/_api/images",
    "x_rewrite_url": "/_api/images",
    "x_http_method_override": "DELETE",
    "x_real_ip": "127.0.0.1",
    "via": "1.1 cloudfront",
    "host": "localhost",
}


def test_forwarded_headers_are_not_trusted(folder: Path) -> None:
    """Without the origin secret a request is refused, whatever its headers say; with it they say nothing."""
    (folder / "origin").write_text("from the edge")
    source = {"SOURCE_BUCKETS": f"p=file://{folder / 'pictures'}"}
    behind_the_cdn = Client({**source, "ORIGIN_SECRET_FILE": str(folder / "origin")})
    plain, expected = Client(source), Client(source).get("/a.jpg?width=20")
    for page in ("/a.jpg?width=20", "/_api/images", "/_api/explain?url=/a.jpg", "/_health"):
        assert behind_the_cdn.get(page, **FORWARDED).status == 403
    for answer in (
        plain.get("/a.jpg?width=20", **FORWARDED),
        behind_the_cdn.get("/a.jpg?width=20", x_origin_secret="from the edge", **FORWARDED),
    ):
        assert (answer.status, answer.headers, answer.body) == (200, expected.headers, expected.body)
    for client in (plain, behind_the_cdn):
        assert client.get("/_api/images", x_origin_secret="from the edge", **FORWARDED).status == 404
