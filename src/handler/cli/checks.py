"""The checks of `image-handler doctor --url`, and the message of each failure.

One stored image is enough. Whether keys arrive unchanged is seen in the error messages for keys that do not exist.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from handler.cli import access_checks
from handler.cli.gallery_checks import check_gallery
from handler.cli.http_probe import Failures, Service, Skipped, Target
from handler.response import CACHE_TAG

MAX_INLINE_BYTES = 4_700_000
"""Size of the largest image that Lambda can answer with, in base64."""
_PREFIX = "image-handler-doctor/"
SPECIAL_KEYS = (
    "a b.jpg", "a%20b.jpg", "100%.jpg", "100%25.jpg", "a+b.jpg", "a&b=c.jpg", "what?.jpg", "#1.jpg", 'say"so".jpg',
    "`tick`.jpg", "back\\slash.jpg", "[x].jpg", "~(a)'!*;:@,$.jpg", "\u00e9.jpg", "e\u0301.jpg", "Straße/写真.jpg",
    "🐈.jpg", "_api/x.jpg",
)  # fmt: skip
"""Keys with characters that a proxy or an encoder may change; é is written in both of its Unicode forms."""
_PURGE_SECONDS = 90


class CheckResult(NamedTuple):
    """The result of one check."""

    name: str
    status: str
    """`ok`, `failed` or `skipped`."""
    message: str = ""


def run_checks(target: Target) -> Iterator[CheckResult]:
    """Run all checks, one after the other."""
    for name, check in CHECKS.items():
        try:
            failures = list(check(target))
        except Skipped as reason:
            yield CheckResult(name, "skipped", str(reason))
        else:
            yield CheckResult(name, "failed" if failures else "ok", "; ".join(failures))


def _check_health(target: Target) -> Failures:
    response = target.service.get("/_health")
    if response.status != 200 or b'"ok"' not in response.body:
        yield (
            f"/_health must answer 200 and ok, got {response.describe()}: "
            "does the CDN send its secret header to the API?"
        )


def _check_thumbnail(target: Target) -> Failures:
    response = target.get_image("width=64")
    if response.status != 200 or not response.media_type.startswith("image/"):
        yield f"a thumbnail of {target.key!r} must be an image, got {response.describe()}"
        return
    if response.headers.get("x-content-type-options") != "nosniff":
        yield "images must have the header X-Content-Type-Options: nosniff"
    if "etag" not in response.headers:
        yield "images must have an ETag: something between the viewer and the function removes it"
    if CACHE_TAG in response.headers and target.has_cdn:
        yield f"{CACHE_TAG} must not reach viewers: the response headers policy is not attached"


def _check_cache_key(target: Target) -> Failures:
    first = target.get_image("width=64&height=48")
    for query in ("height=48&width=64", "width=64&height=48&utm_source=doctor"):
        other = target.get_image(query)
        if other.headers.get("etag") != first.headers.get("etag"):
            yield f"?{query} must return the same image as ?width=64&height=48, got {other.describe()}"


def _check_unknown_parameters(target: Target) -> Failures:
    response = target.get_image("nosuch=1")
    if response.status == 200:
        raise Skipped("IGNORED_PARAMETERS ignores unknown parameters")
    if response.status != 400 or "nosuch" not in str(response.error.get("message")):
        yield f"an unknown parameter must be a 400 that names it, got {response.describe()}"


def _check_not_modified(target: Target) -> Failures:
    etag = target.get_image("width=65").headers.get("etag", '"none"')
    response = target.get_image("width=65", if_none_match=etag)
    if (response.status, response.body) != (304, b""):
        yield f"If-None-Match with the image's ETag must be a 304 without a body, got {response.describe()}"


def _check_head(target: Target) -> Failures:
    get = target.get_image("width=66")
    head = target.get_image("width=66", method="HEAD")
    if (head.status, head.body) != (get.status, b""):
        yield f"HEAD must be answered like GET, without a body, got {head.describe()}"
    for name in ("etag", "content-type", "content-length"):
        if head.headers.get(name) != get.headers.get(name):
            yield f"HEAD must return {name}: {get.headers.get(name)}, got {head.headers.get(name)}"


def _check_special_keys(target: Target) -> Failures:
    for key in SPECIAL_KEYS:
        response = target.service.get_image(_PREFIX + key, "width=9")
        if response.status != 404 or f"`{_PREFIX}{key}`" not in str(response.error.get("message")):
            yield f"the key {key!r} must arrive unchanged and be a 404, got {response.describe()}"
    response = target.service.get(target.service.sign(f"/{_PREFIX}a%2Fb.jpg"))
    if f"`{_PREFIX}a/b.jpg`" not in str(response.error.get("message")):
        yield f"a slash written as %2F must arrive decoded once, got {response.describe()}"


def _check_long_urls(target: Target) -> Failures:
    path = "/" + "a" * 5_900
    response = target.service.get(target.service.sign(path))
    if not response.error or response.status >= 500:
        yield f"a path of 5,900 bytes must reach the function and be refused by it, got {response.describe()}"
    for length in (7_000, 8_100) if target.has_cdn else ():
        response = target.service.get("/" + "a" * (length - 1))
        if response.status != 414:
            yield f"a path of {length} bytes must be a 414 of the edge function, got {response.describe()}"


def _check_cdn_cache(target: Target) -> Failures:
    _get_cache_status(target, "width=67")
    for _ in range(3):
        if "Hit" in _get_cache_status(target, "width=67"):
            return
    yield "an image must be cached after its first request, but X-Cache is Miss each time"


def _get_cache_status(target: Target, query: str) -> str:
    status = target.get_image(query).headers.get("x-cache")
    if status is None:
        raise Skipped("responses have no X-Cache, so no CDN is in front")
    return status


def _check_negotiation(target: Target) -> Failures:
    for accept, expected in (
        ("image/webp,*/*", {"image/webp"}),
        ("image/avif,image/webp,*/*", {"image/avif", "image/webp"}),
        ("image/png,*/*", {"image/jpeg", "image/png", "image/gif"}),
    ):
        response = target.get_image("width=68&format=auto", accept=accept)
        if response.media_type not in expected:
            yield f"format=auto for Accept: {accept} must be {' or '.join(sorted(expected))}, got {response.describe()}"


def _check_large_image(target: Target) -> Failures:
    response = target.get_image("width=2400&height=2400&fit=fill&noise=200&format=png")
    if response.status == 200 and len(response.body) <= MAX_INLINE_BYTES:
        size = len(response.body)
        raise Skipped(f"{target.key} is too small for this check ({size} bytes as PNG): pass a photograph by --key")
    if response.status == 200:
        return
    if response.status != 302 or not response.headers.get("location"):
        yield f"an image that is too large for Lambda's answer must be a redirect, got {response.describe()}"
        return
    location = urlsplit(response.headers["location"])
    service = Service(f"{location.scheme}://{location.netloc}") if location.netloc else target.service
    image = service.get(location.path + (f"?{location.query}" if location.query else ""))
    if image.status != 200 or not image.media_type.startswith("image/"):
        yield f"the redirect to {location.netloc}{location.path[:40]} must lead to the image, got {image.describe()}"
    if CACHE_TAG in image.headers and not location.netloc:
        yield f"{CACHE_TAG} must not reach viewers under /_results/"


def _check_purge(target: Target) -> Failures:
    if not target.service.token:
        raise Skipped("no token: set IMAGE_HANDLER_TOKEN")
    _get_cache_status(target, "width=69")
    if "Hit" not in _get_cache_status(target, "width=69"):
        raise Skipped("the CDN caches nothing, so there is nothing to purge")
    bucket = dict(pair.split("=", 1) for pair in [target.query] if pair)
    response = target.service.call_api("purge", {"keys": [target.key], **bucket})
    if response.status == 404:
        raise Skipped("this service has no /_api/purge")
    if response.status not in (200, 202):
        yield f"/_api/purge must purge {target.key!r}, got {response.describe()}"
        return
    until = time.monotonic() + _PURGE_SECONDS
    while "Hit" in _get_cache_status(target, "width=69"):
        if time.monotonic() > until:
            yield f"{_PURGE_SECONDS} s after a purge the image is still cached: do cache tags arrive at the CDN?"
            return
        time.sleep(1)


CHECKS: dict[str, Callable[[Target], Failures]] = {
    "the function can be reached": _check_health,
    "a thumbnail is served": _check_thumbnail,
    "parameter order and ignored parameters do not change the image": _check_cache_key,
    "unknown parameters are refused": _check_unknown_parameters,
    "conditional requests are answered with 304": _check_not_modified,
    "HEAD is answered like GET": _check_head,
    "keys with special characters arrive unchanged": _check_special_keys,
    "long URLs are handled": _check_long_urls,
    "protected paths are refused": access_checks.check_protected_paths,
    "the CDN caches images": _check_cdn_cache,
    "formats are negotiated by Accept": _check_negotiation,
    "images over 6 MB are served": _check_large_image,
    "signatures are checked": access_checks.check_signatures,
    "signed URLs share a copy in the CDN": access_checks.check_shared_copies,
    "forbidden requests are refused": access_checks.check_refused_requests,
    "the operator API accepts the token": access_checks.check_operator_api,
    "the API refuses direct requests": access_checks.check_direct_access,
    "http is redirected to https": access_checks.check_https_redirect,
    "the gallery tells visitors apart": check_gallery,
    "a purge removes images from the CDN": _check_purge,
}


def find_image(service: Service) -> str | None:
    """Return the key of an image in the default bucket, from the operator API's listing; None without an image."""
    response = service.call_api("images")
    if response.status != 200:
        return None
    keys: list[str] = [image["key"] for image in json.loads(response.body)["images"]]
    return next((key for key in keys if key.lower().endswith((".jpg", ".jpeg", ".png", ".webp"))), None)


def needs_signatures(service: Service, key: str, query: str = "") -> bool:
    """Whether the service refuses the URL of an image because it has no signature: all URLs, or those of its source."""
    response = service.get(f"/{quote(key)}?" + "&".join(filter(None, (query, "width=64"))))
    return response.error.get("code") in ("AuthorizationQueryParametersError", "SignatureDoesNotMatch")
