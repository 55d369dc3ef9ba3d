"""imgproxy's paths: `/signature/option:argument/…/plain/URL@extension`, or the URL in base64 with `.extension`.

A path is in this dialect if the signature of imgproxy in it is valid, or if it begins with `unsafe`, `insecure` or
another word for no signature. The language is that of imgproxy 4; `docs/migrate-from-imgproxy.md` describes the rest.
"""

from __future__ import annotations

import re

from handler.requests.dialects.dialect import HIDDEN, STRICT, Dialect, Environment, Faults, Redaction
from handler.requests.parsed_request import ParsedRequest, Recipe

_FOLLOWED = r"(?=/+(?:[A-Za-z0-9_-]{1,40}(?::|%3A)|(?:[^/\s]{1,80}/)?plain/|[A-Za-z0-9_=-]{16,}))"
"""What follows a signature: an option, a preset, or a source."""
_MIN_LENGTH = 22
"""The characters of the shortest signature that may stand before anything else than an option."""
_SIGNED_HEAD = (
    r"\A(/+(?:[^/]{1,40}/+){0,2}?)(?!insecure/)"
    rf"(?:[A-Za-z0-9_-]{{43}}=*(?=/)|[A-Za-z0-9_-]{{{_MIN_LENGTH},43}}=*{_FOLLOWED}"
    r"|[A-Za-z0-9_-]{8,21}(?=/+(?!filters)[a-z_-]{1,40}(?::|%3A)))"
)
"""A signature, perhaps behind a prefix; a short one only before an option, which Thumbor's filters are not."""
_SIGNED_SEGMENT = rf"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{{43}}=*{_FOLLOWED}"


def _configure(environment: Environment) -> Dialect:
    from handler.requests.dialects.imgproxy.configure import configure  # noqa: PLC0415 - where the dialect is on

    return configure(DIALECT, environment)


def _parse(path: str, faults: Faults = STRICT) -> ParsedRequest | None:
    from handler.requests.dialects.imgproxy.claim import parse  # noqa: PLC0415 - where the dialect is on

    return parse(path, faults)


def _parse_signed(text: str, faults: Faults = STRICT) -> ParsedRequest:
    from handler.requests.dialects.imgproxy.claim import parse_signed  # noqa: PLC0415 - see above

    return parse_signed(text, faults)


def _parse_preset(preset: object, where: str) -> Recipe | None:
    from handler.requests.dialects.imgproxy.claim import parse_own_preset  # noqa: PLC0415 - few presets are options

    return parse_own_preset(preset, where)


def _claims_page(path: str) -> bool:
    return path.startswith("/_/")


def _split_presets(value: str) -> dict[str, str]:
    from handler.requests.dialects.imgproxy.configuration import read_presets  # noqa: PLC0415 - few presets are options

    return read_presets("PRESETS, which is not a JSON object,", value)


def _serialize(request: ParsedRequest) -> tuple[str, ...]:
    from handler.requests.dialects.imgproxy.serialize import to_paths  # noqa: PLC0415 - only `translate` writes URLs

    return to_paths(request)


def _redact_path(raw_path: str) -> str:
    # Every request asks this, and compiling the pattern takes a cold start a millisecond.
    is_possible = raw_path.count("/") > 1 and (
        ":" in raw_path or "%" in raw_path or any(len(segment) >= _MIN_LENGTH for segment in raw_path.split("/"))
    )
    return re.sub(_SIGNED_HEAD, rf"\1{HIDDEN}", raw_path) if is_possible else raw_path


def _redact_address(text: str) -> str:
    return re.sub(_SIGNED_SEGMENT, HIDDEN, text) if len(text) > 45 and "/" in text else text


DIALECT = Dialect(
    name="imgproxy",
    title="imgproxy",
    example="/insecure/w:1/plain/a.jpg",
    description="A path that begins with a signature of imgproxy, `unsafe` or `insecure` is a path of imgproxy, if "
    "DIALECTS lists this language, and before Thumbor's.",
    parse=_parse,
    serialize=_serialize,
    parse_preset=_parse_preset,
    split_presets=_split_presets,
    reads_raw=True,
    reads_rewritten=False,
    parse_signed=_parse_signed,
    configure=_configure,
    claims_page=_claims_page,
    redaction=Redaction(path=_redact_path, address=_redact_address, message=_redact_address),
    is_default=False,
)
