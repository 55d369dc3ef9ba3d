"""imgproxy's signatures: what is verified is, byte for byte, what is parsed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import pictures
from tests.client import Client, answered, function_url_event, size

from handler.auth.signature import signed_url
from handler.config import SettingsError
from handler.observability.redaction import redact_address
from handler.requests.dialects import imgproxy
from handler.requests.dialects.imgproxy.claim import find_signature

KEYS, SALTS = ("746573742d6b6579", "00ff"), ("746573742d73616c74", "aa")
"""The first pair is that of imgproxy's own tests: test-key and test-salt."""
PATH = "rs:fit:50:50/plain/local:///t.jpg"


def signature(path: str, pair: int = 0, length: int = 32) -> str:
    """Return a signature as imgproxy's documentation computes it."""
    message = bytes.fromhex(SALTS[pair]) + b"/" + path.encode()
    digest = hmac.new(bytes.fromhex(KEYS[pair]), message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:length]).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("originals")
    for name in ("t.jpg", "test1.png"):
        (made / name).write_bytes(pictures.jpeg(pictures.scene(200, 100)))
    return made


def client(folder: Path, **settings: str) -> Client:
    return Client({
        "IMGPROXY_LOCAL_FILESYSTEM_ROOT": str(folder), "DIALECTS": "imgproxy", "IMGPROXY_KEY": ",".join(KEYS),
        "IMGPROXY_SALT": ",".join(SALTS), **settings,
    })  # fmt: skip


def test_a_signature_of_imgproxys_own_tests_is_accepted(folder: Path) -> None:
    """TestSignatureValidationFailure of integration/processing_handler_test.go."""
    served = client(folder)
    path = "/rs:fill:4:4/plain/local:///test1.png"
    assert size(served.get("/My9d3xq_PYpVHsPrCyww0Kh1w5KZeZhIlWhsa4az1TI" + path).body) == (4, 4)
    assert served.get("/unsafe" + path).status == 403
    assert served.get("/bad-signature" + path).status == 403


@pytest.mark.parametrize("pair", [0, 1])
def test_each_pair_of_key_and_salt_signs(folder: Path, pair: int) -> None:
    assert size(client(folder).get(f"/{signature(PATH, pair)}/{PATH}").body) == (50, 25)


def test_a_signature_covers_the_whole_path_and_nothing_beside_it(folder: Path) -> None:
    served, valid = client(folder), signature(PATH)
    refused = [
        f"/{valid}/{PATH}@png", f"/{valid}/{PATH.replace('50', '51')}", f"/{valid}/{PATH}?width=10",
        f"/{valid}=/{PATH}",
        f"/{valid[:-1]}/{PATH}", f"/{valid[:-3]}/{PATH}", f"/x{valid}/{PATH}", f"/{valid.swapcase()}/{PATH}",
        f"/{PATH}",
        "/t.jpg", "/t.jpg?width=10", f"/unsafe/{PATH}", f"/insecure/{PATH}", f"/_/{PATH}", f"/w:1/{PATH}",
    ]  # fmt: skip
    assert {address: served.get(address).status for address in refused} == dict.fromkeys(refused, 403)
    # A name of IGNORED_PARAMETERS changes nothing.
    assert served.get(f"/{valid}/{PATH}?utm_source=x").status == 200
    # A wrong signature on an invalid path is a wrong signature.
    assert served.get("/bad/klingon:1/plain/local:///t.jpg").status == 403
    assert served.get(f"/{signature('klingon:1/plain/x')}/klingon:1/plain/x").status == 404


def test_what_proxies_break_is_mended_before_it_is_verified(folder: Path) -> None:
    served, valid = client(folder), signature(PATH)
    for broken in ("rs%3Afit%3A50%3A50/plain/local:///t.jpg", "rs:fit:50:50/plain/local:/t.jpg", "/" + PATH):
        assert size(served.get(f"/{valid}/{broken}").body) == (50, 25), broken
    assert served.get(f"/{valid}/rs%3afit:50:50/plain/local:///t.jpg").status == 403


@pytest.mark.parametrize("length", [1, 8, 16, 31, 32])
def test_signatures_can_be_shorter(folder: Path, length: int) -> None:
    served = client(folder, IMGPROXY_SIGNATURE_SIZE=str(length))
    assert served.get(f"/{signature(PATH, length=length)}/{PATH}").status == 200
    wrong = 32 if length < 32 else 16
    assert served.get(f"/{signature(PATH, length=wrong)}/{PATH}").status == 403


def test_bits_that_belong_to_no_byte_are_not_compared(folder: Path) -> None:
    valid = signature(PATH)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = valid[:-1] + alphabet[alphabet.index(valid[-1]) | 1]
    assert client(folder).get(f"/{other}/{PATH}").status == 200


