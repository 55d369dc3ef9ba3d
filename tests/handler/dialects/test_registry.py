"""A dialect is one record in DIALECTS: HTTP, explain, translate, settings, signatures, the log and the docs use it."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tests import pictures
from tests.client import Client, size

from features import by_name
from handler.auth.signature import PathSignature, PathSigning
from handler.config import SettingsError
from handler.observability.redaction import redact_address
from handler.reference import openapi
from handler.requests import dialects
from handler.requests.dialects.dialect import Dialect, Faults, Redaction
from handler.requests.parsed_request import ParsedRequest, Recipe
from imaging import ObjectRef, Step, check, describe_steps

SECRET = "s3cret"
_PATH = re.compile(r"([0-9]+)/(.+)")
_SIGNED = re.compile(r"/?tiny:([0-9a-f]{64})/(.+)")


def parse_signed(text: str, _: Faults) -> ParsedRequest:
    resize = by_name("resize")
    width, key = _PATH.fullmatch(text).groups()  # type: ignore[union-attr]  # these tests sign nothing else
    return ParsedRequest(
        ref=ObjectRef("", key), recipe=Recipe((Step(resize, check(resize.params, {"width": int(width)})),))
    )


def parse(path: str, faults: Faults) -> ParsedRequest | None:
    head, _, rest = path.partition("/")
    return parse_signed(rest, faults) if head == "tiny" and _PATH.fullmatch(rest) else None


def serialize(request: ParsedRequest) -> tuple[str, ...]:
    width = next((each["width"] for each in describe_steps(request.recipe.steps) if "width" in each), 0)
    return (f"/tiny/{width}/{request.ref.key}",)


def find_signature(raw_path: str) -> PathSignature | None:
    found = _SIGNED.fullmatch(raw_path)
    return PathSignature(found[1], (found[2],)) if found else None


def sign(text: str, secret: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def redact(text: str) -> str:
    # Messages may show the beginning of a long value.
    return re.sub(r"(?<=tiny:)[0-9a-f]{16,}", "…", text)


TINY = Dialect(
    name="tiny",
    description="A path that begins with `tiny` and a width is in the tiny dialect.",
    parse=parse,
    serialize=serialize,
    path_signing=PathSigning(find=find_signature, begins=lambda path: _SIGNED.match(path) is not None, sign=sign),
    parse_signed=parse_signed,
    redaction=Redaction(path=redact, address=redact, message=redact),
)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialects, "DIALECTS", (TINY, *dialects.DIALECTS))


def client(folder: Path, **settings: str) -> Client:
    (folder / "photos").mkdir(exist_ok=True)
    (folder / "photos" / "cat.jpg").write_bytes(pictures.jpeg(pictures.scene(64, 48)))
    (folder / "secret").write_text(SECRET)
    return Client({"SOURCE_BUCKETS": f"p=file://{folder / 'photos'}", **settings})


def ask(served: Client, page: str, **query: str) -> Any:
    answer = served.get(f"/_api/{page}?" + urlencode(query))
    assert answer.status == 200, answer.body
    return answer.json()


def test_http_answers_its_paths(tmp_path: Path) -> None:
    served = client(tmp_path)
    assert size(served.get("/tiny/20/cat.jpg").body) == (20, 15)
    # The query applies on top, as in every dialect, and `/_key/` means a key.
    assert size(served.get("/tiny/20/cat.jpg?rotate=90").body) == (15, 20)
    assert served.get("/_key/tiny/20/cat.jpg").status == 404


def test_explain_names_it(tmp_path: Path) -> None:
    assert ask(client(tmp_path), "explain", url="/tiny/20/cat.jpg") == {
        "dialect": "tiny",
        "bucket": "p",
        "key": "cat.jpg",
        "steps": [{"feature": "resize", "width": 20}],
        "output": {},
        "signature": "none",
        "compatibility": "strict",
        "ignored": [],
    }


def test_urls_are_translated_from_it_and_to_it(tmp_path: Path) -> None:
    served = client(tmp_path)
    assert ask(served, "translate", url="/tiny/20/cat.jpg", to="query") == {"url": "/cat.jpg?width=20", "unsaid": []}
    to_tiny = ask(served, "translate", url="/cat.jpg?width=20&blur=3", to="tiny")
    assert to_tiny == {"url": "/tiny/20/cat.jpg", "unsaid": ["blur"]}


def test_the_setting_selects_it(tmp_path: Path) -> None:
    assert client(tmp_path, DIALECTS="tiny").get("/tiny/20/cat.jpg").status == 200
    assert client(tmp_path, DIALECTS="tiny").get("/20x0/cat.jpg").status == 404
    assert client(tmp_path, DIALECTS="query").get("/tiny/20/cat.jpg").status == 404
    with pytest.raises(SettingsError, match=r"DIALECTS must be a comma-separated list of tiny, .* got 'klingon'"):
        client(tmp_path, DIALECTS="query,klingon")


def test_its_signature_covers_what_is_parsed(tmp_path: Path) -> None:
    signed = client(tmp_path, ENABLE_SIGNATURE="Yes", SIGNATURE_SECRET_FILE=str(tmp_path / "secret"))
    address = f"/tiny:{sign('20/cat.jpg', SECRET)}/20/cat.jpg"
    assert size(signed.get(address).body) == (20, 15)
    assert ask(signed, "explain", url=address)["dialect"] == "tiny"
    for other in (address.replace("/20/", "/21/"), address + "?rotate=90", "/tiny/20/cat.jpg"):
        assert signed.get(other).status in (400, 403), other


def test_the_log_does_not_show_its_signature(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    signature = sign("20/cat.jpg", SECRET)
    served = client(tmp_path)
    for address in (
        f"/tiny:{signature}/20/cat.jpg",
        f"/_api/explain?url=/tiny:{signature}/nosuch",
        f"/x?a=tiny:{signature}",
    ):
        served.get(address)
    logged = capsys.readouterr().out
    lines = [json.loads(line) for line in logged.splitlines()]
    assert [line["path"] for line in lines] == ["/tiny:…/20/cat.jpg", "/_api/explain", "/x"]
    assert redact_address("/x", f"url=/tiny:{signature}/nosuch") == "/x?url=/tiny:…/nosuch"
    assert signature[:16] not in logged


def test_the_reference_describes_it() -> None:
    document = json.dumps(openapi())
    assert TINY.description in document
    assert '"enum": ["tiny", ' in document
