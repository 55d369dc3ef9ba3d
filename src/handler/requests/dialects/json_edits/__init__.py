"""Base64 JSON in the path, as AWS's image handler writes it, and the same edits in presets and `ALWAYS`."""

from __future__ import annotations

from handler.requests.dialects.dialect import STRICT, Dialect, Faults
from handler.requests.parsed_request import ParsedRequest, Recipe


def parse(path: str, faults: Faults = STRICT) -> ParsedRequest | None:
    """Parse a decoded path; return None if it is not base64 of a JSON object with a `key`. Raises InvalidParameter."""
    # Base64 of an opening brace, alone or behind a space, a tab or a line break, begins with one of these letters.
    if not path.startswith(("e", "I", "C")):
        return None
    from handler.requests.dialects.json_edits import paths  # noqa: PLC0415 - most paths are keys

    return paths.parse_path(path, faults)


def _parse_preset(preset: object, where: str) -> Recipe | None:
    """Parse a preset that is an object of edits. Raises InvalidParameter for anything else that is not text."""
    if isinstance(preset, str):
        return None
    from handler.requests.dialects.json_edits import edits  # noqa: PLC0415 - where a preset has edits

    return edits.parse_edits(preset, where).recipe


def _serialize(request: ParsedRequest) -> tuple[str, ...]:
    from handler.requests.dialects.json_edits.serialize import to_json  # noqa: PLC0415 - only `translate` writes URLs

    return (to_json(request),)


DIALECT = Dialect(
    name="json",
    title="Base64 JSON",
    description="A path that is base64 of JSON with a `key` (and bucket, edits, outputFormat, effort, headers) is a "
    "request of AWS's image handler.",
    parse=parse,
    serialize=_serialize,
    parse_preset=_parse_preset,
    reads_rewritten=False,
)
