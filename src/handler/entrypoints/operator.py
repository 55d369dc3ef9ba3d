"""The operator's pages under `/_api/`: whoever calls them has the operator's token, or sits at this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC
from typing import Any

import msgspec

from handler import response
from handler.auth.canonical import IgnoredParameters
from handler.auth.compare_secret import matches_secret
from handler.auth.signature import Signatures, parse_life
from handler.entrypoints import inline_image, local_access
from handler.entrypoints.http_call import HttpRequest
from handler.errors import BadRequest, Forbidden, MethodNotAllowed, NotFound, Unauthorized
from handler.ports import Objects, SecretSource
from handler.render.render import RenderContext, render_or_delegate
from handler.render.results import Delegated
from handler.requests.dialects.json_edits import loads
from handler.requests.parse import Policy, parse_inline_request
from handler.response import Answer, Caching
from handler.storage.purge import MOST, Purge
from imaging import Deadline, ObjectRef

MOST_LISTED, LISTED = 1_000, 100
"""Entries of one page of a listing: at most, and where none is asked."""


class _Page(msgspec.Struct, frozen=True):
    methods: tuple[str, ...]
    answer: Callable[[HttpRequest, Deadline], Answer | Delegated]


class OperatorEntrypoint(msgspec.Struct, frozen=True):
    """Answers what only the operator may ask; `wiring` fills it."""

    render_context: RenderContext
    policy: Policy
    ignored: IgnoredParameters
    caching: Caching
    sources: tuple[str, ...]
    """Names of the listed buckets, the default one first."""
    purge: Purge
    token: SecretSource | None = None
    is_open: bool = False
    """No token is needed: the local server on loopback."""
    signatures: Signatures | None = None
    lists: bool = True

    def answer(self, name: str, call: HttpRequest, deadline: Deadline) -> Answer | Delegated:
        """Answer a call of `/_api/name`. NotFound where it is switched off, Unauthorized without the token."""
        return self.admit(name, call).answer(call, deadline)

    def admit(self, name: str, call: HttpRequest) -> _Page:
        """The page of that name, for a caller who may use it; nothing of the body is looked at."""
        page = self._pages().get(name)
        if page is None or (self.token is None and not self._is_local(call)):
            raise NotFound(f"no page is called {'/_api/' + name!r}", code="NotFound")
        self._admit(call)
        if call.method not in page.methods:
            allowed = ", ".join(page.methods)
            raise MethodNotAllowed(f"the method must be {allowed}, got {call.method}", headers={"Allow": allowed})
        return page

    def _pages(self) -> dict[str, _Page]:
        pages = {
            "transform": _Page(("POST",), self._transform),
            "remove-background": _Page(("POST",), self._remove_background),
            "sign": _Page(("GET", "POST"), self._sign),
            "purge": _Page(("POST",), self._purge),
        }
        return pages | ({"images": _Page(("GET",), self._images)} if self.lists else {})

    def is_operator(self, call: HttpRequest) -> bool:
        """Whether the operator calls, by the token or from this machine."""
        try:
            self._admit(call)
        except (Forbidden, Unauthorized):
            return False
        return self.token is not None or self._is_local(call)

    def _is_local(self, call: HttpRequest) -> bool:
        """Whether the operator API is open without a token: on loopback, to what comes from this machine."""
        return self.is_open and local_access.is_local(call)

    def _admit(self, call: HttpRequest) -> None:
        """Raise Unauthorized without the token, or Forbidden where none is needed and another site's page asks."""
        if self.token is None:
            local_access.refuse_other_sites(call)
            return
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not matches_secret(token.strip(), self.token):
            raise Unauthorized(
                "the header Authorization must be `Bearer` and the operator's token",
                headers={"WWW-Authenticate": "Bearer"},
            )

    def _remove_background(self, call: HttpRequest, deadline: Deadline) -> Answer | Delegated:
        return self._transform(call, deadline, cut_out=True)

    def _transform(self, call: HttpRequest, deadline: Deadline, *, cut_out: bool = False) -> Answer | Delegated:
        """A picture that came as raw bytes is answered as such; one in JSON is answered in JSON."""
        pairs: tuple[tuple[str, object], ...] = call.pairs(self.ignored)
        in_json = call.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
        picture, said = inline_image.parse_body(call.body) if in_json else (call.body, ())
        if not picture:
            raise BadRequest("the body must be a picture, or JSON with `image` in base64; got nothing")
        said = inline_image.add_background_removal((*pairs, *said)) if cut_out else (*pairs, *said)
        request = parse_inline_request(picture, said, self.policy, accepts=call.accepts)
        result = render_or_delegate(request, self.render_context, deadline)
        if isinstance(result, Delegated):
            return result
        if not in_json:
            return response.of_result(result, request, self.caching).with_headers({"Cache-Control": "no-store"})
        return response.report(inline_image.to_json(result))

    def _sign(self, call: HttpRequest, _: Deadline) -> Answer:
        """The address as a page may use it: signed where signatures are on, else as it came."""
        said = _said(call, ("url", "expires"))
        url, life = said.get("url"), said.get("expires")
        if not isinstance(url, str) or not url:
            raise BadRequest("`url` must be an address to sign, such as /cat.jpg?width=300")
        if life is not None and not isinstance(life, str):
            raise BadRequest(f"`expires` must be a time to live such as 1h, or null, got {life!r:.60}")
        expires_in = parse_life(life) if life else None
        if self.signatures is not None:
            return response.report({"url": self.signatures.signed_url(url, expires_in, ignored=self.ignored)})
        if expires_in is not None:
            raise BadRequest("`expires` must be left out where signatures are off (ENABLE_SIGNATURE): nothing holds it")
        return response.report({"url": url})

    def _images(self, call: HttpRequest, _: Deadline) -> Answer:
        """One page of what lies directly under a prefix of a listed bucket."""
        said = _said(call, ("bucket", "prefix", "limit", "cursor"))
        bucket, prefix = said.get("bucket") or self.sources[0], said.get("prefix", "")
        listed = self._objects.page(bucket, prefix, said.get("cursor", ""), _limit(said.get("limit")))
        images = [
            {
                "key": info.ref.key,
                "bytes": info.size,
                "lastModified": f"{info.last_modified.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            }
            for info in listed.objects
            # What a console writes where somebody makes a folder.
            if not info.ref.key.endswith("/")
        ]
        return response.report(
            {
                "buckets": self.sources,
                "bucket": bucket,
                "prefix": prefix,
                "images": images,
                "prefixes": listed.prefixes,
                "cursor": listed.cursor,
            }
        )

    def _purge(self, call: HttpRequest, deadline: Deadline) -> Answer:
        """Withdraw originals with everything that was made of them."""
        said = _said(call, ("keys", "bucket"))
        keys, bucket = said.get("keys"), said.get("bucket") or ""
        if not isinstance(keys, list) or not 1 <= len(keys) <= MOST or not all(map(_is_text, keys)):
            raise BadRequest(f"`keys` must be a list of 1 to {MOST} keys")
        if not isinstance(bucket, str):
            raise BadRequest(f"`bucket` must be the name of a source, got {bucket!r:.60}")
        return response.report(self.purge.of([ObjectRef(bucket, key) for key in keys], deadline))

    @property
    def _objects(self) -> Objects:
        return self.render_context.objects


def _said(call: HttpRequest, names: Iterable[str]) -> dict[str, Any]:
    """What a query or, with POST, an object of JSON says; other names than these are refused."""
    said: dict[str, Any] = dict(call.pairs(None))
    if call.method == "POST":
        said |= _json_object(call.body, names)
    for name in said:
        if name not in names:
            raise BadRequest(f"`{name[:60]}` must be one of {', '.join(names)}")
    return said


def _json_object(body: bytes, names: Iterable[str]) -> dict[str, Any]:
    try:
        said = loads(body.decode())
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise BadRequest("the body must be a JSON object with " + ", ".join(f"`{name}`" for name in names))
    return said


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _limit(said: str | None) -> int:
    if said is None:
        return LISTED
    if not said.isascii() or not said.isdigit() or not 1 <= int(said[:9]) <= MOST_LISTED:
        raise BadRequest(f"`limit` must be a whole number from 1 to {MOST_LISTED}, got {said[:60]!a}")
    return int(said)
