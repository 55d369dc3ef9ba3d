"""Who may do what in a deployed service: what `image-handler doctor --url` asks about rights."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import quote

from handler.cli.http_probe import Faults, Got, NotAsked, Site, Subject


def paths_that_pretend(subject: Subject) -> Faults:
    wrapped = base64.urlsafe_b64encode(f"/{quote(subject.key)}?width=64".encode()).rstrip(b"=").decode()
    for path in (f"/_p/{wrapped}", "/_results/../private/x", "//_api/images", "/x/../_api/images", "/%5Fapi/images"):
        got = subject.site.get(path)
        if got.status < 400:
            yield f"{path[:40]} must be refused: no right follows from how a path is spelled; got {got.told()}"


def signatures(subject: Subject) -> Faults:
    if not subject.site.signs:
        raise NotAsked("signatures are off: whoever knows the host may ask for pictures")
    bare = f"/{quote(subject.key)}?" + "&".join(filter(None, (subject.query, "width=64")))
    signed = subject.site.signed(bare)
    got = subject.site.get(signed)
    if got.status != 200:
        yield f"an address that /_api/sign signed must be a picture, got {got.told()}"
    for wrong in (
        bare,
        signed.replace("width=64", "width=65"),
        f"{signed}&height=9",
        signed[:-1] + "AB"[signed[-1] == "A"],
    ):
        got = subject.site.get(wrong)
        if got.status not in (400, 403):
            yield f"{wrong[:60]}… was not signed and must be a 400 or 403, got {got.told()}"


def what_must_be_refused(subject: Subject) -> Faults:
    sign = subject.site.signed
    refusals: dict[str, tuple[Callable[[], Got], set[int]]] = {
        "a bucket that is not listed": (lambda: subject.site.get(sign("/x.jpg?bucket=image-handler-doctor")), {403}),
        "a host that is not listed": (
            lambda: subject.site.get(sign("/https%3A%2F%2F169.254.169.254%2Flatest%2Fmeta-data")), {403, 404},
        ),
        "a POST to a picture": (
            lambda: subject.site.get(f"/{quote(subject.key)}", method="POST", body=b"x"), {403, 405},
        ),
        "a key with ..": (lambda: subject.site.get("/a/%2E%2E/%2E%2E/etc/passwd"), {400, 403, 404}),
        "the operator's pages without the token": (lambda: subject.site.get("/_api/images"), {401, 404}),
        "the operator's pages with a wrong token": (
            lambda: subject.site.get("/_api/images", Authorization="Bearer wrong"), {401, 404},
        ),
    }  # fmt: skip
    for what, (ask, allowed) in refusals.items():
        got = ask()
        if got.status not in allowed:
            yield f"{what} must be {' or '.join(map(str, sorted(allowed)))}, got {got.told()}"


def the_operator(subject: Subject) -> Faults:
    if not subject.site.token:
        raise NotAsked("no token: IMAGE_HANDLER_TOKEN")
    got = subject.site.api("images")
    if got.status != 200:
        yield f"/_api/images must answer who has the token, got {got.told()}: does /_api/* pass Authorization?"


def behind_the_cdn(subject: Subject) -> Faults:
    if not subject.api:
        raise NotAsked("no --api: the stack's output ApiEndpoint")
    got = Site(subject.api).get(f"/{quote(subject.key)}?width=64")
    if got.status != 403:
        yield f"the API must refuse who does not come through the CDN (403), got {got.told()}"


def encryption(subject: Subject) -> Faults:
    if subject.site.scheme != "https":
        raise NotAsked("the address given is not https")
    got = subject.site.insecure("/_health")
    if got.status not in (301, 308) or not got.headers.get("location", "").startswith("https://"):
        yield f"http:// must be redirected to https://, got {got.told()}"
