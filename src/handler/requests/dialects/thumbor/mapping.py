"""From the grammar of a path to its meaning."""

from __future__ import annotations

from handler.requests.dialects.json_edits import edits as json_edits
from handler.requests.dialects.thumbor import ParsedPath, aws, filters, grammar
from imaging import InvalidParameter, Output, check


def whole(text: str, *, encoded: bool = False) -> ParsedPath:
    """What follows a signature or `unsafe`, in Thumbor's own meaning. InvalidParameter, NotFound; see grammar.whole."""
    path = grammar.whole(text, encoded=encoded)
    made = filters.made_of(path)
    output = check(Output, made.output, where="filters")
    return ParsedPath(path.image, tuple(made.steps), output, headers=made.headers)


def aws_part(text: str) -> ParsedPath | None:
    """A path of AWS's, None for any other. InvalidParameter."""
    path = grammar.aws_part(text)
    if path is None:
        return None
    try:
        meaning = json_edits.read(aws.edits_of(path), "edits")
    except InvalidParameter as refused:
        raise aws.respelled(refused, "edits") from None
    return ParsedPath(path.image, meaning.steps, meaning.output, bucket=path.bucket, webp=meaning.webp)
