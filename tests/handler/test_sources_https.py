"""A fixed HTTPS origin: what it answers, and where a request can never be led."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.stand_ins.certificates import server_and_client
from tests.stand_ins.scripted_http import Reply, ScriptedServer, scripted_server

from handler.aws.ssrf_guard import is_public
from handler.core.errors import Forbidden, HandlerError, NotFound, PayloadTooLarge, UpstreamError
from handler.storage.sources import Sources, open_sources
from imaging import ObjectRef

CAT = ObjectRef("", "cat.jpg")
ETAG = {"ETag": '"e1"', "Last-Modified": "Sat, 01 Aug 2026 10:00:00 GMT", "Cache-Control": "max-age=60"}


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return server_and_client(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def origin(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> Iterator[ScriptedServer]:
    with scripted_server(lambda _: Reply(200, b"cat", ETAG), tls[0]) as running:
        yield running


@pytest.fixture
def sources(origin: ScriptedServer, tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> Sources:
    return opened(origin, tls[1])


def opened(
    origin: ScriptedServer, trust: ssl.SSLContext, *, path: str = "/media", timeout: float = 5, limit: int = 1000
) -> Sources:
    return open_sources(
        f"shop={origin.url}{path}", limit=limit, timeout=timeout, allow_private_origins=True, origin_tls=trust
    )


def test_an_object_and_its_facts(origin: ScriptedServer, sources: Sources) -> None:
    stored = sources.get(CAT)
    info = stored.info
    assert (info.ref, info.size, info.etag, info.cache_control) == (("shop", "cat.jpg"), 3, "e1", "max-age=60")
    assert info.last_modified.isoformat() == "2026-08-01T10:00:00+00:00"
    assert stored.read() == b"cat"
    assert sources.head(CAT) == info
    assert [(asked.method, asked.path) for asked in origin.asked] == [
        ("GET", "/media/cat.jpg"),
        ("HEAD", "/media/cat.jpg"),
    ]
    assert origin.asked[0].headers["host"] == origin.host
    assert origin.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("a b.jpg", "/media/a%20b.jpg"),
        ("a%20b.jpg", "/media/a%2520b.jpg"),
        ("what?.jpg", "/media/what%3F.jpg"),
        ("#1.jpg", "/media/%231.jpg"),
        ("é/😀.jpg", "/media/%C3%A9/%F0%9F%98%80.jpg"),
        ("//cat.jpg", "/media///cat.jpg"),
        ("line\r\nX-Evil: 1", "/media/line%0D%0AX-Evil%3A%201"),
        ("https://evil.example/cat.jpg", "/media/https%3A//evil.example/cat.jpg"),
    ],
)
def test_keys_are_encoded_once(origin: ScriptedServer, sources: Sources, key: str, path: str) -> None:
    sources.get(ObjectRef("shop", key)).read()
    assert origin.asked[0].path == path


@pytest.mark.parametrize("key", ["../secret.jpg", "a/../../secret.jpg", "..\\secret.jpg", "a/..\\..\\secret.jpg", ""])
def test_no_way_leads_out_of_the_prefix(origin: ScriptedServer, sources: Sources, key: str) -> None:
    with pytest.raises(NotFound):
        sources.get(ObjectRef("shop", key))
    assert origin.asked == []


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (404, NotFound, 404),
        (410, NotFound, 404),
        (414, NotFound, 404),
        (401, Forbidden, 403),
        (403, Forbidden, 403),
        (429, UpstreamError, 503),
        (500, UpstreamError, 502),
        (503, UpstreamError, 503),
        (504, UpstreamError, 504),
        (206, UpstreamError, 502),
        (204, UpstreamError, 502),
    ],
)
def test_statuses(origin: ScriptedServer, sources: Sources, status: int, kind: type[HandlerError], said: int) -> None:
    origin.script = lambda _: Reply(status)
    for ask in (sources.get, sources.head):
        with pytest.raises(kind) as refused:
            ask(CAT)
        assert refused.value.status == said


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(origin: ScriptedServer, sources: Sources, status: int) -> None:
    origin.script = lambda _: Reply(status, headers={"Location": f"{origin.url}/media/other.jpg"})
    with pytest.raises(UpstreamError, match=r"the request to bucket `[^`]+` failed") as refused:
        sources.get(CAT)
    assert "redirects are not followed" in refused.value.detail
    assert len(origin.asked) == 1


def test_connections_are_kept(origin: ScriptedServer, sources: Sources) -> None:
    for _ in range(5):
        assert sources.get(CAT).read() == b"cat"
    sources.head(CAT)
    assert origin.connections == 1


def test_an_unread_answer_is_not_taken_for_the_next_one(origin: ScriptedServer, sources: Sources) -> None:
    origin.script = lambda asked: Reply(200, asked.path.encode(), ETAG)
    assert sources.get(CAT).info.size == len("/media/cat.jpg")
    assert sources.get(ObjectRef("", "dog.jpg")).read() == b"/media/dog.jpg"
    assert origin.connections == 2


def test_a_kept_connection_that_the_origin_closed(origin: ScriptedServer, sources: Sources) -> None:
    origin.script = lambda _: Reply(200, b"cat", ETAG, sent=3)  # closes after each answer without saying so
    for _ in range(3):
        assert sources.get(CAT).read() == b"cat"
        time.sleep(0.05)
    assert origin.connections == 3


def test_a_body_that_is_cut(origin: ScriptedServer, sources: Sources) -> None:
    origin.script = lambda _: Reply(200, b"x" * 200, ETAG, sent=50)
    stored = sources.get(CAT)
    with pytest.raises(UpstreamError) as refused:
        stored.read()
    assert refused.value.status == 502
    origin.script = lambda _: Reply(200, b"x" * 200, sent=50)
    with pytest.raises(UpstreamError):
        sources.get(CAT)


def test_without_validators_the_bytes_make_the_etag(origin: ScriptedServer, sources: Sources) -> None:
    origin.script = lambda _: Reply(200, b"one cat")
    first = sources.get(CAT)
    assert first.read() == b"one cat"
    assert sources.head(CAT).etag == first.info.etag
    origin.script = lambda _: Reply(200, b"two cat")
    assert sources.get(CAT).info.etag != first.info.etag


def test_without_a_length_the_bytes_are_counted(origin: ScriptedServer, sources: Sources) -> None:
    origin.script = lambda _: Reply(200, b"x" * 900, ETAG, has_length=False)
    stored = sources.get(CAT)
    assert stored.info.size == 900
    assert len(stored.read()) == 900
    origin.script = lambda _: Reply(200, b"x" * 1001, ETAG, has_length=False)
    with pytest.raises(PayloadTooLarge):
        sources.get(CAT)


def test_in_chunks(origin: ScriptedServer, sources: Sources) -> None:
    chunked = b"3\r\ncat\r\n4\r\ndogs\r\n0\r\n\r\n"
    headers = {**ETAG, "Transfer-Encoding": "chunked", "Connection": "keep-alive"}
    origin.script = lambda _: Reply(200, chunked, headers, sent=len(chunked), has_length=False)
    assert sources.get(CAT).read() == b"catdogs"
    origin.script = lambda _: Reply(200, chunked, headers, sent=9, has_length=False)
    with pytest.raises(UpstreamError):
        sources.get(CAT)


def test_a_large_object_is_not_read(origin: ScriptedServer, sources: Sources) -> None:
    origin.script = lambda _: Reply(200, b"x" * 1001, ETAG)
    with pytest.raises(PayloadTooLarge, match="at most 1000 bytes, got 1001"):
        sources.get(CAT).read()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"cat", ETAG, before=100),
        Reply(200, b"cat", ETAG, between=0.1),
    ],
    ids=["silent", "a byte at a time"],
)
def test_a_slow_origin(origin: ScriptedServer, tls: tuple[ssl.SSLContext, ssl.SSLContext], reply: Reply) -> None:
    origin.script = lambda _: reply
    sources = opened(origin, tls[1], timeout=0.5)
    started = time.monotonic()
    with pytest.raises(UpstreamError) as refused:
        sources.get(CAT).read()
    assert refused.value.status == 504
    assert time.monotonic() - started < 40


def test_head_that_tells_nothing_is_asked_again_with_get(origin: ScriptedServer, sources: Sources) -> None:
    origin.script = lambda asked: Reply(
        200, b"" if asked.method == "HEAD" else b"cat", ETAG, has_length=asked.method == "GET"
    )
    assert sources.head(CAT).size == 3


@pytest.mark.parametrize("status", [405, 501])
def test_an_origin_that_knows_no_head(origin: ScriptedServer, sources: Sources, status: int) -> None:
    origin.script = lambda asked: Reply(status) if asked.method == "HEAD" else Reply(200, b"cat", ETAG)
    assert sources.head(CAT).size == 3


def test_an_origin_is_not_listed(sources: Sources) -> None:
    with pytest.raises(Forbidden, match="cannot be listed"):
        sources.list("shop", "")


def test_a_certificate_of_an_unknown_authority(origin: ScriptedServer) -> None:
    sources = opened(origin, ssl.create_default_context())
    with pytest.raises(UpstreamError) as refused:
        sources.get(CAT)
    assert "CERTIFICATE_VERIFY_FAILED" in refused.value.detail


def test_a_certificate_of_another_name(origin: ScriptedServer, tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    other = ScriptedServer(origin.url.replace("localhost", "127.0.0.1"), origin.script)
    with pytest.raises(UpstreamError) as refused:
        opened(other, tls[1]).get(CAT)
    assert "mismatch" in refused.value.detail


def test_loopback_is_refused_unless_a_test_allows_it(
    origin: ScriptedServer, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    sources = open_sources(f"shop={origin.url}", limit=10, origin_tls=tls[1])
    with pytest.raises(Forbidden, match="private address") as refused:
        sources.get(CAT)
    assert refused.value.code == "ImageBucket::CannotAccessBucket"
    assert origin.connections == 0


@pytest.mark.parametrize("private", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254"])
def test_one_private_address_among_public_ones_is_enough(
    monkeypatch: pytest.MonkeyPatch, origin: ScriptedServer, tls: tuple[ssl.SSLContext, ssl.SSLContext], private: str
) -> None:
    """A name server that mixes them in, or answers differently the second time, gains nothing."""

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        return [(2, 1, 6, "", (address, port)) for address in ("198.41.0.4", private)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(Forbidden):
        open_sources("shop=https://rebound.example", limit=10, origin_tls=tls[1]).get(CAT)


def test_the_name_is_resolved_once_and_the_checked_address_is_taken(
    monkeypatch: pytest.MonkeyPatch, origin: ScriptedServer, sources: Sources
) -> None:
    """The second answer of the name server would lead elsewhere; nobody asks for it, and SNI keeps the name."""
    asked = []
    real: Any = socket.getaddrinfo

    def resolve(host: str, port: int, **options: Any) -> list[Any]:
        asked.append(host)
        return list(real("127.0.0.1" if len(asked) == 1 else "192.0.2.1", port, **options))

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert sources.get(CAT).read() == b"cat"
    assert asked == ["localhost"]
    assert origin.asked[0].headers["host"].startswith("localhost:")


def test_a_name_that_does_not_exist(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    with pytest.raises(UpstreamError) as refused:
        open_sources("shop=https://no-such-host.invalid", limit=10, origin_tls=tls[1]).get(CAT)
    assert refused.value.status == 502


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("127.8.9.1", False),
        ("169.254.169.254", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("239.255.255.250", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("::127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("2002:7f00:1::", False),
        ("2002:0808:0808::", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
        ("64:ff9b:1::808:808", False),
        ("fe80::1%eth0", False),
        ("fd00:ec2::254", False),
        ("ff02::1", False),
        ("2001:db8::1", False),
        # What Python 3.11 takes for global
        ("::ffff:0:7f00:1", False),
        ("fec0::1", False),
        ("3fff::1", False),
        ("5f00::1", False),
        ("100:0:0:1::1", False),
        ("192.88.99.1", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
        # Beside what is special
        ("9.255.255.255", True),
        ("11.0.0.0", True),
        ("100.63.255.255", True),
        ("100.128.0.0", True),
        ("172.15.255.255", True),
        ("172.32.0.0", True),
        ("192.0.1.0", True),
        ("223.255.255.255", True),
        ("2001:200::1", True),
        ("2001:db7:ffff::1", True),
        ("3ffe:ffff::1", True),
        ("4000::1", False),
        ("1fff::1", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(address) is public


def special(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)


# The registries of IANA of October 2025, whether globally reachable or not, and what is deprecated beside them.
SPECIAL_4 = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.0.0/29",
    "192.0.0.8/32",
    "192.0.0.9/32",
    "192.0.0.10/32",
    "192.0.0.170/32",
    "192.0.0.171/32",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.88.99.2/32",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
SPECIAL_6 = [
    "::/128",
    "::1/128",
    "::/96",
    "::ffff:0:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001::/32",
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:1::3/128",
    "2001:2::/48",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:30::/28",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]


@given(st.sampled_from(SPECIAL_4 + SPECIAL_6).map(special).flatmap(lambda network: st.ip_addresses(network=network)))
def test_special_addresses_are_never_public(address: IPv4Address | IPv6Address) -> None:
    assert not is_public(str(address))


@given(st.ip_addresses(v=4) | st.sampled_from(SPECIAL_4).flatmap(lambda text: st.ip_addresses(network=text)))
def test_an_address_within_another_decides(address: IPv4Address) -> None:
    public = is_public(str(address))
    assert is_public(f"::ffff:{address}") is public
    assert is_public(f"64:ff9b::{address}") is public
    assert not is_public(f"::{address}")
    assert not is_public(f"::ffff:0:{address}")
    assert not is_public(f"2002:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}::1")


@given(st.ip_addresses())
def test_nothing_is_public_that_python_knows_to_be_private(address: IPv4Address | IPv6Address) -> None:
    # The address within another decides; Python 3.11 takes every mapped address for private.
    holds_another = any(address in ip_network(network) for network in ("64:ff9b::/96", "::ffff:0:0/96"))
    if not holds_another and (not address.is_global or address.is_multicast or address.is_reserved):
        assert not is_public(str(address))
