"""What an address means, and how another language says it; no picture is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from handler.auth.authenticate import Authenticator
from handler.auth.canonical import SIGNATURE, IgnoredParameters, Pairs, decode_path, split_address, split_query
from handler.errors import BadRequest, BadSignature, Forbidden, NotFound
from handler.requests.dialects import serialize, thumbor
from handler.requests.dialects.thumbor import path_writer
from handler.requests.parse import KEY_PREFIX, Caller, ParsedRequest, Policy, asked, located, parse_request
from imaging import ObjectRef, Step, describe, describe_steps

LANGUAGES: Mapping[str, Callable[[serialize.Request], str]] = {
    "query": lambda request: serialize.in_query(request, "/"),
    "json": serialize.in_json,
    "thumbor": path_writer.in_path,
}
_CARRIED = ("preset", "v")
_UNTOLD = "centred"
"""What Thumbor's paths always say and others seldom: where pixels lie in an enlargement, by less than one of them."""
_UNSIGNED = ("signature", "expires")


class _Address(msgspec.Struct, frozen=True):
    """An address, taken apart."""

    path: str
    raw_path: str
    pairs: Pairs

    @classmethod
    def of(cls, text: str, ignored: IgnoredParameters | None) -> _Address:
        """BadRequest for what is none."""
        _, raw_path, query = split_address(text)
        return cls(decode_path(raw_path), raw_path, split_query(query, ignored))


class Translator(msgspec.Struct, frozen=True):
    """Explains and translates addresses; `wiring` fills it."""

    policy: Policy
    authenticator: Authenticator
    ignored: IgnoredParameters
    resolve: Callable[[ObjectRef], ObjectRef]
    """Fills in the name of a bucket; Forbidden for one that is not listed."""
    tells_settings: bool = True
    """Whether answers hold what the settings add to an address, beside what it says itself."""

    def for_strangers(self) -> Translator:
        """One that tells what an address says itself: no presets, no ALWAYS, no names of buckets, no signatures."""
        policy = Policy(dialects=self.policy.dialects, rewrite=self.policy.rewrite)
        return Translator(policy, self.authenticator, self.ignored, lambda ref: ref, tells_settings=False)

    def explain(self, url: str) -> dict[str, Any]:
        """Dialect, bucket, key, steps in order with presets and ALWAYS, output, and what the signature proves."""
        address = _Address.of(url, self.ignored)
        if not self.tells_settings:
            return _said_itself(self._asked(address))
        signed_path = self._signed_path(address)
        params = self._asked(address)
        request = parse_request(
            address.path, address.pairs, self.policy, caller=Caller.OPERATOR, signed_path=signed_path
        )
        ref = self._resolved(request.source) if isinstance(request.source, ObjectRef) else params.ref
        return {
            "dialect": params.dialect,
            "bucket": ref.bucket,
            "key": ref.key,
            "steps": describe_steps(request.steps),
            "output": describe(request.output),
            "signature": self._signature(address, in_path=signed_path is not None),
        }

    def translate(self, url: str, to: str) -> dict[str, Any]:
        """The address in another language, and what that language cannot say. BadRequest."""
        write = LANGUAGES.get(to)
        if write is None:
            raise BadRequest(f"`to` must be one of {', '.join(LANGUAGES)}, got {to[:40]!r}")
        address = _Address.of(url, self.ignored)
        params = self._asked(address)
        controls = {name: value for name, value in params.controls.items() if name in _CARRIED}
        ref = located(address.path, params, self.policy)
        request = serialize.Request(ref, params.recipe.steps, params.recipe.output, params.headers, controls)
        made = self._written(request, write, to)
        again = self._asked(_Address.of(made, None))
        unsaid = [name for name in _UNSIGNED if name in params.controls]
        unsaid += ["signature"] if self._signed_path(address) is not None and "signature" not in unsaid else []
        return {"url": made, "unsaid": [*_unsaid(params, again), *unsaid]}

    def _written(self, request: serialize.Request, write: Callable[[serialize.Request], str], to: str) -> str:
        """BadRequest where the key itself cannot be said."""
        # A key in the default bucket may need its name, lest it is looked for where SOURCE_PATHS say.
        named = msgspec.structs.replace(request, ref=self._resolved(request.ref))
        attempts = [write(request), write(named)]
        if to == "query":
            attempts.insert(1, serialize.in_query(request, KEY_PREFIX))
        for made in attempts:
            if self._means(made) in (request.ref, named.ref):
                return made
        raise BadRequest(f"the key {request.ref.key[:100]!r} cannot be said in {to}: it reads as something else")

    def _means(self, made: str) -> ObjectRef | None:
        """Where the key of an address lies; None where it is no picture's."""
        address = _Address.of(made, None)
        try:
            return located(address.path, self._asked(address), self.policy)
        except NotFound:
            return None

    def _asked(self, address: _Address) -> ParsedRequest:
        return asked(address.path, address.pairs, self.policy, signed_path=self._signed_path(address))

    def _signed_path(self, address: _Address) -> str | None:
        """What the signature in a path covers: without a secret none is one, and the segment part of the key."""
        signatures = self.authenticator.signatures
        claimed = thumbor.signature_of(address.raw_path) if self.authenticator.in_paths else None
        if claimed is None or signatures is None:
            return None
        verified = signatures.signed_form(claimed.given, claimed.forms) if self.tells_settings else None
        return verified or claimed.forms[0]

    def _resolved(self, ref: ObjectRef) -> ObjectRef:
        try:
            return self.resolve(ref)
        except Forbidden:
            return ref

    def _signature(self, address: _Address, *, in_path: bool) -> str:
        """none, valid, invalid or missing."""
        if not in_path and SIGNATURE not in dict(address.pairs):
            return "missing" if self.authenticator.signed_only else "none"
        if self.authenticator.signatures is None:
            return "invalid"
        must = msgspec.structs.replace(self.authenticator, signed_only=True)
        try:
            must.proof(address.path, address.pairs, address.raw_path)
        except BadSignature:
            return "invalid"
        return "valid"


