"""Signatures of Thumbor paths through the real entrypoint: what they cover, and what they do not."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from libthumbor import CryptoURL
from tests import pictures
from tests.client import Client, size

from handler.observability.redaction import redact_address

SECRET = "thumbor's key"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pictures" / "300x200").mkdir(parents=True)
    for name in ("cat.jpg", "é ü+.jpg", "100%.jpg", "300x200/cat.jpg"):
        (tmp_path / "pictures" / name).write_bytes(pictures.jpeg(pictures.scene(64, 48)))
    (tmp_path / "secret").write_text(f"{SECRET}\nthe previous one")
    return tmp_path


def client(folder: Path, **more: str) -> Client:
    secret = {"SIGNATURE_SECRET_FILE": str(folder / "secret")}
    return Client({"SOURCE_BUCKETS": f"p=file://{folder / 'pictures'}", **secret, **more})


@pytest.fixture
def signed(folder: Path) -> Client:
    return client(folder, ENABLE_SIGNATURE="Yes")


def made(key: str = SECRET, **options: object) -> str:
    return str(CryptoURL(key=key).generate(image_url="cat.jpg", **options))


@pytest.mark.parametrize("key", [SECRET, "the previous one"])
def test_a_path_that_libthumbor_signed_is_accepted(signed: Client, key: str) -> None:
    answer = signed.get(made(key, width=30, height=20, filters=["grayscale()", "format(png)"]))
    assert (answer.status, size(answer.body)) == (200, (30, 20))
    assert answer.headers["Content-Type"] == "image/png"


def test_a_signature_may_cover_the_encoded_or_the_decoded_path(signed: Client) -> None:
    sign = CryptoURL(key=SECRET).generate
    for plain, raw in (("é ü+", "%C3%A9%20%C3%BC+"), ("100%", "100%25")):
        # What is decoded must not hold a percent sign: it would be another path's spelling.
        decoded = sign(image_url=f"{plain}.jpg").replace(plain, raw)
        assert signed.get(sign(image_url=f"{raw}.jpg")).status == 200
        assert signed.get(decoded).status == (400 if "%" in plain else 200)


def test_a_signature_may_begin_with_an_underscore(signed: Client) -> None:
    address = next(path for path in (made(width=width, height=20) for width in range(1, 2000)) if path[1] == "_")
    assert signed.get(address).status == 200
    assert signed.get(address.replace("x20", "x21")).status in (400, 403)


@pytest.mark.parametrize("change", [("30x", "31x"), ("cat.jpg", "300x200/cat.jpg"), ("=/", "=//")])
def test_any_other_path_is_refused(signed: Client, change: tuple[str, str]) -> None:
    address = made(width=30)
    assert signed.get(address).status == 200
    answer = signed.get(address.replace(*change))
    assert answer.status in (400, 403)


@pytest.mark.parametrize(
    "mutant",
    [
        "%2F4000x3000/cat.jpg",
        "%2f300x200/cat.jpg",
        "%2Ffilters:watermark(secret.jpg,0,0,0,100,100):quality(99)/cat.jpg",
        "%252F300x200/cat.jpg",
        "%2Fcat.jpg",
        "/%2Fcat.jpg",
        "/300x200%2Fcat.jpg",
        "/cat.jpg%2F..%2Fsecret.jpg",
    ],
)
def test_an_encoded_slash_is_not_a_separator(signed: Client, folder: Path, mutant: str) -> None:
    """This holds for a URL that is requested directly, and for one that the CDN has wrapped."""
    signature = made()[:29]
    assert signed.get(f"{signature}/cat.jpg").status == 200
    assert signed.get(signature + mutant).status == 400
    with_query = f"{signature}{mutant}?signature={'0' * 64}"
    assert signed.get(with_query).status == 403
    through_the_cdn = client(folder, ENABLE_SIGNATURE="Yes", ORIGIN_SECRET_FILE=str(folder / "secret"))
    for address, status in ((f"{signature}/cat.jpg", 200), (signature + mutant, 400)):
        assert through_the_cdn.get(wrapped(address), x_origin_secret=SECRET).status == status


def test_a_signed_path_is_split_before_its_escapes_are_decoded(signed: Client, folder: Path) -> None:
    """The signature covers the text with its escapes, and that text is what is parsed."""
    sign = CryptoURL(key=SECRET).generate
    assert size(signed.get(sign(image_url="300x200%2Fcat.jpg")).body) == (64, 48)
    assert size(signed.get(sign(image_url="300x200/cat.jpg")).body) == (300, 200)
    (folder / "pictures" / "a,b.jpg").write_bytes(pictures.jpeg(pictures.scene(8, 8)))
    overlay = sign(image_url="cat.jpg", filters=["watermark(a%2Cb.jpg,0,0,0)", "format(png)"])
    assert signed.get(overlay).status == 200
    assert signed.get(overlay.replace("%2C", ",")).status == 400


def test_a_signature_of_the_query_covers_one_reading_of_the_path(signed: Client) -> None:
    """`/SIG/key` and `/SIG%2Fkey` have the same canonical form, but only the first of them was signed."""
    signatures = signed.application.http.signatures
    assert signatures is not None
    whole = signatures.signed_url(made(width=30) + "?format=png")
    assert signed.get(whole).status == 200
    refused = signed.get(whole.replace("%3D/", "%3D%2F"))
    assert (refused.status, refused.json()["code"]) == (403, "SignatureDoesNotMatch")


def test_parameters_beside_a_signed_path_must_be_signed_too(signed: Client) -> None:
    address = made(width=30)
    refused = signed.get(address + "?blur=5")
    assert (refused.status, refused.json()["code"]) == (403, "SignatureDoesNotMatch")
    assert "`blur`" in refused.json()["message"]
    assert signed.get(address + "?utm_source=mail").status == 200
    signatures = signed.application.http.signatures
    assert signatures is not None
    whole = signatures.signed_url(address + "?format=png")
    assert signed.get(whole).headers["Content-Type"] == "image/png"
    assert signed.get(whole.replace("png", "webp")).status == 403


def test_unsafe_and_aws_paths_need_a_signature_of_the_whole(signed: Client, folder: Path) -> None:
    signatures = signed.application.http.signatures
    assert signatures is not None
    for path in ("/unsafe/30x20/cat.jpg", "/30x20/cat.jpg"):
        assert signed.get(path).status == 400
        assert size(signed.get(signatures.signed_url(path)).body) == (30, 20)
        assert size(client(folder).get(path).body) == (30, 20)


def test_signed_paths_stay_valid_where_signatures_are_off(folder: Path) -> None:
    off = client(folder)
    assert size(off.get(made(width=30)).body)[0] == 30
    assert off.get(made(width=30) + "?blur=5").status == 403
    assert off.get(made("wrong", width=30)).status == 404
    assert off.get("/cat.jpg?width=20").status == 200


def test_a_key_that_looks_like_a_path_can_be_requested(folder: Path) -> None:
    plain = client(folder)
    assert size(plain.get("/300x200/cat.jpg").body) == (300, 200)
    assert size(plain.get("/_key/300x200/cat.jpg").body) == (64, 48)
    assert size(client(folder, DIALECTS="json,query").get("/300x200/cat.jpg").body) == (64, 48)
    assert plain.get("/unsafe/cat.jpg?width=20").status == 200
    assert client(folder, DIALECTS="query").get("/unsafe/cat.jpg").status == 404


def test_queries_apply_on_top_and_filters_keep_their_order(folder: Path) -> None:
    plain = client(folder)
    assert size(plain.get("/unsafe/30x20/filters:blur(3)/cat.jpg?extend=5").body) == (40, 30)
    assert size(plain.get("/unsafe/30x20/filters:rotate(90)/cat.jpg").body) == (20, 30)
    assert plain.get("/unsafe/filters:max_age(60)/cat.jpg").headers["Cache-Control"] == "public, max-age=60"


def test_a_focal_area_is_kept(folder: Path) -> None:
    plain = client(folder)
    left, right, none = (
        plain.get(f"/unsafe/20x48/filters:format(png){focal}/cat.jpg").body
        for focal in (":focal(0x0:9x9)", ":focal(55x0:64x9)", "")
    )
    assert left == plain.get("/unsafe/20x48/left/filters:format(png)/cat.jpg").body
    assert right == plain.get("/unsafe/20x48/right/filters:format(png)/cat.jpg").body
    assert none not in (left, right)


def test_logs_hold_no_signature(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    address = made(width=30)
    client(folder).get(address)
    client(folder, ORIGIN_SECRET_FILE=str(folder / "secret")).get(wrapped(address))
    logged = [json.loads(line)["path"] for line in capsys.readouterr().out.splitlines()]
    assert logged == ["/…/30x0/cat.jpg", "/…/30x0/cat.jpg"]
    assert redact_address(address.replace("=", "%3D")) == "/…/30x0/cat.jpg"
    assert redact_address(address.replace("/30x0", "%2F30x0")) == "/…/30x0/cat.jpg"
    assert redact_address(address.replace("=/", "%253D%252f")) == "/…/30x0/cat.jpg"
    assert redact_address(f"/%{ord(address[1]):02x}{address[2:]}") == "/…/30x0/cat.jpg"
    client(folder, ORIGIN_SECRET_FILE=str(folder / "secret")).get(wrapped(address) + "=")
    assert json.loads(capsys.readouterr().out)["path"] == "/_p/…"
    key = address[:29]
    for path in ("/30x0/cat.jpg", key, key + "/"):
        assert redact_address(path) == path


def wrapped(address: str) -> str:
    return "/_p/" + base64.urlsafe_b64encode(address.encode()).decode().rstrip("=")
