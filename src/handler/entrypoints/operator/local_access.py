"""Decide who may use the operator API without a token: only programs and pages of this machine.

The local server opens the operator API on loopback. Two kinds of other callers can reach a loopback address.

* A proxy on this machine forwards requests from the network. It is recognised by headers that proxies add, by a host
  name or a client address that is not loopback, and by HTTP/1.0: no browser and no common client uses it, but nginx up
  to 1.29 does unless configured otherwise. A proxy that adds no header, sets `Host` to a loopback address and uses
  HTTP/1.1 looks like a program of this machine. Behind such a proxy start the server with `--behind-proxy`, or set
  OPERATOR_TOKEN_FILE.
* A page of another site sends requests through the browser of a user of this machine. Browsers name the site in
  `Sec-Fetch-Site`, `Origin` and `Referer`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from handler.core.errors import Forbidden
from handler.entrypoints.http_call import HttpRequest

DOMAIN = "local.lambda-url.localhost"
"""The domain name in events of the local server. As with function URLs, whose domain it imitates, paths are encoded."""
_PROXY_HEADERS = re.compile(
    r"forwarded|x-forwarded(?:-.*)?|via|x-real-ip|x-client-ip|client-ip|true-client-ip|x-cluster-client-ip|x-original-.*"
    r"|x-envoy-.*|x-proxy.*|cf-.*|cdn-loop|fastly-.*|x-amz-cf-id|x-amzn-trace-id|x-appengine-.*|x-azure-.*|x-varnish"
)
_LONGEST_HOST = 253 + 6
"""Characters of a name of the DNS and a port."""
_SAME_SITE = ("same-origin", "none")


def is_local(call: HttpRequest) -> bool:
    """Whether nothing in a request shows that it comes from another machine."""
    if any(_PROXY_HEADERS.fullmatch(name) for name in call.headers):
        return False
    host = call.headers.get("host")
    if host is not None and not is_loopback(host):
        return False
    context: Mapping[str, Any] = call.event.get("requestContext") or {}
    if context.get("domainName") != DOMAIN:
        return True
    http: Mapping[str, str] = context["http"]
    return http.get("protocol") != "HTTP/1.0" and is_loopback(http.get("sourceIp", ""))


def refuse_other_sites(call: HttpRequest) -> None:
    """Raise Forbidden for a request that a page of another site has sent; a site is compared with the header `Host`."""
    fetch_site = call.headers.get("sec-fetch-site", "none").strip().lower()
    host = call.headers.get("host", "").lower()
    origins = [call.headers[name] for name in ("origin", "referer") if call.headers.get(name)]
    for other in [fetch_site] if fetch_site not in _SAME_SITE else [each for each in origins if _host_of(each) != host]:
        raise Forbidden(
            "without OPERATOR_TOKEN_FILE only pages of this server may use the operator API: "
            f"the request must come from http://{host[:80]}, got {other[:80]!a}"
        )


def is_loopback(host: str) -> bool:
    """Whether a Host header names this machine, not a site whose name resolves to this machine's address."""
    return _is_loopback(host) if len(host) <= _LONGEST_HOST else False


@lru_cache(256)
def _is_loopback(host: str) -> bool:
    name = re.sub(r":[0-9]*$", "", host).strip("[]").lower()
    try:
        return name == "localhost" or name.endswith(".localhost") or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _host_of(address: str) -> str:
    """Return host and port of an origin or URL; empty for `null` and for an invalid URL."""
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return ""
