"""imagor's paths: Thumbor's language with segments and filters of its own, and with other meanings of some filters.

`/signature or unsafe/[meta/][trim…/][crop/][fit-in/][stretch/][size/][padding/][alignments/][smart/][filters:…/]key`.
docs/compatibility.md says what differs. Signatures are Thumbor's.
"""

from __future__ import annotations

from handler.requests.dialects import thumbor
from handler.requests.dialects.dialect import STRICT, Dialect, Faults
from handler.requests.parsed_request import ParsedRequest


def _parse(path: str, faults: Faults = STRICT) -> ParsedRequest | None:
    """Parse a decoded path without its leading slash as imagor does; return None unless it begins with `unsafe`."""
    head, slash, rest = path.lstrip("/").partition("/")
    if head != thumbor.UNSAFE or not slash:
        return None
    from handler.requests.dialects.imagor.interpret import interpret_path  # noqa: PLC0415 - only imagor's paths need it

    return interpret_path(rest, faults)


def _parse_signed(text: str, faults: Faults = STRICT) -> ParsedRequest:
    from handler.requests.dialects.imagor.interpret import interpret_path  # noqa: PLC0415 - only imagor's paths need it

    return interpret_path(text, faults, encoded=True)


def _serialize(request: ParsedRequest) -> tuple[str, ...]:
    from handler.requests.dialects.imagor.serialize import to_path  # noqa: PLC0415 - only `translate` writes URLs

    return (to_path(request),)


DIALECT = Dialect(
    name="imagor",
    title="imagor",
    example="/unsafe/stretch/1x1/a.jpg",
    description="Where DIALECTS lists imagor before Thumbor, a path that begins with `unsafe` or a signature is a path "
    "of imagor.",
    parse=_parse,
    serialize=_serialize,
    path_signing=thumbor.DIALECT.path_signing,
    parse_signed=_parse_signed,
    redaction=thumbor.DIALECT.redaction,
    is_default=False,
)
