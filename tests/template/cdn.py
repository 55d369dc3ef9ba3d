"""A distribution on loopback: the template's behaviours, its edge function in njs, a cache, and an origin behind them.

As CloudFront does: the behaviour is chosen by the normalised path and the raw one is sent; Authorization is taken off
where the origin request policy does not pass it on; the tags are taken off for viewers.
"""

from __future__ import annotations

import http.client
import posixpath
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from tests.template.edge import Passed, Viewer, code, run
from tests.template.samples import LEAST
from tests.template.stack import Stack

from handler.entrypoints.http import ORIGIN_HEADER
from handler.response import CACHE_TAG

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
_HOPS = ("connection", "transfer-encoding", "content-length", "date", "server")


class Kept(NamedTuple):
    """An answer as the cache has it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    until: float


class Distribution(ThreadingHTTPServer):
    """Listens; `origin` is host and port of what answers, `folder` is njs's."""

    daemon_threads = True

    def __init__(self, origin: str, secret: str, folder: Path, **parameters: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.origin, self.secret, self.folder = origin, secret, folder
        self.script = code(**parameters)
        self.stack = Stack({**LEAST, **parameters})
        self.config: dict[str, Any] = self.stack.resources["Distribution"]["DistributionConfig"]
        self.values: dict[str, str] = {}
        """What the key value store holds."""
        self.cache: dict[tuple[str, ...], Kept] = {}
        self.edge_runs = True
        """Whether the edge function is attached; a test of what is wrong takes it away."""
        self.removes_tags = True
        self.passes_cookies = True
        """Whether the cookies pass that the policies name; a test of what is wrong stops them."""
        self.keeps_signatures = False
        """Whether the headers of the edge function are part of the cache key, which they must not be."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def behaviour(self, path: str) -> dict[str, Any]:
        smooth = posixpath.normpath(re.sub(r"/+", "/", unquote(path)))
        for behaviour in self.config["CacheBehaviors"]:
            if re.fullmatch(re.escape(behaviour["PathPattern"]).replace(r"\*", ".*"), smooth):
                return dict(behaviour)
        return dict(self.config["DefaultCacheBehavior"])

    def at_the_edge(self, viewer: Viewer, behaviour: Mapping[str, Any]) -> Passed:
        if self.edge_runs and "FunctionAssociations" in behaviour:
            name = behaviour["FunctionAssociations"][0]["FunctionARN"].rpartition("/")[2]
            script = self.script if name == "ViewerRequest" else Stack(LEAST).resources[name]["FunctionCode"]
            passed = run(script, [viewer], self.folder, self.values)[0]
            # The other function does not touch the query.
            return passed if name == "ViewerRequest" else Passed(passed.uri, viewer.query, passed.accept)
        return Passed(viewer.uri, viewer.query, ",".join(viewer.accept) or None)

    def ask(self, method: str, passed: Passed, headers: Mapping[str, str], body: bytes) -> Kept:
        """The origin's answer."""
        address = passed.uri + (f"?{passed.query}" if passed.query else "")
        connection = http.client.HTTPConnection(self.origin, timeout=40)
        try:
            connection.request(method, address, body or None, {**headers, ORIGIN_HEADER: self.secret})
            response = connection.getresponse()
            read = response.read()
        finally:
            connection.close()
        said = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOPS]
        return Kept(response.status, said, read, time.monotonic() + _life(response))


def _life(response: http.client.HTTPResponse) -> float:
    said = dict(part.strip().partition("=")[::2] for part in response.getheader("cache-control", "").split(","))
    return 0 if "no-store" in said else float(said.get("s-maxage") or said.get("max-age") or 0)


