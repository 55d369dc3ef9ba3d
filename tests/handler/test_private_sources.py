"""An image of a private source is served only with a signature of the whole URL, whatever names it."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from tests import vault
from tests.client import Answered, Client, answered, function_url_event, size
from tests.mutants import signed_path, signed_query
from tests.vault import ADDRESSES, Vault

MISSING, WRONG = "AuthorizationQueryParametersError", "SignatureDoesNotMatch"
_NEEDS_MORE = {
    "query, URL of an origin", "query, http URL of an origin", "imgproxy, URL of an origin", "background"
}  # fmt: skip
"""Signed, these need the network or a model."""


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    return Vault(tmp_path_factory.mktemp("vault"))


@pytest.fixture(scope="module")
def imgproxy(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    return Vault(tmp_path_factory.mktemp("imgproxy"), DIALECTS="imgproxy,json,query")


@pytest.fixture(scope="module")
def imagor(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    return Vault(tmp_path_factory.mktemp("imagor"), DIALECTS="imagor,json,query")


@pytest.fixture(scope="module")
def imgproxy_with_keys(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    keys = {"IMGPROXY_KEY": vault.IMGPROXY_KEY, "IMGPROXY_SALT": vault.IMGPROXY_SALT}
    return Vault(tmp_path_factory.mktemp("keys"), DIALECTS="imgproxy,json,query", **keys)


def code(answer: Answered) -> str:
    return str(answer.json()["code"])


def signed(address: str) -> str:
    path, _, query = address.partition("?")
    pairs = dict(pair.split("=", 1) for pair in query.split("&") if pair)
    return signed_query(unquote(path), {name: unquote(value) for name, value in pairs.items()})


CASES = [
    pytest.param(
        first if (first := name.partition(",")[0]) in ("imgproxy", "imagor") else "services", name, address, id=name
    )
    for name, address in ADDRESSES.items()
]


@pytest.mark.parametrize(("service", "name", "address"), CASES)
def test_without_a_signature_an_existing_image_answers_as_a_missing_one(
    service: str, name: str, address: str, request: pytest.FixtureRequest
) -> None:
    both: Vault = request.getfixturevalue(service)
    full, empty = both.full.get(address), both.empty.get(address)
    assert (full.status, code(full)) == (403, MISSING), (name, full.body)
    assert full == empty


@pytest.mark.parametrize(("service", "name", "address"), CASES)
@pytest.mark.parametrize("headers", [{"if-none-match": "*"}, {"range": "bytes=0-0"}, {"accept": "image/avif"}])
def test_neither_headers_nor_a_head_request_tell_anything(
    service: str, name: str, address: str, headers: dict[str, str], request: pytest.FixtureRequest
) -> None:
    both: Vault = request.getfixturevalue(service)
    event = function_url_event(address, method="HEAD", headers=headers)
    full, empty = (answered(each.invoke(event)) for each in (both.full, both.empty))
    assert full.status == 403, name
    assert full == empty


@pytest.mark.parametrize(("service", "name", "address"), CASES)
def test_a_wrong_signature_is_refused_alike(
    service: str, name: str, address: str, request: pytest.FixtureRequest
) -> None:
    both: Vault = request.getfixturevalue(service)
    wrong = f"{address}{'&' if '?' in address else '?'}signature={'0' * 64}"
    full, empty = both.full.get(wrong), both.empty.get(wrong)
    assert (full.status, code(full)) == (403, WRONG), (name, full.body)
    assert full == empty


@pytest.mark.parametrize(("service", "name", "address"), [case for case in CASES if case.id not in _NEEDS_MORE])
def test_with_a_signature_it_is_served(service: str, name: str, address: str, request: pytest.FixtureRequest) -> None:
    both: Vault = request.getfixturevalue(service)
    full, empty = both.full.get(signed(address)), both.empty.get(signed(address))
    exists = ".." not in address
    assert (full.status, empty.status) == (200 if exists else 404, 404), (name, full.body, empty.body)


def test_a_signature_in_the_path_opens_what_it_covers(services: Vault) -> None:
    path = signed_path("20x0/inside/a%20b/cat.jpg")
    assert size(services.full.get(path).body) == (20, 12)
    assert services.empty.get(path).status == 404
    for beside in ("width=9", "bucket=vault"):
        assert services.full.get(f"{path}?{beside}") == services.empty.get(f"{path}?{beside}")


def test_a_signature_of_a_public_image_opens_no_private_one(services: Vault) -> None:
    overlay = "watermark.bucket=vault&watermark.key=a%20b/cat.jpg"
    for address in (signed("/public.jpg?width=20"), signed_path("20x0/public.jpg"), signed_path("public.jpg")):
        assert services.full.get(address).status == 200
        extended = f"{address}{'&' if '?' in address else '?'}{overlay}"
        full = services.full.get(extended)
        assert (full.status, code(full)) == (403, WRONG)
        assert full == services.empty.get(extended)
    assert services.full.get(signed(f"/public.jpg?{overlay}")).status == 200


def test_public_images_need_no_signature_and_a_wrong_one_changes_nothing(services: Vault) -> None:
    plain = services.full.get("/public.jpg?width=20")
    assert size(plain.body) == (20, 13)
    for signature in ("", "0" * 64):
        assert services.full.get(f"/public.jpg?width=20&signature={signature}").body == plain.body


def test_keys_of_imgproxy_open_no_private_source(imgproxy_with_keys: Vault) -> None:
    """They are often those of another program. The service's own secret has to sign the whole URL."""
    public, private = "/w:20/plain/public.jpg", "/w:20/plain/local:///a%20b/cat.jpg"
    full, empty = imgproxy_with_keys.full, imgproxy_with_keys.empty
    assert full.get(f"/{vault.imgproxy_signature(public)}{public}").status == 200
    alone = f"/{vault.imgproxy_signature(private)}{private}"
    refused = full.get(alone)
    assert (refused.status, code(refused)) == (403, MISSING)
    assert refused == empty.get(alone)
    both = alone + "?" + signed(alone).partition("?")[2]
    assert (full.get(both).status, empty.get(both).status) == (200, 404)


