"""Overlays that are addresses of this service: each becomes an ImageRequest within the request that names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from handler.auth.authenticate import Caller
from handler.auth.canonical import Pairs, decode_path, split_address, split_query
from handler.core.errors import BadRequest
from handler.requests.image_request import ImageRequest
from handler.requests.parsed_request import Recipe
from handler.requests.policy import Policy
from imaging import PNG, InvalidParameter, Limits, ObjectRef, Output, Step, describe

MAX_DEPTH = 2
"""How deep addresses may be nested: an overlay of an overlay may be one, and no further."""
MAX_OVERLAYS = Limits().overlays
_OUTER_CONTROLS = ("signature", "expires")
"""Query parameters that belong to the address of the whole request."""
Parse = Callable[[str, str, Pairs, Policy, Caller], ImageRequest]
"""Parses a path, the same undecoded, and parameters."""


def find_addresses(steps: Sequence[Step]) -> Iterator[tuple[str, ObjectRef]]:
    """Yield the addresses that steps name, each with the name of its parameter."""
    for step in steps:
        for ref in step.feature.objects(step.params) if step.feature.objects else ():
            if ref.is_address:
                yield f"{step.feature.name}.address", ref


def parse_overlays(
    steps: Sequence[Step], own: Sequence[Step], policy: Policy, caller: Caller, parse: Parse, depth: int
) -> Mapping[ObjectRef, ImageRequest]:
    """Return the request of each address that steps name. Raise InvalidParameter, BadRequest, Forbidden or NotFound.

    `own` are the steps that the caller has written; all others are the operator's.
    """
    found: dict[ObjectRef, ImageRequest] = {}
    written = {ref for _, ref in find_addresses(own)}
    policy = msgspec.structs.replace(
        policy, always=Recipe(), base=Recipe(), auto=frozenset(), default_preset="", client_hints=False
    )
    for name, ref in find_addresses(steps):
        if depth >= MAX_DEPTH:
            raise InvalidParameter(name, f"nested at most {MAX_DEPTH} deep", ref.key)
        if ref not in found:
            found[ref] = _parse_overlay(name, ref, policy, caller if ref in written else Caller.OPERATOR, parse)
        if _count(found) > MAX_OVERLAYS:
            raise InvalidParameter(name, f"one of at most {MAX_OVERLAYS} addresses of a request", ref.key)
    return found


def _count(overlays: Mapping[ObjectRef, ImageRequest]) -> int:
    return sum(1 + _count(overlay.overlays) for overlay in overlays.values())


def _parse_overlay(name: str, ref: ObjectRef, policy: Policy, caller: Caller, parse: Parse) -> ImageRequest:
    if not ref.key.startswith("/"):
        raise InvalidParameter(name, "a path of this service, such as /logo.png?width=200", ref.key)
    try:
        _, raw_path, query = split_address(ref.key)
        pairs = split_query(query)
        for control, value in pairs:
            if control in _OUTER_CONTROLS:
                raise InvalidParameter(control, "left out: it belongs to the address of the whole request", value)
        request = parse(decode_path(raw_path), raw_path, pairs, policy, caller)
    except InvalidParameter as error:
        raise InvalidParameter(f"{name}.{error.name}", error.expected, error.got, code=error.code) from None
    except BadRequest as error:
        raise InvalidParameter(name, f"an address that can be read ({error.message})", ref.key) from None
    _refuse_output(name, request)
    # PNG loses nothing; a fast one is enough for pixels that are decoded at once.
    output = Output(format=PNG.name, effort=1, animated=False, page=request.output.page)
    return msgspec.structs.replace(request, output=output)


def _refuse_output(name: str, request: ImageRequest) -> None:
    """Raise InvalidParameter for what only the answer to the whole request can have."""
    if (report := next((step for step in request.steps if step.is_report), None)) is not None:
        raise InvalidParameter(f"{name}.{report.feature.name}", "left out: an overlay is no report", True)
    for header, value in request.headers.items():
        raise InvalidParameter(f"{name}.headers.{header}", "left out of an overlay", value)
    for option, value in describe(msgspec.structs.replace(request.output, page=None)).items():
        raise InvalidParameter(f"{name}.{option}", "left out: it belongs to the image that is sent", value)