def _said_itself(params: ParsedRequest) -> dict[str, Any]:
    """What an address says itself."""
    steps, output = describe_steps(params.recipe.steps), describe(params.recipe.output)
    return {"dialect": params.dialect, "key": params.ref.key, "steps": steps, "output": output}


def _unsaid(requested: ParsedRequest, got: ParsedRequest) -> list[str]:
    """What of the wanted request the other one lacks or has otherwise, by name."""
    names = _steps_unsaid(requested.recipe.steps, got.recipe.steps)
    mine, theirs = describe(requested.recipe.output), describe(got.recipe.output)
    names += [f"output.{name}" for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)]
    return names + [f"headers.{name}" for name, value in requested.headers.items() if got.headers.get(name) != value]


def _steps_unsaid(asked: tuple[Step, ...], made: tuple[Step, ...]) -> list[str]:
    requested, got = describe_steps(asked), describe_steps(made)
    if requested == got:
        return []
    names = _differing(*(describe_steps(serialize.folded(steps)) for steps in (asked, made)))
    if names or [step["feature"] for step in requested] == [step["feature"] for step in got]:
        return names
    return ["the order of " + ", ".join(step["feature"] for step in requested)]


def _differing(requested: list[dict[str, Any]], got: list[dict[str, Any]]) -> list[str]:
    """Features and parameters that are not the same, whatever their order."""
    names: list[str] = []
    rest = list(got)
    for step in requested:
        same = next((other for other in rest if other["feature"] == step["feature"]), None)
        if same is None:
            names.append(step["feature"])
            continue
        rest.remove(same)
        differing = [name for name in {**step, **same} if step.get(name) != same.get(name)]
        names += [f"{step['feature']}.{name}" for name in differing if name != _UNTOLD]
    return names + [step["feature"] for step in rest]
