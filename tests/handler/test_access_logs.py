"""The URLs of a moving site are found in each kind of log that such a site exports; what is no log is refused."""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from tests import pictures
from tests.handler.dialects.moving_sites.aws import sites
from tests.handler.dialects.test_moving_sites import of_thumbor

from handler.cli.access_logs import AccessLog
from handler.cli.commands import run

DOCS = Path(__file__).parents[2] / "docs"
ADDRESSES = [site.address for site in (*of_thumbor(), *sites())] + ["/photos/it's%20a%7Ecat.jpg?width=10%25&v=a[1]"]
AGENT = "Mozilla/5.0 (X11; Linux x86_64)"
STANDARD_FIELDS = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) "
    "cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken"
)


def logged(text: str) -> str:
    """Return a field as CloudFront writes it: these characters are encoded, also `%`."""
    return "".join(f"%{ord(each):02X}" if each in "<>\"#%{}|\\^~[]`'" or each <= " " else each for each in text)


def cloudfront(address: str) -> str:
    path, _, query = map(logged, address.partition("?"))
    request = ["GET", "d1.cloudfront.net", path, "200", logged("https://www.example.com/a page"), logged(AGENT)]
    start, end = (
        ["2026-11-29", "10:00:00", "FRA56-P1", "2390", "192.0.2.10"],
        ["-", "Hit", "SO", "example.com", "https"],
    )
    return "\t".join([*start, *request, query or "-", *end, "23", "0.001"])


def cloudfront_json(address: str) -> str:
    path, _, query = map(logged, address.partition("?"))
    return json.dumps({"cs-method": "GET", "cs-uri-stem": path, "cs-uri-query": query or "-", "sc-status": "200"})


def combined(address: str) -> str:
    request = f'"GET {address} HTTP/1.1" 200 2326 "https://www.example.com/page?x=1" "{AGENT}"'
    return f"192.0.2.1 - - [29/Nov/2026:10:00:00 +0000] {request}"


def load_balancer(address: str) -> str:
    request = f'"GET https://images.example.com:443{address} HTTP/2.0" "{AGENT}" TLS_AES_128_GCM_SHA256 TLSv1.3'
    return f"h2 2026-11-29T10:00:00Z app/lb/5 192.0.2.1:1 10.0.0.1:80 0.0 0.0 0.0 200 200 34 366 {request}"


def iis(address: str) -> str:
    path, _, query = address.partition("?")
    return f"2026-11-29 10:00:00 GET {path} {query or '-'} 200"


LINES: dict[str, tuple[str, Callable[[str], str]]] = {
    "CloudFront": (f"#Version: 1.0\n#Fields: {STANDARD_FIELDS}\n", cloudfront),
    "CloudFront in JSON": ("", cloudfront_json),
    "Apache and nginx": ("", combined),
    "Apache with virtual hosts": ("", lambda address: f"images.example.com:443 {combined(address)}"),
    "nginx in JSON": ("", lambda address: json.dumps({"ip": "192.0.2.1"}) + f' "GET {address} HTTP/1.1"'),
    "load balancer": ("", load_balancer),
    "W3C with spaces": ("#Fields: date time cs-method cs-uri-stem cs-uri-query sc-status\n", iis),
    "list of paths": ("", str),
    "list of URLs": ("", lambda address: f"https://images.example.com{address}"),
}


@pytest.mark.parametrize("encode", [str.encode, lambda text: gzip.compress(text.encode())], ids=["plain", "gzip"])
@pytest.mark.parametrize("kind", LINES)
def test_every_address_is_found_as_it_was_requested(kind: str, encode: Callable[[str], bytes]) -> None:
    head, write = LINES[kind]
    log = AccessLog(io.BytesIO(encode(head + "".join(f"{write(address)}\n" for address in ADDRESSES))))
    assert list(log.read_urls()) == ADDRESSES
    assert log.skipped == 0


@pytest.mark.parametrize(
    ("encoding", "newline"),
    [("utf-8-sig", "\r\n"), ("utf-16", "\r\n"), ("utf-8", "\n")],
    ids=["mark", "utf-16", "utf-8"],
)
def test_lists_of_other_systems_are_read(encoding: str, newline: str) -> None:
    text = newline.join(("/a.jpg?width=1", "https://cdn.example/b.jpg#part", '"/c.jpg",5', ""))
    assert list(AccessLog(io.BytesIO(text.encode(encoding))).read_urls()) == ["/a.jpg?width=1", "/b.jpg", "/c.jpg"]


def test_the_rest_of_a_line_that_is_too_long_is_no_url() -> None:
    log = AccessLog(io.BytesIO(b"/a.jpg?v=" + b"/9" * 1_000_000 + b"\n/b.jpg\nnothing\n"))
    assert list(log.read_urls()) == ["/b.jpg"]
    assert log.skipped == 2


DAMAGED = gzip.compress(b"/cat.jpg\n" * 9999, mtime=0)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "FILE holds no URL of a GET or HEAD request"),
        (b"nothing\nhere\n", "(2 lines of something else)"),
        (random.Random(1).randbytes(50_000), "got binary data"),
        (gzip.compress(bytes(9999), mtime=0), "got binary data"),
        (DAMAGED[:60], "FILE cannot be read: "),
        (DAMAGED[:40] + bytes(40), "FILE cannot be read: "),
    ],
)
def test_what_is_no_log_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], body: bytes, message: str
) -> None:
    (tmp_path / "log").write_bytes(body)
    assert run(["check-urls", str(tmp_path / "log")]) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""


def test_a_damaged_host_is_no_traceback() -> None:
    assert list(AccessLog(io.BytesIO(b"http://[bad/cat.jpg\n")).read_urls()) == ["/cat.jpg"]


@pytest.mark.parametrize("guide", ["migrate-from-aws.md", "migrate-from-thumbor.md"])
@pytest.mark.parametrize("fetch", [(), ("--fetch",)], ids=["check", "fetch"])
def test_the_command_of_a_guide_works_as_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    guide: str,
    fetch: tuple[str, ...],
) -> None:
    text = " ".join((DOCS / guide).read_text(encoding="utf-8").split())
    (command,) = set(re.findall(r"`([^`]* image-handler check-urls access\.log)`", text))
    settings, _, arguments = command.partition(" image-handler ")
    for setting in shlex.split(settings):
        monkeypatch.setenv(*setting.split("=", 1))
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(pictures.jpeg(pictures.scene(64, 48)))
    (tmp_path / "access.log").write_text(combined("/fit-in/30x30/filters:gifv()/photos/cat.jpg") + "\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_BUCKETS", f"p=file://{tmp_path}")
    assert run([*shlex.split(arguments), *fetch]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("ignored\t/fit-in/30x30/filters:gifv()/photos/cat.jpg\t")
    assert ("image/jpeg, " in told.out) == bool(fetch)
    assert "1 ignored: filters:gifv" in told.err
