"""The operator API under `/_api/`, for callers that have the operator's token or are on this machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

import msgspec

from handler import response
from handler.auth.canonical import IgnoredParameters
from handler.auth.compare_secret import matches_secret
from handler.auth.signature import Signatures, parse_life
from handler.core.errors import BadRequest, Forbidden, MethodNotAllowed, NoSuchPage, Unauthorized
from handler.core.ports import Objects, SecretSource
from handler.entrypoints import inline_image
from handler.entrypoints.http_call import HttpRequest
from handler.entrypoints.operator import local_access
from handler.entrypoints.operator.page import Page, parse_limit, read_params
from handler.render.render import RenderContext, render_or_delegate
from handler.render.results import Delegated
from handler.requests.parse import parse_inline_request
from handler.requests.policy import Policy
from handler.response import Answer, Caching
from handler.storage.purge import Purge
from imaging import Deadline, ObjectRef

MAX_PURGED_KEYS = 300
"""Keys of one purge; CloudFront has a limit of 3,000 tags at a time."""
MAX_LISTED, DEFAULT_LISTED = 1_000, 100
"""Entries of one page of a listing: the largest number, and the default."""


class OperatorEntrypoint(msgspec.Struct, frozen=True):
    """Answers requests that only the operator may send."""

    render_context: RenderContext
    policy: Policy
    ignored: IgnoredParameters
    caching: Caching
    sources: tuple[str, ...]
    """Names of the listed buckets, the default one first."""
    purge: Purge
    token: SecretSource | None = None
    is_open: bool = False
    """Whether callers on this machine need no token: on the local server, on loopback."""
    signatures: Signatures | None = None
    lists: bool = True
    more_pages: tuple[Callable[[str], Page | None], ...] = ()
    """Each returns its page of a name, or None: uploads, records and events."""

    def answer(self, name: str, call: HttpRequest, deadline: Deadline) -> Answer | Delegated:
        """Answer a call of `/_api/name`. Raise NotFound if it is switched off, Unauthorized without the token."""
        return self.admit(name, call).answer(call, deadline)

    def admit(self, name: str, call: HttpRequest) -> Page:
        """Return the page of a name if the caller may use it. The body is not needed for this."""
        page = self._pages().get(name) or next(filter(None, (find(name) for find in self.more_pages)), None)
        if page is None or (self.token is None and not self._is_local(call)):
            raise NoSuchPage("/_api/" + name)
        self._admit(call)
        if call.method not in page.methods:
            allowed = ", ".join(page.methods)
            raise MethodNotAllowed(f"the method must be {allowed}, got {call.method}", headers={"Allow": allowed})
        return page

    def _pages(self) -> dict[str, Page]:
        pages = {
            "transform": Page(("POST",), self._transform),
            "remove-background": Page(("POST",), self._remove_background),
            "sign": Page(("GET", "POST"), self._sign),
            "purge": Page(("POST",), self._purge),
        }
        return pages | ({"images": Page(("GET",), self._images)} if self.lists else {})

    def is_operator(self, call: HttpRequest) -> bool:
        """Whether the operator calls: with the token, or from this machine if no token is needed."""
        try:
            self._admit(call)
        except (Forbidden, Unauthorized):
            return False
        return self.token is not None or self._is_local(call)

    def _is_local(self, call: HttpRequest) -> bool:
        """Whether a call from this machine needs no token."""
        return self.is_open and local_access.is_local(call)

    def _admit(self, call: HttpRequest) -> None:
        """Raise Unauthorized without the token; if no token is needed, Forbidden for a page of another site."""
        if self.token is None:
            local_access.refuse_other_sites(call)
            return
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not matches_secret(token.strip(), self.token):
            raise Unauthorized(
                "the header Authorization must be `Bearer` followed by the operator's token",
                headers={"WWW-Authenticate": "Bearer"},
            )

    def _remove_background(self, call: HttpRequest, deadline: Deadline) -> Answer | Delegated:
        return self._transform(call, deadline, cut_out=True)

    def _transform(self, call: HttpRequest, deadline: Deadline, *, cut_out: bool = False) -> Answer | Delegated:
        """Transform the image in the body. Raw bytes are answered with raw bytes, JSON with JSON."""
        pairs: tuple[tuple[str, object], ...] = call.pairs(self.ignored)
        in_json = call.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
        original, params = inline_image.parse_body(call.body) if in_json else (call.body, ())
        if not original:
            raise BadRequest("the body must be an image, or JSON with `image` in base64; got nothing")
        params = inline_image.add_background_removal((*pairs, *params)) if cut_out else (*pairs, *params)
        request = parse_inline_request(original, params, self.policy, accepts=call.accepts)
        result = render_or_delegate(request, self.render_context, deadline)
        if isinstance(result, Delegated):
            return result
        if not in_json:
            return response.of_result(result, request, self.caching).with_headers({"Cache-Control": "no-store"})
        return response.report(inline_image.to_json(result))

    def _sign(self, call: HttpRequest, _: Deadline) -> Answer:
        """Return the URL as a page may use it: signed if signatures are on, else unchanged."""
        params = read_params(call, ("url", "expires"))
        url, life = params.get("url"), params.get("expires")
        if not isinstance(url, str) or not url:
            raise BadRequest("`url` must be a URL to sign, such as /cat.jpg?width=300")
        if life is not None and not isinstance(life, str):
            raise BadRequest(f"`expires` must be a time to live such as 1h, or null, got {life!r:.60}")
        expires_in = parse_life(life) if life else None
        if self.signatures is not None:
            return response.report({"url": self.signatures.signed_url(url, expires_in, ignored=self.ignored)})
        if expires_in is not None:
            raise BadRequest(
                "`expires` must be left out while signatures are off (ENABLE_SIGNATURE=No), because nothing enforces it"
            )
        return response.report({"url": url})

    def _images(self, call: HttpRequest, _: Deadline) -> Answer:
        """Return one page of the keys and prefixes directly under a prefix of a configured bucket."""
        params = read_params(call, ("bucket", "prefix", "limit", "cursor"))
        bucket, prefix = params.get("bucket") or self.sources[0], params.get("prefix", "")
        listed = self._objects.page(
            bucket, prefix, params.get("cursor", ""), parse_limit(params.get("limit"), DEFAULT_LISTED, MAX_LISTED)
        )
        images = [
            {
                "key": info.ref.key,
                "bytes": info.size,
                "lastModified": f"{info.last_modified.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            }
            for info in listed.objects
            # The S3 console creates such an object for each folder.
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
        """Purge originals, and everything that was rendered from them, from caches."""
        params = read_params(call, ("keys", "bucket"))
        keys, bucket = params.get("keys"), params.get("bucket") or ""
        if not isinstance(keys, list) or not 1 <= len(keys) <= MAX_PURGED_KEYS or not all(map(_is_text, keys)):
            raise BadRequest(f"`keys` must be a list of 1 to {MAX_PURGED_KEYS} keys")
        if not isinstance(bucket, str):
            raise BadRequest(f"`bucket` must be the name of a source, got {bucket!r:.60}")
        return response.report(self.purge.of([ObjectRef(bucket, key) for key in keys], deadline))

    @property
    def _objects(self) -> Objects:
        return self.render_context.objects


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)
