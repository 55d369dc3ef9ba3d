"""`steps=[{"resize":{"width":300}},{"blur":3}]`: edits in an order of their own, in query parameters."""

from __future__ import annotations

from handler.requests.dialects.dialect import Faults
from handler.requests.dialects.json_edits.edits import followed_by, parse_chain
from handler.requests.parsed_request import Recipe
from handler.requests.strict_json import loads
from imaging import InvalidParameter

_MAX_LENGTH = 20_000
"""Characters, which is more than a URL may have."""


def add_chain(recipe: Recipe, value: object, where: str, faults: Faults) -> Recipe:
    """Return the recipe with the edits of `steps` behind its own. Raise InvalidParameter.

    The value is JSON, or in a direct invocation the list itself.
    """
    if isinstance(value, str):
        try:
            value = loads(value if len(value) <= _MAX_LENGTH else "", faults.tolerate)
        except (ValueError, RecursionError):
            raise InvalidParameter(where, 'a JSON list of edits, such as [{"blur":3}]', value) from None
    return followed_by(recipe, parse_chain(value, where, faults))
