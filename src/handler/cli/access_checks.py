"""Checks of `image-handler doctor --url` that concern access: signatures, the operator API, paths, the CDN."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import quote

from handler.cli.http_probe import Failures, Response, Service, Skipped, Target


def check_protected_paths(target: Target) -> Failures:
    wrapped = base64.urlsafe_b64encode(f"/{quote(target.key)}?width=64".encode()).rstrip(b"=").decode()
    operator = () if target.is_local_server else ("//_api/images", "/x/../_api/images", "/%5Fapi/images")
    for path in (f"/_p/{wrapped}", "/_results/../private/x", *operator):
        response = target.service.get(path)
        if response.status < 400:
            yield f"{path[:40]} must be refused, however the path is written; got {response.describe()}"


def check_signatures(target: Target) -> Failures:
    if not target.service.needs_signatures:
        raise Skipped("signatures are off: anyone who knows the host can request images")
    unsigned = f"/{quote(target.key)}?" + "&".join(filter(None, (target.query, "width=64")))
    signed = target.service.sign(unsigned)
    response = target.service.get(signed)
    if response.status != 200:
        yield f"a URL signed by /_api/sign must return an image, got {response.describe()}"
    for wrong in (
        unsigned,
        signed.replace("width=64", "width=65"),
        f"{signed}&height=9",
        signed[:-1] + "AB"[signed[-1] == "A"],
    ):
        response = target.service.get(wrong)
        if response.status not in (400, 403):
            yield f"{wrong[:60]}… has no valid signature and must be a 400 or 403, got {response.describe()}"


def check_shared_copies(target: Target) -> Failures:
    if not target.service.needs_signatures:
        raise Skipped("signatures are off")
    unsigned = f"/{quote(target.key)}?" + "&".join(filter(None, (target.query, "width=63")))
    first = target.service.get(target.service.sign(unsigned, "1h"))
    if "s-maxage" not in first.headers.get("cache-control", ""):
        raise Skipped("signatures are not verified at the edge (VerifyAtEdge), or not yet: the first keys take minutes")
    for minutes in (61, 62, 63):
        other = target.service.get(target.service.sign(unsigned, f"{minutes}m"))
        if "Hit" in other.headers.get("x-cache", ""):
            return
    yield "signed URLs of one image that expire at different times must share its copy, but X-Cache is Miss each time"


def check_refused_requests(target: Target) -> Failures:
    service, sign = target.service, target.service.sign
    refused: dict[str, tuple[Callable[[], Response], set[int]]] = {
        "a bucket that is not listed": (lambda: service.get(sign("/x.jpg?bucket=image-handler-doctor")), {403}),
        "a host that is not listed": (
            lambda: service.get(sign("/https%3A%2F%2F169.254.169.254%2Flatest%2Fmeta-data")), {403, 404},
        ),
        "a POST to an image": (lambda: service.get(f"/{quote(target.key)}", method="POST", body=b"x"), {403, 405}),
        "a key with ..": (lambda: service.get("/a/%2E%2E/%2E%2E/etc/passwd"), {400, 403, 404}),
        "the operator API without a token": (lambda: service.get("/_api/images"), {401, 404}),
        "the operator API with a wrong token": (
            lambda: service.get("/_api/images", Authorization="Bearer wrong"), {401, 404},
        ),
    }  # fmt: skip
    for name, (send, allowed) in refused.items():
        if target.is_local_server and "operator API" in name:
            continue
        response = send()
        if response.status not in allowed:
            yield f"{name} must be {' or '.join(map(str, sorted(allowed)))}, got {response.describe()}"


def check_operator_api(target: Target) -> Failures:
    if not target.service.token:
        raise Skipped("no token: set IMAGE_HANDLER_TOKEN")
    response = target.service.call_api("images")
    if response.status != 200:
        yield (
            f"/_api/images must accept the operator's token, got {response.describe()}: "
            "does the behaviour for /_api/* forward the header Authorization?"
        )


def check_direct_access(target: Target) -> Failures:
    if not target.api:
        raise Skipped("no --api: pass the stack's output ApiEndpoint")
    service, address = Service(target.api), f"/{quote(target.key)}?width=64"
    wrong = service.get(address, X_Origin_Secret="wrong")  # noqa: S106 - not a real one
    answers = {"no secret": service.get(address), "a wrong secret": wrong}
    for secret, response in answers.items():
        if response.status not in (401, 403):
            yield (
                f"the API must refuse requests with {secret} of the CDN with 401 or 403, got {response.describe()}: "
                "does every route have the authorizer?"
            )


def check_https_redirect(target: Target) -> Failures:
    if target.service.scheme != "https":
        raise Skipped("--url is not https")
    response = Service(f"http://{target.service.host}").get("/_health")
    if response.status not in (301, 308) or not response.headers.get("location", "").startswith("https://"):
        yield f"http:// must be redirected to https://, got {response.describe()}"
