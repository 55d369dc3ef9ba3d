"""URL dialects: each is a folder here, and a record in DIALECTS. Nothing outside this package knows one by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from handler.auth.authenticate import SignedPath
from handler.auth.signature import PathSigning
from handler.core.errors import BadRequest
from handler.requests.dialects import imagor, imgproxy, json_edits, query, thumbor
from handler.requests.dialects.dialect import STRICT, Dialect, Faults
from handler.requests.dialects.query import ParsedQuery
from handler.requests.parsed_request import KEY_PREFIX, ParsedRequest, Recipe
from imaging import ObjectRef

DIALECTS: tuple[Dialect, ...] = (
    json_edits.DIALECT,
    thumbor.DIALECT,
    imagor.DIALECT,
    imgproxy.DIALECT,
    query.DIALECT,
)
"""Every dialect, in the order in which they are tried on a path. A path that none of them claims is a key."""

OWN, OF_GALLERY = query.DIALECT.name, json_edits.DIALECT.name
"""The names of the service's own language, and of the one in which the gallery writes its URLs."""

# Query parameters control requests in every dialect, and presets and direct invocations may be written in them.
CONTROLS = query.CONTROLS
build_recipe = query.build_recipe
is_known_parameter = query.is_known
parse_query = query.parse_query


def names() -> list[str]:
    """Return the names of all dialects."""
    return [dialect.name for dialect in DIALECTS]


def translations() -> list[Dialect]:
    """Return the dialects that a URL in query parameters can be translated to."""
    return [dialect for dialect in DIALECTS if dialect.name != OWN]


def describe() -> str:
    """Return which paths are in which dialect, for the API reference."""
    descriptions = " ".join(dialect.description for dialect in DIALECTS if dialect.description)
    return (
        f"The path is a key, or a request in another dialect. {descriptions} Query parameters apply in addition; if "
        "the path is signed, they need `signature`."
    )


def select(chosen: Sequence[str] = ()) -> tuple[Dialect, ...]:
    """Return the dialects of these names in this order, without names those that are accepted by default.

    Raises ValueError for an unknown name.
    """
    unknown = [name for name in chosen if name not in names()]
    if unknown:
        raise ValueError(f"DIALECTS must be a comma-separated list of {', '.join(names())}, got {unknown[0][:60]!r}")
    if not chosen:
        return tuple(dialect for dialect in DIALECTS if dialect.is_default)
    by_name = {dialect.name: dialect for dialect in DIALECTS}
    return tuple(by_name[name] for name in dict.fromkeys(chosen))


def path_signings(dialects: Sequence[Dialect]) -> dict[str, PathSigning]:
    """Return how those of the dialects that have signatures in their paths sign them, by the dialect's name."""
    return {dialect.name: dialect.path_signing for dialect in dialects if dialect.path_signing is not None}


def begins_with_signature(path: str, dialects: Sequence[Dialect]) -> bool:
    """Return whether a decoded path begins with what may be a signature, in any of these dialects."""
    is_claimed = any(dialect.claims_page(path) for dialect in dialects if dialect.claims_page is not None)
    return is_claimed or any(signing.begins(path) for signing in path_signings(dialects).values())


def parse_path(
    path: str,
    dialects: Sequence[Dialect],
    *,
    raw_path: str | None = None,
    rewrite: Callable[[str], str] | None = None,
    signed_path: SignedPath | None = None,
    faults: Faults = STRICT,
) -> ParsedRequest:
    """Parse a decoded path in the first dialect that claims it. Raises InvalidParameter, NotFound or Forbidden.

    A verified signature decides the dialect, and the text that it covers is parsed instead of `path`. `raw_path` is the
    path as it is in the URL, for dialects that decode it themselves; without it only `%` is encoded for them, so that
    `@` and `:` have their meaning and each decoded path has one.
    """
    if path.startswith(KEY_PREFIX):
        return _key(path.removeprefix(KEY_PREFIX))
    if signed_path is not None:
        known = (*dialects, *DIALECTS)
        parse_signed = next(dialect.parse_signed for dialect in known if dialect.name == signed_path.dialect)
        if parse_signed is None:
            raise TypeError(f"the dialect {signed_path.dialect} has signatures in its paths, but no `parse_signed`")
        return msgspec.structs.replace(parse_signed(signed_path.text, faults), dialect=signed_path.dialect)
    rewritten = rewrite(path) if rewrite is not None else path
    for dialect in dialects:
        plain = rewritten if dialect.reads_rewritten else path
        text = (raw_path or path.replace("%", "%25")) if dialect.reads_raw else plain
        parsed = dialect.parse(text.removeprefix("/"), faults)
        if parsed is not None:
            return msgspec.structs.replace(parsed, dialect=dialect.name)
    return _key(rewritten.lstrip("/"))


def add_query(parsed: ParsedRequest, parameters: ParsedQuery, faults: Faults = STRICT) -> ParsedRequest:
    """Return the request of a path with the query parameters on top. Raises InvalidParameter or BadRequest."""
    ref, bucket = parsed.ref, parameters.controls.get("bucket", "")
    if ref.bucket and bucket:
        raise BadRequest("`bucket` must be given once: in the path or in the query")
    if "expires" in parsed.controls and "expires" in parameters.controls:
        raise BadRequest("`expires` must be given once: in the path or in the query")
    recipe, webp = build_recipe(parameters, faults=faults), parsed.webp
    if webp is not None:
        # A format in the query is final, so that AUTO_WEBP has nothing left to decide.
        webp = None if "format" in parameters.output else recipe.over(Recipe(output=webp)).output
    return msgspec.structs.replace(
        parsed,
        ref=ObjectRef(ref.bucket or bucket, ref.key),
        recipe=recipe if parsed.recipe == Recipe() else recipe.over(parsed.recipe),
        webp=webp,
        controls={**parsed.controls, **parameters.controls},
    )


def _key(key: str) -> ParsedRequest:
    return ParsedRequest(ref=ObjectRef("", key), dialect=query.DIALECT.name)