def test_a_signed_url_may_use_what_is_not_public(tmp_path: Path) -> None:
    services = Vault(tmp_path, PUBLIC_FEATURES="")
    address = "/public.jpg?info.details=true"
    unsigned = services.full.get(address)
    assert (unsigned.status, code(unsigned)) == (403, "Forbidden")
    assert services.full.get(signed(address)).status == 200


def test_the_rule_holds_where_every_url_must_be_signed(tmp_path: Path) -> None:
    services = Vault(tmp_path, ENABLE_SIGNATURE="Yes")
    for address in ("/public.jpg", ADDRESSES["query"]):
        assert (services.full.get(address).status, code(services.full.get(address))) == (400, MISSING)
        assert services.full.get(signed(address)).status == 200


def test_the_default_source_may_be_private(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret of the tests")
    (tmp_path / "photos").mkdir()
    client = Client({
        "SOURCE_BUCKETS": f"photos=file://{tmp_path}/photos", "PRIVATE_SOURCES": "photos",
        "SIGNATURE_SECRET_FILE": f"{tmp_path}/secret",
    })  # fmt: skip
    assert client.get("/a.jpg").status == 403
    assert client.get(signed("/a.jpg")).status == 404


def test_an_aws_principal_and_the_operator_read_private_sources(services: Vault) -> None:
    event = {"imageKey": vault.KEY, "bucket": "vault", "feature": "resize", "width": 20}
    assert services.full.invoke(event)["statusCode"] == 200
    (token := Path(services.folder, "token")).write_text("a token of the operator")
    operated = services.client("full", OPERATOR_TOKEN_FILE=str(token))
    listing = "/_api/images?bucket=vault&prefix=a%20b/"
    assert operated.get(listing).status == 401
    bearer = "Bearer a token of the operator"
    assert [each["key"] for each in operated.get(listing, authorization=bearer).json()["images"]] == [vault.KEY]
    body = json.dumps({"url": ADDRESSES["query"], "expires": "1h"}).encode()
    url = operated.post("/_api/sign", body, authorization=bearer).json()["url"]
    assert operated.get(url).status == 200
    assert operated.get(url.replace("expires=2", "expires=3")).status == 403


@pytest.mark.parametrize(("service", "name", "address"), CASES)
def test_explain_and_translate_tell_nothing_of_an_image(
    service: str, name: str, address: str, request: pytest.FixtureRequest
) -> None:
    both: Vault = request.getfixturevalue(service)
    explained = both.full.get(f"/_api/explain?url={quote(address)}")
    assert explained.json()["signature"] == "missing", (name, explained.body)
    for page in (f"/_api/explain?url={quote(address)}", f"/_api/translate?to=json&url={quote(address)}"):
        assert both.full.get(page) == both.empty.get(page)
