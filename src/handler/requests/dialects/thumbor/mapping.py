"""Interprets parsed Thumbor paths, in Thumbor's own way or in that of AWS's image handler."""

from __future__ import annotations

from handler.requests.dialects.json_edits import edits as json_edits
from handler.requests.dialects.thumbor import ParsedPath, aws, filters, grammar
from imaging import InvalidParameter, Output, check


def whole(text: str, *, encoded: bool = False) -> ParsedPath:
    """Parse what follows a signature or `unsafe`, as Thumbor interprets it. Raise InvalidParameter or NotFound.

    `encoded` is that of `grammar.parse_path`.
    """
    path = grammar.parse_path(text, encoded=encoded)
    built = filters.build_steps(path)
    output = check(Output, built.output, where="filters")
    return ParsedPath(path.image, tuple(built.steps), output, headers=built.headers)


def aws_part(text: str) -> ParsedPath | None:
    """Parse a path as AWS's image handler interprets it; return None for any other path. Raise InvalidParameter."""
    path = grammar.parse_aws_path(text)
    if path is None:
        return None
    try:
        meaning = json_edits.read(aws.edits_of(path), "edits")
    except InvalidParameter as refused:
        raise aws.respelled(refused, "edits") from None
    return ParsedPath(path.image, meaning.steps, meaning.output, bucket=path.bucket, webp=meaning.webp)
