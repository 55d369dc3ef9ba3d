"""From a decoded path and decoded parameters to an ImageRequest: the dialect's parser, then policy and presets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from handler.auth.authenticate import Caller, SignedPath
from handler.auth.signature import parse_expiry
from handler.core.errors import BadRequest, Forbidden, NoSuchPage, NotFound
from handler.requests import dialects
from handler.requests.dialects.dialect import STRICT, Faults
from handler.requests.image_request import ImageRequest, list_objects
from handler.requests.parsed_request import (
    CANVAS_PARAMETERS,
    CANVAS_PATH,
    CANVAS_SOURCE,
    KEY_PREFIX,
    ParsedRequest,
    Recipe,
)
from handler.requests.policy import AUTO_QUALITY, Policy
from imaging import PNG, WEBP, InvalidParameter, ObjectRef, Output, Step, check, suggest

if TYPE_CHECKING:
    from handler.auth.canonical import Pairs
    from handler.requests.client_hints import Hints
    from handler.requests.dialects.dialect import Dialect

CUT_OUT = "removeBackground"
_WITH_PRESETS_ONLY = {"preset", "v", "expires", "signature"}


def parse_request(
    path: str,
    pairs: Iterable[tuple[str, object]],
    policy: Policy,
    *,
    caller: Caller = Caller.ANYONE,
    accepts: frozenset[str] = frozenset(),
    raw_path: str | None = None,
    signed_path: SignedPath | None = None,
    hints: Hints | None = None,
) -> ImageRequest:
    """Return the request that a path and its parameters make. Raises InvalidParameter, BadRequest, Forbidden, NotFound.

    `signed_path` is what a verified signature in the path covers; it is parsed instead of `path`. `raw_path` is the
    path as it is in the URL.
    """
    pairs = tuple(pairs)
    # A caller without the operator's rights is bound by DIALECTS in the query too.
    faults = Faults(is_lenient=policy.is_lenient)
    is_url = caller is not Caller.OPERATOR
    parsed = parse_address(
        path, pairs, policy, raw_path=raw_path, signed_path=signed_path, is_url=is_url, faults=faults
    )
    if policy.presets_only and caller is not Caller.OPERATOR:
        _refuse_all_but_presets(path, parsed, pairs, policy)
    request = _apply_policy(parsed, locate(path, parsed, policy), policy, caller, accepts, hints)
    more: dict[str, Any] = {"ignored": faults.names} if faults.names else {}
    if parsed.hides_source:
        more["hides_source"] = True
    return msgspec.structs.replace(request, **more) if more else request


def locate(path: str, parsed: ParsedRequest, policy: Policy) -> ObjectRef:
    """Return where the key of a URL is stored: SOURCE_PATHS apply, but not behind `/_key/`."""
    return parsed.ref if path.startswith(KEY_PREFIX) else policy.source_of(parsed.ref)


def parse_inline_request(
    picture: bytes, pairs: Iterable[tuple[str, object]], policy: Policy, *, accepts: frozenset[str] = frozenset()
) -> ImageRequest:
    """Return the request of an operator who posts an image with its parameters. Raises InvalidParameter or BadRequest.

    A cut-out is sent as PNG unless a format is requested, as callers of the common background-remover function expect.
    """
    parameters = dialects.parse_query(pairs)
    if "bucket" in parameters.controls:
        raise BadRequest("`bucket` must be left out: the image is in the request")
    recipe = dialects.build_recipe(parameters)
    if recipe.output.format is None and any(step.feature.name == CUT_OUT for step in recipe.steps):
        recipe = Recipe(output=check(Output, {"format": PNG.name})).over(recipe)
    parsed = ParsedRequest(recipe=recipe, controls=parameters.controls)
    return _apply_policy(parsed, picture, policy, Caller.OPERATOR, accepts)


def is_own(path: str, accepted: Sequence[Dialect]) -> bool:
    """Return whether a path is one of the service's own pages and names no image in any of the dialects.

    One in 64 signatures begins with an underscore, as those do.
    """
    if not path.startswith("/_") or path.startswith(KEY_PREFIX) or path == CANVAS_PATH:
        return False
    known = (*accepted, *(dialect for dialect in dialects.DIALECTS if dialect.is_default))
    return not dialects.begins_with_signature(path, known)


def parse_address(
    path: str,
    pairs: Iterable[tuple[str, object]],
    policy: Policy,
    *,
    raw_path: str | None = None,
    signed_path: SignedPath | None = None,
    is_url: bool = False,
    faults: Faults = STRICT,
) -> ParsedRequest:
    """Return what a URL itself requests, without presets and ALWAYS. Raises InvalidParameter, BadRequest, NotFound.

    With `is_url`, Forbidden is raised for features in the query where no accepted dialect reads them.
    """
    canvas, pairs = _take_canvas(pairs) if path == CANVAS_PATH else (None, pairs)
    parameters = dialects.parse_query(pairs, faults)
    if is_url and parameters.has_edits and not any(dialect.reads_query for dialect in policy.dialects):
        raise Forbidden("query parameters that edit are switched off (DIALECTS)")
    if is_own(path, policy.dialects):
        raise NoSuchPage(path)
    if canvas is not None:
        return dialects.add_query(ParsedRequest(ref=canvas, dialect=dialects.OWN), parameters, faults)
    rewrite = policy.rewrite.apply if policy.rewrite is not None else None
    parsed = dialects.parse_path(
        path, policy.dialects, raw_path=raw_path, rewrite=rewrite, signed_path=signed_path, faults=faults
    )
    if not parsed.ref.key:
        raise NotFound("the path must name an image, got /")
    return dialects.add_query(parsed, parameters, faults)


def _take_canvas(pairs: Iterable[tuple[str, object]]) -> tuple[ObjectRef, list[tuple[str, object]]]:
    """Return the canvas that a query describes, as an object of its source, and the other parameters."""
    from imaging import Canvas  # noqa: PLC0415 - most requests have an original

    others, values = [], dict[str, object]()
    for name, value in pairs:
        if name not in CANVAS_PARAMETERS:
            others.append((name, value))
        elif name in values:
            raise InvalidParameter(name, "given once", value)
        else:
            values[name] = value
    return ObjectRef(CANVAS_SOURCE, Canvas.parse(values).key), others


def _refuse_all_but_presets(
    path: str, parsed: ParsedRequest, pairs: tuple[tuple[str, object], ...], policy: Policy
) -> None:
    others = [name for name, _ in pairs if name not in _WITH_PRESETS_ONLY]
    has_edits = parsed.recipe != Recipe() and not parsed.is_preset
    # A dialect whose paths name buckets reaches only the sources of SOURCE_BUCKETS by them.
    names_bucket = bool(parsed.ref.bucket) and path != CANVAS_PATH and not parsed.is_preset
    if others or has_edits or parsed.headers or names_bucket:
        what = f"`{others[0]}`" if others else "edits in the path"
        raise Forbidden(f"only presets are allowed here (PRESETS_ONLY), got {what}")
    if "preset" not in parsed.controls and not policy.default_preset and not parsed.is_preset:
        raise Forbidden("only presets are allowed here (PRESETS_ONLY): `preset` must be given")


def _apply_policy(
    parsed: ParsedRequest,
    source: ObjectRef | bytes,
    policy: Policy,
    caller: Caller,
    accepts: frozenset[str],
    hints: Hints | None = None,
    depth: int = 0,
) -> ImageRequest:
    """Return the request with everything that the policy adds to it, or raise what the policy refuses."""
    recipe = parsed.recipe
    negotiated = parsed.webp is not None and policy.auto == {WEBP.name}
    if negotiated and parsed.webp is not None and WEBP.name in accepts:
        recipe = msgspec.structs.replace(recipe, output=parsed.webp)
    # Overlays are detected on and shown as the original is, so their sources must be public as well.
    buckets = {parsed.ref.bucket, *(ref.bucket for ref in list_objects(recipe.steps))}
    if caller is Caller.ANYONE and not buckets.issubset(policy.public_sources):
        _refuse_restricted(recipe, policy)
    recipe = _add_presets(recipe, parsed, policy, caller)
    if hints is not None and policy.client_hints:
        recipe = hints.apply_to(recipe)
    recipe = policy.complete(recipe)
    if recipe.output.format is None and policy.auto:
        recipe = Recipe(output=check(Output, {"format": "auto"})).over(recipe)
        accepts &= policy.auto
    overlays = _parse_overlays(recipe.steps, parsed.recipe.steps, policy, caller, depth)
    expires = parsed.controls.get("expires")
    return ImageRequest(
        source=source,
        overlays=overlays,
        steps=recipe.steps,
        output=recipe.output,
        negotiated=negotiated,
        accepts=accepts,
        headers=parsed.headers,
        expires=parse_expiry(expires, datetime.now(UTC)) if expires is not None else None,
        dialect=parsed.dialect,
        signed=caller is not Caller.ANYONE,
        restricted=policy.signed_only or policy.always != Recipe(),
    )


def _parse_overlays(
    steps: Sequence[Step], own: Sequence[Step], policy: Policy, caller: Caller, depth: int
) -> Mapping[ObjectRef, ImageRequest]:
    """Return the request of each overlay that is an address; `own` are the steps that the caller has written."""
    if not any(ref.is_address for ref in list_objects(steps)):
        return {}
    from handler.requests.overlay_addresses import parse_overlays  # noqa: PLC0415 - few overlays have edits

    def parse(path: str, raw_path: str, pairs: Pairs, policy: Policy, caller: Caller) -> ImageRequest:
        faults = Faults(is_lenient=policy.is_lenient)
        is_url = caller is not Caller.OPERATOR
        parsed = parse_address(path, pairs, policy, raw_path=raw_path, is_url=is_url, faults=faults)
        return _apply_policy(parsed, locate(path, parsed, policy), policy, caller, frozenset(), None, depth + 1)

    return parse_overlays(steps, own, policy, caller, parse, depth)


def _add_presets(recipe: Recipe, parsed: ParsedRequest, policy: Policy, caller: Caller) -> Recipe:
    """Return the recipe with the presets of its `steps` in their places, and on top of that of the whole request."""
    if recipe.inserts:
        recipe = recipe.with_presets(policy.presets)
    preset = parsed.controls.get("preset", policy.default_preset or None)
    if preset is None:
        return recipe
    if preset not in policy.presets:
        # Under PRESETS_ONLY a caller without a signature must not learn the names of presets.
        hides_names = policy.presets_only and caller is Caller.ANYONE
        named = (", ".join(policy.presets) or "those in PRESETS, which is empty") + suggest(preset, policy.presets)
        known = "those in PRESETS" if hides_names else named
        raise BadRequest(f"`preset` must be one of {known}, got {preset!r}")
    return recipe.over(policy.presets[preset])


def _refuse_restricted(recipe: Recipe, policy: Policy) -> None:
    """Raise Forbidden for what is expensive, billed or private and not listed in PUBLIC_FEATURES."""
    if "*" in policy.public_features:
        return
    names = [step.feature.name for step in recipe.steps if step.is_restricted]
    for name in [*names, AUTO_QUALITY] if recipe.output.searches else names:
        if name not in policy.public_features:
            raise Forbidden(f"`{name}` is not open to all here: sign the URL, or list it in PUBLIC_FEATURES")
