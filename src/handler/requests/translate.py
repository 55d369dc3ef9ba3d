"""Explains what a URL requests, and translates it to another dialect; no image is read."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from handler.auth.authenticate import Authentication, Authenticator, Caller, SignedPath
from handler.auth.canonical import SIGNATURE, IgnoredParameters, Pairs, decode_path, split_address, split_query
from handler.core.errors import BadRequest, BadSignature, Forbidden, NotFound
from handler.requests import dialects
from handler.requests.dialects.dialect import Dialect, Faults
from handler.requests.dialects.serialize import join_resize
from handler.requests.image_request import ImageRequest
from handler.requests.parse import locate, parse_address, parse_request
from handler.requests.parsed_request import Insert, ParsedRequest
from handler.requests.policy import Policy
from imaging import InvalidParameter, ObjectRef, Step, describe, describe_steps, suggest

_CARRIED = ("preset", "v")
_NEGLIGIBLE = "centred"
"""A parameter that some dialects always set; it moves the pixels of an enlargement by less than one of them."""
_ROUNDING = frozenset({"rules", "precision"})
"""Parameters that dialects add to a feature, and that change how sizes and levels are rounded."""
_UNSIGNED = ("signature", "expires")


class _Address(msgspec.Struct, frozen=True):
    """A URL, taken apart."""

    path: str
    raw_path: str
    query: str
    pairs: Pairs

    def sent_pairs(self) -> Pairs:
        """Return the pairs with the ignored ones; nothing if these are invalid."""
        try:
            return split_query(self.query)
        except BadRequest:
            return ()

    @classmethod
    def of(cls, text: str, ignored: IgnoredParameters | None) -> _Address:
        """Parse a URL. Raises BadRequest."""
        _, raw_path, query = split_address(text)
        return cls(decode_path(raw_path), raw_path, query, split_query(query, ignored))


class Translator(msgspec.Struct, frozen=True):
    """Explains and translates URLs; `handler.composition` builds it."""

    policy: Policy
    authenticator: Authenticator
    ignored: IgnoredParameters
    resolve: Callable[[ObjectRef], ObjectRef]
    """Fills in the name of the bucket; raises Forbidden for one that is not listed."""
    tells_settings: bool = True
    """Whether answers contain what the settings add to a URL."""
    opens_encrypted: bool = True
    """Whether answers may contain what a URL holds encrypted."""

    def for_strangers(self) -> Translator:
        """Return a translator that tells only what a URL itself requests: no presets, ALWAYS, buckets or signatures."""
        policy = Policy(dialects=self.policy.dialects, rewrite=self.policy.rewrite, is_lenient=self.policy.is_lenient)
        return Translator(
            policy, self.authenticator, self.ignored, lambda ref: ref, tells_settings=False, opens_encrypted=False
        )

    def explain(self, url: str) -> dict[str, Any]:
        """Return dialect, bucket, key, the steps in order with presets and ALWAYS, the output, and what the signature
        proves.
        """
        address = _Address.of(url, self.ignored)
        parsed, faults = self._parse_tolerantly(address)
        # Strict mode refuses the URL with the first of these messages; lenient mode goes on without these parts.
        ignored = [{"name": name, "message": error.message} for name, error in faults.found.items()]
        if not self.tells_settings:
            return {**_describe_alone(parsed), "ignored": ignored}
        signed_path = self._signed_path(address)
        policy = msgspec.structs.replace(self.policy, is_lenient=faults.is_lenient)
        request = parse_request(
            address.path,
            address.pairs,
            policy,
            caller=Caller.OPERATOR,
            raw_path=self._raw_path(address, signed_path),
            signed_path=signed_path,
        )
        ref = self._resolved(request.source) if isinstance(request.source, ObjectRef) else parsed.ref
        return {
            "dialect": parsed.dialect,
            "bucket": ref.bucket,
            "key": ref.key,
            "steps": describe_steps(request.steps),
            "output": describe(request.output),
            "signature": self._signature(address, in_path=signed_path is not None, is_needed=self._is_private(request)),
            "compatibility": "lenient" if self.policy.is_lenient else "strict",
            "ignored": ignored,
        }

    def translate(self, url: str, to: str) -> dict[str, Any]:
        """Return the URL in another dialect, and what that dialect cannot express. Raises BadRequest."""
        target = next((dialect for dialect in dialects.DIALECTS if dialect.name == to), None)
        if target is None:
            similar = suggest(to, dialects.names())
            raise BadRequest(f"`to` must be one of {', '.join(dialects.names())}{similar}, got {to[:40]!r}")
        address = _Address.of(url, self.ignored)
        faults = Faults(is_lenient=self.policy.is_lenient)
        parsed = self._parse(address, faults)
        ref = locate(address.path, parsed, self.policy)
        controls = {name: value for name, value in parsed.controls.items() if name in _CARRIED}
        made = self._write(msgspec.structs.replace(parsed, ref=ref, controls=controls), target)
        unsupported = _find_unsupported(parsed, self._parse_in_mode(_Address.of(made, None)))
        unsigned = [name for name in _UNSIGNED if name in parsed.controls]
        if self._signed_path(address) is not None and "signature" not in unsigned:
            unsigned.append("signature")
        return {"url": made, "unsaid": [*faults.names, *unsupported, *unsigned]}

    def _write(self, request: ParsedRequest, target: Dialect) -> str:
        """Return the first URL that is parsed as the same key. Raises BadRequest if no URL is."""
        # A key in the default bucket may need the bucket's name, so that SOURCE_PATHS do not apply to it.
        named = msgspec.structs.replace(request, ref=self._resolved(request.ref))
        for made in (*target.serialize(request), *target.serialize(named)):
            if self._locate(made) in (request.ref, named.ref):
                return made
        accepted = [dialect.name for dialect in self.policy.dialects]
        if target.name not in accepted:
            raise BadRequest(f"`to` must be a dialect that DIALECTS lists ({','.join(accepted)}), got {target.name!r}")
        raise BadRequest(f"the key {request.ref.key[:100]!r} cannot be expressed in the dialect {target.name}")

    def _locate(self, made: str) -> ObjectRef | None:
        """Return where the key of a URL is stored; None if there is no image at that URL."""
        address = _Address.of(made, None)
        try:
            return locate(address.path, self._parse_in_mode(address), self.policy)
        except NotFound:
            return None

    def _parse_in_mode(self, address: _Address) -> ParsedRequest:
        """Return what the URL requests in the mode that is set."""
        return self._parse(address, Faults(is_lenient=self.policy.is_lenient))

    def _parse(self, address: _Address, faults: Faults) -> ParsedRequest:
        signed_path = self._signed_path(address)
        parsed = parse_address(
            address.path,
            address.pairs,
            self.policy,
            raw_path=self._raw_path(address, signed_path),
            signed_path=signed_path,
            faults=faults,
        )
        if parsed.hides_source and not self.opens_encrypted:
            raise Forbidden("an encrypted URL is read to the operator only")
        if parsed.is_unreadable:
            raise NotFound("the encrypted URL cannot be decrypted, or is under none of the sources in SOURCE_BUCKETS")
        return parsed

    def _parse_tolerantly(self, address: _Address) -> tuple[ParsedRequest, Faults]:
        """Return what the URL requests in the mode that is set, or in lenient mode where strict mode refuses it."""
        if not self.policy.is_lenient:
            with suppress(InvalidParameter):
                return self._parse(address, Faults()), Faults()
        faults = Faults(is_lenient=True)
        return self._parse(address, faults), faults

    def _signed_path(self, address: _Address) -> SignedPath | None:
        """Return what a signature in the path covers, whether it is valid or not; it is verified if the caller may
        know the outcome.
        """
        verified = self.authenticator.verified_path(address.raw_path) if self.tells_settings else None
        return verified or self.authenticator.claimed_path(address.raw_path)

    def _raw_path(self, address: _Address, signed_path: SignedPath | None) -> str | None:
        """Return the path as it is in the URL, None where a signature in the query covers the decoded path alone."""
        if signed_path is not None or SIGNATURE not in dict(address.pairs):
            return address.raw_path
        may_prove = self.authenticator.has_private and self.tells_settings
        covers_query = self.authenticator.signed_only or (may_prove and self._verified(address) is not None)
        return None if covers_query else address.raw_path

    def _resolved(self, ref: ObjectRef) -> ObjectRef:
        try:
            return self.resolve(ref)
        except Forbidden:
            return ref

    def _is_private(self, request: ImageRequest) -> bool:
        """Return whether the request reads an object of a private source."""
        return any(self._resolved(ref).bucket in self.policy.private_sources for ref in request.stored_objects)

    def _signature(self, address: _Address, *, in_path: bool, is_needed: bool) -> str:
        """Return `none`, `valid`, `invalid` or `missing`."""
        if not in_path and SIGNATURE not in dict(address.pairs):
            return "missing" if self.authenticator.signed_only or is_needed else "none"
        proof = self._verified(address)
        if proof is None:
            return "invalid"
        # The keys of another program do not open private sources.
        return "valid" if proof.opens_private or not is_needed else "missing"

    def _verified(self, address: _Address) -> Authentication | None:
        """Return what the signatures in a URL prove, None if one of them is wrong or does not cover the whole."""
        must = msgspec.structs.replace(self.authenticator, signed_only=True)
        try:
            return must.authenticate(address.path, address.pairs, address.raw_path, address.sent_pairs)
        except BadSignature:
            return None


def _describe_alone(parsed: ParsedRequest) -> dict[str, Any]:
    """Describe what a URL itself requests."""
    steps = [
        {"preset": item.preset} if isinstance(item, Insert) else describe_steps([item])[0]
        for item in parsed.recipe.items
    ]
    return {
        "dialect": parsed.dialect,
        "key": parsed.ref.key,
        "steps": steps,
        "output": describe(parsed.recipe.output),
    }


def _find_unsupported(requested: ParsedRequest, got: ParsedRequest) -> list[str]:
    """Return the names of what `got` lacks of the requested, or has with another value.

    Output options that every URL of the other dialect has, such as its own qualities, were not requested.
    """
    names = _unsupported_steps(requested.recipe.steps, got.recipe.steps)
    named, kept = (
        [(insert.at, insert.preset) for insert in recipe.inserts] for recipe in (requested.recipe, got.recipe)
    )
    names += ["steps"] if named != kept else []
    mine, theirs = describe(requested.recipe.output), describe(got.recipe.output)
    names += [f"output.{name}" for name, value in mine.items() if theirs.get(name) != value]
    return names + [f"headers.{name}" for name, value in requested.headers.items() if got.headers.get(name) != value]


def _unsupported_steps(requested_steps: tuple[Step, ...], made: tuple[Step, ...]) -> list[str]:
    requested, got = describe_steps(requested_steps), describe_steps(made)
    if requested == got:
        return []
    names = _differing(*(describe_steps(join_resize(steps)) for steps in (requested_steps, made)))
    # A step that another one implies was not requested by itself.
    implied = {step.implied[0]: step.feature.name for step in requested_steps if step.implied is not None}
    names = list(dict.fromkeys(implied.get(name, name) for name in names))
    features = [step["feature"] for step in requested]
    if names or not features or features == [step["feature"] for step in got]:
        return names
    return ["the order of " + ", ".join(features)] if len(features) > 1 else features


def _differing(requested: list[dict[str, Any]], got: list[dict[str, Any]]) -> list[str]:
    """Return the features and parameters of the request that differ, in whatever order they are."""
    names: list[str] = []
    rest = list(got)
    for step in requested:
        feature = step["feature"]
        same = next((other for other in rest if other["feature"] == feature), None)
        if same is None:
            names.append(feature)
            continue
        rest.remove(same)
        differing = {name for name in {**step, **same} if step.get(name) != same.get(name)} - {_NEGLIGIBLE}
        given = [f"{feature}.{name}" for name in step if name in differing]
        # What the other dialect sets by itself is not in the request: then the feature as a whole differs.
        same_kernel = {"minAmplitude"} if _kernel_radius(step) == _kernel_radius(same) else set()
        names += given or ([feature] if differing - _ROUNDING - same_kernel else [])
    return names


def _kernel_radius(blur: dict[str, Any]) -> int:
    """Return the pixels beside the middle one in the kernel of a blur, as libvips counts them; 0 for other features."""
    sigma: float = blur.get("sigma", 0.0)
    cut_off: float = blur.get("minAmplitude", 0.2)
    return math.floor(sigma * math.sqrt(-2 * math.log(cut_off)))