def test_a_gateway_may_have_decoded_the_path(folder: Path) -> None:
    """An HTTP API passes on a decoded path: what was signed is found again, and parsed as it was signed."""
    path = "rs:fit:50:50/plain/local:///t.jpg@png"
    event = function_url_event(f"/{signature(path)}/{path}")
    event["requestContext"]["domainName"] = "abc.execute-api.eu-central-1.amazonaws.com"
    answer = answered(client(folder).invoke(event))
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/png")


def test_a_gateway_may_have_decoded_a_path_without_a_signature(folder: Path) -> None:
    served = Client({"SOURCE_BUCKETS": f"local=file://{folder}", "DIALECTS": "imgproxy"})
    event = function_url_event("/unsafe/rs:fit:50:50/plain/local:///t.jpg@png")
    event["requestContext"]["domainName"] = "abc.execute-api.eu-central-1.amazonaws.com"
    answer = answered(served.invoke(event))
    assert (answer.status, answer.headers["Content-Type"], size(answer.body)) == (200, "image/png", (50, 25))


def test_explain_verifies_a_signature_where_no_other_secret_is_set(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("tok3n")
    served = client(folder, OPERATOR_TOKEN_FILE=str(tmp_path / "token"))
    for first, said in ((signature(PATH), "valid"), (signature("w:1/plain/t.jpg"), "invalid"), ("unsafe", "missing")):
        told = served.get(f"/_api/explain?url=/{first}/{PATH}", authorization="Bearer tok3n")
        assert (told.status, told.json()["signature"]) == (200, said), told.body


def test_keys_come_from_a_file(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"IMGPROXY_KEY": ",".join(KEYS), "IMGPROXY_SALT": ",".join(SALTS)}))
    settings = {"DIALECTS": "imgproxy", "IMGPROXY_KEYS_FILE": str(file)}
    served = Client({"SOURCE_BUCKETS": f"local=file://{folder}", **settings})
    assert served.get(f"/{signature(PATH, 1)}/{PATH}").status == 200
    # The file switches signatures on, as IMGPROXY_KEY does.
    assert served.get(f"/unsafe/{PATH}").status == 403


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"IMGPROXY_KEY": "xyz", "IMGPROXY_SALT": "aa"}, "IMGPROXY_KEY must be hexadecimal"),
        ({"IMGPROXY_KEY": "aa,bb", "IMGPROXY_SALT": "aa"}, "as many entries, got 2 and 1"),
        ({"IMGPROXY_KEY": "aa", "IMGPROXY_SALT": ""}, "IMGPROXY_SALT must be hexadecimal"),
        ({"IMGPROXY_TRUSTED_SIGNATURES": "word"}, "IMGPROXY_TRUSTED_SIGNATURES must be left out"),
        ({"IMGPROXY_SECRET": "xyz"}, "IMGPROXY_SECRET must be left out: it is not verified here"),
        ({"DIALECTS": "thumbor"}, "IMGPROXY_KEY needs imgproxy in DIALECTS, got thumbor"),
        (
            {"DIALECTS": "thumbor", "IMGPROXY_KEY": "", "IMGPROXY_SALT": "", "IMGPROXY_KEYS_FILE": "/keys"},
            "IMGPROXY_KEYS_FILE needs imgproxy in DIALECTS",
        ),
        ({"IMGPROXY_SIGNATURE_SIZE": "33"}, "IMGPROXY_SIGNATURE_SIZE must be a whole number from 1 to 32"),
    ],
)
def test_a_wrong_setting_stops_the_service(folder: Path, settings: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as refused:
        client(folder, **settings)
    assert "xyz" not in str(refused.value)


def test_other_dialects_keep_their_own_signatures(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    served = client(folder, DIALECTS="thumbor,imgproxy,query", SIGNATURE_SECRET_FILE=str(tmp_path / "secret"))
    thumbor = base64.urlsafe_b64encode(hmac.new(b"s3cret", b"20x0/t.jpg", hashlib.sha1).digest()).decode()
    assert size(served.get(f"/{thumbor}/20x0/t.jpg").body) == (20, 10)
    assert size(served.get(f"/{signature(PATH)}/{PATH}").body) == (50, 25)
    canonical = hmac.new(b"s3cret", b"/t.jpg?width=30", hashlib.sha256).hexdigest()
    assert size(served.get(f"/t.jpg?width=30&signature={canonical}").body) == (30, 15)
    # A signature of the query covers a path of imgproxy only together with its own signature.
    assert served.get(f"/unsafe/{PATH}?signature={canonical}").status == 403


READINGS = {
    "/unsafe/w:50/plain/t.jpg@png": "/unsafe/w:50/plain/t.jpg%40png",
    "/unsafe/wm:0:ce:0:0:1:x/w:50/plain/t.jpg": "/unsafe/wm:0:ce:0:0:1:x%2Fw:50/plain/t.jpg",
    "/unsafe/w:50/plain/local:///t.jpg": "/unsafe%2Fw%3a50/%70lain/local:///t.jpg",
}
"""Paths → the same path with another encoding, which imgproxy reads as another request."""


@pytest.mark.parametrize(("path", "other"), READINGS.items())
def test_a_signature_in_the_query_covers_one_reading_of_the_path(
    folder: Path, tmp_path: Path, path: str, other: str
) -> None:
    (folder / "t.jpg@png").write_bytes(pictures.jpeg(pictures.scene(60, 40)))
    (tmp_path / "secret").write_text("s3cret")
    settings = {"DIALECTS": "imgproxy,thumbor,query", "ENABLE_SIGNATURE": "Yes"}
    served = Client({
        "SOURCE_BUCKETS": f"local=file://{folder}", "SIGNATURE_SECRET_FILE": str(tmp_path / "secret"), **settings,
    })  # fmt: skip
    signed = signed_url(path, "s3cret")
    query = signed.partition("?")[2]
    answers = [served.get(address) for address in (f"{path}?{query}", f"{other}?{query}", signed)]
    assert [size(answer.body) for answer in answers] == [(50, 25)] * 3
    assert len({answer.headers["ETag"] for answer in answers}) == 1


@pytest.mark.parametrize("prefix", ["", "img/"])
@pytest.mark.parametrize("rest", ["w:50/plain/t.jpg", "/w%3A50/plain/t.jpg", "small/plain/t.jpg", "w,50/plain/t.jpg"])
def test_the_log_has_no_signature(prefix: str, rest: str) -> None:
    for length in (32, 16) if "w:" not in rest else (32, 16, 8):
        assert redact_address(f"/{prefix}{signature(rest, length=length)}/{rest}") == f"/{prefix}…/{rest}"
    # Other first segments say what was requested.
    for path in ("/insecure/w:50/plain/t.jpg", "/unsafe/1200x1200/filters:blur(2)/t.jpg", "/photographs/plain/t.jpg"):
        assert redact_address(path) == path


@pytest.mark.parametrize("size", [1, 4, 8, 15, 16, 31])
@pytest.mark.parametrize("rest", ["w:50/plain/t.jpg", "plain/local:///t.jpg", "bG9jYWw6Ly8vdC5qcGc.png", "dC5qcGc"])
def test_the_log_has_no_truncated_signature_in_any_form(
    folder: Path, capsys: pytest.CaptureFixture[str], size: int, rest: str
) -> None:
    given = signature(rest, length=size)
    served = client(folder, IMGPROXY_SIGNATURE_SIZE=str(size))
    address = f"/{given}/{rest}"
    assert served.get(address).status in (200, 404)
    encoded = "/" + "".join(f"%{ord(letter):02X}" for letter in given) + f"/{rest}"
    for path in (
        address,
        encoded,
        encoded.replace("%", "%25"),
        f"/_api/explain?url={address}",
        f"/_api/explain?url={quote(address, safe='')}",
        f"/t.jpg?x={address}",
        f"/_api/translate?to=query&url={address}",
    ):
        served.get(path)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) >= 8
    for line in lines:
        shown = json.dumps({name: value for name, value in line.items() if name not in ("timestamp", "etag")})
        assert f"/{given}/" not in unquote(unquote(shown)), line


@given(
    st.text(st.sampled_from("ab9_-=//:%3A."), max_size=90)
    | st.builds(
        "{}/{}/{}".format,
        *[
            st.sampled_from(
                (
                    "",
                    "a" * 8,
                    "b-" * 11,
                    "c" * 21,
                    "d" * 43,
                    "e" * 44,
                    "w:5",
                    "w%3A5",
                    "plain",
                    "img",
                    "f" * 16,
                    "plain/t.jpg",
                )
            )
        ]
        * 3,
    )
)
def test_the_quick_look_at_a_path_misses_no_signature(path: str) -> None:
    hidden = re.sub(imgproxy._SIGNED_HEAD, r"\1…", f"/{path}")
    assert imgproxy.DIALECT.redaction.path(f"/{path}") == hidden or f"/{path}".count("/") < 2


@given(st.text(st.sampled_from("abZ09_-=/:%."), max_size=60))
def test_any_path_may_be_searched_for_a_signature(path: str) -> None:
    found = find_signature("/" + path)
    assert found is None or 1 <= len(found.texts) <= 2