class _Handler(BaseHTTPRequestHandler):
    server: Distribution
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        uri, _, query = self.path.partition("?")
        behaviour = self.server.behaviour(uri)
        if self.command not in behaviour["AllowedMethods"]:
            self._answer(
                403, [("Content-Type", "text/html")], b"This distribution does not allow that method.", "Error"
            )
            return
        accept = tuple(self.headers.get_all("accept") or ())
        passed = self.server.at_the_edge(Viewer(uri, query, accept, self.command), behaviour)
        if passed.status:
            self._answer(
                passed.status, [("Content-Type", "application/json")], passed.body.encode(), "FunctionGenerated"
            )
        elif behaviour["CachePolicyId"] == CACHING_DISABLED:
            self._pass_on(passed, behaviour)
        else:
            self._from_cache(passed, behaviour)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        if re.fullmatch(r"/2020-05-31/distribution/\w+/invalidation", self.path):
            self._invalidate()
        else:
            self.do_GET()

    def _invalidate(self) -> None:
        """As CloudFront's own API: whatever carries one of these tags is forgotten."""
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        wanted = set(re.findall(r"<Path>#([^<]+)</Path>", body))
        for name, kept in list(self.server.cache.items()):
            tags = {name.lower(): value for name, value in kept.headers}.get(CACHE_TAG, "")
            if wanted & set(tags.split(",")):
                del self.server.cache[name]
        self._answer(201, [("Content-Type", "text/xml")], b"<Invalidation><Id>I1</Id></Invalidation>", "None")

    def _pass_on(self, passed: Passed, behaviour: Mapping[str, Any]) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", *_HOPS)}
        if policy := self.server.stack.resources.get(behaviour["OriginRequestPolicyId"]):
            headers = self._whitelisted(headers, policy["OriginRequestPolicyConfig"])
        headers["X-Forwarded-Proto"] = "https"  # as the gateway says
        got = self.server.ask(self.command, passed, headers, body)
        self._answer(got.status, got.headers, got.body, "Miss")

    def _whitelisted(self, headers: Mapping[str, str], config: Mapping[str, Any]) -> dict[str, str]:
        """Return what an origin request policy of the stack lets pass, with the address that CloudFront knows."""
        listed = {name.lower() for name in config["HeadersConfig"]["Headers"]}
        passed = {name: value for name, value in headers.items() if name.lower() in listed}
        cookies = [each.strip() for each in self.headers.get("cookie", "").split(";")]
        kept = [each for each in cookies if each.partition("=")[0] in config["CookiesConfig"]["Cookies"]]
        address = {"CloudFront-Viewer-Address": "{}:{}".format(*self.client_address)}
        return {**passed, **address, **({"Cookie": "; ".join(kept)} if kept and self.server.passes_cookies else {})}

    def _forwarded(self, behaviour: Mapping[str, Any], passed: Passed) -> dict[str, str]:
        """The headers that are no part of the cache key and reach the origin all the same."""
        policy = self.server.stack.resources.get(behaviour.get("OriginRequestPolicyId", ""))
        listed = policy["OriginRequestPolicyConfig"]["HeadersConfig"]["Headers"] if policy else []
        return {name: value for name, value in passed.verified.items() if name in listed}

    def _from_cache(self, passed: Passed, behaviour: Mapping[str, Any]) -> None:
        name: tuple[str, ...] = (passed.uri, passed.query, passed.accept or "")
        name += tuple(passed.verified.values()) if self.server.keeps_signatures else ()
        kept = self.server.cache.get(name)
        hit = kept is not None and kept.until > time.monotonic()
        if kept is None or not hit:
            headers = {"Accept": passed.accept} if passed.accept else {}
            headers |= self._forwarded(behaviour, passed)
            kept = self.server.cache[name] = self.server.ask("GET", passed, headers, b"")
        etag = {name.lower(): value for name, value in kept.headers}.get("etag")
        if kept.status == 200 and etag and etag in (self.headers.get("if-none-match") or ""):
            kept = kept._replace(status=304, body=b"")
        self._answer(kept.status, kept.headers, kept.body, "Hit" if hit else "Miss")

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes, what: str) -> None:
        self.send_response(status)
        for name, value in headers:
            if not (self.server.removes_tags and name.lower() == CACHE_TAG):
                self.send_header(name, value)
        self.send_header("X-Cache", f"{what} from cloudfront")
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing on standard error."""


@contextmanager
def distribution(origin: str, secret: str, folder: Path, **parameters: str) -> Iterator[Distribution]:
    """One of a stack with these parameters that serves until this ends."""
    with Distribution(origin, secret, folder, **parameters) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()
