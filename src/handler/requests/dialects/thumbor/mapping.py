"""Interprets parsed Thumbor paths, in Thumbor's own way or in that of AWS's image handler."""

from __future__ import annotations

from handler.requests.dialects.dialect import STRICT, Faults
from handler.requests.dialects.thumbor import aws, aws_grammar, filters, grammar
from handler.requests.parsed_request import ParsedRequest, Recipe
from imaging import ObjectRef, Output, check


def interpret_path(text: str, faults: Faults = STRICT, *, encoded: bool = False) -> ParsedRequest:
    """Parse what follows a signature or `unsafe`, as Thumbor interprets it. Raise InvalidParameter or NotFound.

    `encoded` is that of `grammar.parse_path`.
    """
    path = grammar.parse_path(text, faults, encoded=encoded)
    built = filters.build_steps(path, faults)
    output = check(Output, built.output, where="filters")
    return ParsedRequest(
        ref=ObjectRef("", path.image), recipe=Recipe(tuple(built.steps), output), headers=built.headers
    )


def interpret_aws_path(text: str, faults: Faults) -> ParsedRequest | None:
    """Parse a path as AWS's image handler interprets it; return None for any other path. Raise InvalidParameter."""
    path = aws_grammar.parse_aws_path(text, faults)
    return None if path is None else aws.build_request(path, faults)
