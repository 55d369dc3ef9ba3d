"""From the grammar of a path to its meaning."""

from __future__ import annotations

from features import InvalidParameter, Output, check
from handler.dialects import aws_edits
from handler.dialects.thumbor import Said, aws, filters, grammar


def whole(text: str, *, encoded: bool = False) -> Said:
    """What follows a signature or `unsafe`, in Thumbor's own meaning. InvalidParameter, NotFound; see grammar.whole."""
    path = grammar.whole(text, encoded=encoded)
    made = filters.made_of(path)
    output = check(Output, made.output, where="filters")
    return Said(path.image, tuple(made.steps), output, headers=made.headers)


def aws_part(text: str) -> Said | None:
    """A path of AWS's, None for any other. InvalidParameter."""
    path = grammar.aws_part(text)
    if path is None:
        return None
    try:
        meaning = aws_edits.read(aws.edits_of(path), "edits")
    except InvalidParameter as refused:
        raise aws.respelled(refused, "edits") from None
    return Said(path.image, meaning.steps, meaning.output, bucket=path.bucket, webp=meaning.webp)
