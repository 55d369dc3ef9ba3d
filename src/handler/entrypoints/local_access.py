"""Who may use the operator API without a token: programs and pages of this machine, and nobody else.

The local server opens the operator API on loopback. Two kinds of strangers can reach a loopback address all the same.

* A proxy on this machine brings the world there. It is recognised by what proxies add to a request, by a host name or
  a client that is not loopback, and by HTTP/1.0, which no browser and no common client speaks but nginx up to 1.29 does
  to its upstreams unless it is told otherwise. A proxy that adds nothing, sets `Host` to a loopback address and speaks
  HTTP/1.1 cannot be told from a program of this machine: start such a server with `--behind-proxy`, or set
  OPERATOR_TOKEN_FILE.
* A page of another site sends requests through the browser of somebody who sits at this machine. Browsers say so in
  `Sec-Fetch-Site`, `Origin` and `Referer`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from handler.entrypoints.http_call import HttpRequest
from handler.errors import Forbidden

DOMAIN = "local.lambda-url.localhost"
"""The domain name in events of the local server; by its end, that of function URLs, the path is still encoded."""
_OF_PROXIES = re.compile(
    r"forwarded|x-forwarded(?:-.*)?|via|x-real-ip|x-client-ip|client-ip|true-client-ip|x-cluster-client-ip|x-original-.*"
    r"|x-envoy-.*|x-proxy.*|cf-.*|cdn-loop|fastly-.*|x-amz-cf-id|x-amzn-trace-id|x-appengine-.*|x-azure-.*|x-varnish"
)
_OF_THIS_SITE = ("same-origin", "none")


def is_local(call: HttpRequest) -> bool:
    """Whether a request comes from a program on this machine, as far as the request shows."""
    if any(_OF_PROXIES.fullmatch(name) for name in call.headers):
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
    """Forbidden for a request that a page of another site has made; its address is compared with `Host`."""
    said = call.headers.get("sec-fetch-site", "none").strip().lower()
    host = call.headers.get("host", "").lower()
    origins = [call.headers[name] for name in ("origin", "referer") if call.headers.get(name)]
    for other in [said] if said not in _OF_THIS_SITE else [each for each in origins if _host_of(each) != host]:
        raise Forbidden(
            "the operator API is open to pages of this server alone, as no OPERATOR_TOKEN_FILE is set: "
            f"the request must come from http://{host[:80]}, got {other[:80]!a}"
        )


def is_loopback(host: str) -> bool:
    """Whether a Host header names this machine; any other is a page elsewhere whose name resolves to this address."""
    name = re.sub(r":[0-9]*$", "", host).strip("[]").lower()
    try:
        return name == "localhost" or name.endswith(".localhost") or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _host_of(address: str) -> str:
    """Host and port of an origin or address; `null`, and what cannot be read, is nobody's."""
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return ""
