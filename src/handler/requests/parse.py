"""From a decoded path and decoded parameters to an ImageRequest: which language, what it says, what the caller may."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum

import msgspec

from features import ORDER
from handler.auth.signature import parse_expiry
from handler.errors import BadRequest, Forbidden, NotFound
from handler.requests.client_hints import Hints
from handler.requests.dialects import json_edits, query, thumbor
from handler.requests.image_request import ImageRequest, named
from handler.requests.presets import Recipe
from handler.requests.rewrite import Rewrite
from imaging import PNG, WEBP, ObjectRef, Output, Step, check

KEY_PREFIX = "/_key/"
DIALECTS = ("json", "thumbor", "query")
CUT_OUT = "removeBackground"
_WITH_PRESETS_ONLY = {"preset", "v", "expires", "signature"}


class Caller(Enum):
    """Whose request it is, as far as it was proven."""

    ANYONE = "anyone"
    SIGNED = "signed"
    OPERATOR = "operator"


class Policy(msgspec.Struct, frozen=True):
    """The operator's rules on what a request may say and what is added to it."""

    presets: Mapping[str, Recipe] = msgspec.field(default_factory=dict)
    presets_only: bool = False
    always: Recipe = msgspec.field(default_factory=Recipe)
    public_features: tuple[str, ...] = ()
    public_sources: tuple[str, ...] = ()
    """Names of sources on which every feature is open to all."""
    dialects: tuple[str, ...] = DIALECTS
    auto: frozenset[str] = frozenset()
    """Formats that are negotiated where a request names none: from AUTO_FORMAT and AUTO_WEBP."""
    default_preset: str = ""
    """Of every request that names none."""
    source_paths: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Prefix of a key → the source that the rest of it lies in."""
    client_hints: bool = False
    signed_only: bool = False
    """Whether every address has to be signed."""
    rewrite: Rewrite | None = None

    def source_of(self, ref: ObjectRef) -> ObjectRef:
        """Where a key lies that is named without a bucket: in the source of its longest listed prefix."""
        prefixes = [prefix for prefix in self.source_paths if ref.key.startswith(prefix) and ref.key != prefix]
        if ref.bucket or not prefixes:
            return ref
        prefix = max(prefixes, key=len)
        return ObjectRef(self.source_paths[prefix], ref.key.removeprefix(prefix))

    def faults(self) -> list[str]:
        """What does not go together, a line each."""
        known = {*ORDER, "*"}
        faults = [
            f"PUBLIC_FEATURES: no feature is called {name!r}" for name in self.public_features if name not in known
        ]
        if self.default_preset and self.default_preset not in self.presets:
            faults.append(f"DEFAULT_PRESET must be one of those in PRESETS, got {self.default_preset!r}")
        return faults


class ParsedRequest(msgspec.Struct, frozen=True):
    """What the languages have in common."""

    ref: ObjectRef
    recipe: Recipe
    controls: Mapping[str, str]
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    dialect: str = "query"
    webp: Output | None = None
    """The output in its place where AUTO_WEBP is on and the client takes WebP."""


def parse_request(
    path: str,
    pairs: Iterable[tuple[str, object]],
    policy: Policy,
    *,
    caller: Caller = Caller.ANYONE,
    accepts: frozenset[str] = frozenset(),
    signed_path: str | None = None,
    hints: Hints | None = None,
) -> ImageRequest:
    """What a path and its parameters ask for. Raises InvalidParameter, BadRequest, Forbidden or NotFound.

    `signed_path`: what a verified signature at the beginning of the path covers, byte for byte; it is parsed in the
    place of `path`.
    """
    pairs = tuple(pairs)
    words = query.read(pairs)
    params = _by_language(path, words, policy, is_url=caller is not Caller.OPERATOR, signed_path=signed_path)
    if policy.presets_only and caller is not Caller.OPERATOR:
        _only_presets(params, pairs, policy)
    return _ruled(params, located(path, params, policy), policy, caller, accepts, hints)


def located(path: str, params: ParsedRequest, policy: Policy) -> ObjectRef:
    """Where the key of an address lies: SOURCE_PATHS count, but not behind `/_key/`."""
    return params.ref if path.startswith(KEY_PREFIX) else policy.source_of(params.ref)


def parse_inline_request(
    picture: bytes, pairs: Iterable[tuple[str, object]], policy: Policy, *, accepts: frozenset[str] = frozenset()
) -> ImageRequest:
    """What the operator asks of a picture that came with the request. Raises InvalidParameter.

    A cut-out leaves as PNG unless a format is asked, as callers of the common background-remover function expect.
    """
    words = query.read(pairs)
    if "bucket" in words.controls:
        raise BadRequest("`bucket` must be left out: the picture came with the request")
    recipe = Recipe.of_words(words)
    if recipe.output.format is None and any(step.feature.name == CUT_OUT for step in recipe.steps):
        recipe = Recipe(output=check(Output, {"format": PNG.name})).over(recipe)
    asked = ParsedRequest(ObjectRef("", ""), recipe, words.controls)
    return _ruled(asked, picture, policy, Caller.OPERATOR, accepts)


def is_own(path: str) -> bool:
    """Whether a path is the service's own and names no picture; one Thumbor signature in 64 begins as those do."""
    return path.startswith("/_") and not path.startswith(KEY_PREFIX) and not thumbor.begins_with_signature(path)


def asked(
    path: str, pairs: Iterable[tuple[str, object]], policy: Policy, *, signed_path: str | None = None
) -> ParsedRequest:
    """What an address itself says, whoever asks, without presets and ALWAYS. Raises InvalidParameter, BadRequest."""
    return _by_language(path, query.read(pairs), policy, is_url=False, signed_path=signed_path)


def _by_language(
    path: str, words: query.ParsedQuery, policy: Policy, *, is_url: bool, signed_path: str | None
) -> ParsedRequest:
    if is_url and "query" not in policy.dialects and (words.edits or words.output):
        raise Forbidden("query parameters that edit are switched off (DIALECTS)")
    if is_own(path):
        raise NotFound(f"no page is called {path!r}", code="NotFound")
    if path.startswith(KEY_PREFIX):
        key = path.removeprefix(KEY_PREFIX)
    else:
        asked = _in_path(path, words, policy, signed_path)
        if isinstance(asked, ParsedRequest):
            return asked
        key = asked
    if not key:
        raise NotFound("the path must name a picture, got /")
    return ParsedRequest(ObjectRef(words.controls.get("bucket", ""), key), Recipe.of_words(words), words.controls)


def _in_path(path: str, words: query.ParsedQuery, policy: Policy, signed_path: str | None) -> ParsedRequest | str:
    """What a path says that is more than a key, with the query on top; else the key. JSON is never rewritten."""
    if signed_path is not None:
        return _of_thumbor(thumbor.read_signed(signed_path), words)
    key = path.removeprefix("/")
    in_json = json_edits.decode(key) if "json" in policy.dialects else None
    if in_json is not None:
        steps, output, webp = in_json.meaning
        return _with_query(
            ParsedRequest(
                ObjectRef(in_json.bucket, in_json.key),
                Recipe(steps, output),
                words.controls,
                in_json.headers,
                "json",
                webp,
            ),
            words,
        )
    if policy.rewrite is not None:
        key = policy.rewrite.apply(path).removeprefix("/")
    params = thumbor.read(key) if "thumbor" in policy.dialects else None
    return key if params is None else _of_thumbor(params, words)


def _of_thumbor(params: thumbor.ParsedPath, words: query.ParsedQuery) -> ParsedRequest:
    return _with_query(
        ParsedRequest(
            ObjectRef(params.bucket, params.key),
            Recipe(params.steps, params.output),
            words.controls,
            params.headers,
            "thumbor",
            params.webp,
        ),
        words,
    )


def _with_query(asked: ParsedRequest, words: query.ParsedQuery) -> ParsedRequest:
    """What a path says, with the query on top. InvalidParameter, BadRequest."""
    ref, in_query = asked.ref, words.controls.get("bucket", "")
    if ref.bucket and in_query:
        raise BadRequest("`bucket` must be given once: in the path or in the query")
    on_top = Recipe.of_words(words)
    webp = asked.webp
    if webp is not None:
        webp = None if "format" in words.output else on_top.over(Recipe(output=webp)).output
    ref = ObjectRef(ref.bucket or in_query, ref.key)
    return msgspec.structs.replace(asked, ref=ref, recipe=on_top.over(asked.recipe), webp=webp)


def _only_presets(asked: ParsedRequest, pairs: tuple[tuple[str, object], ...], policy: Policy) -> None:
    others = [name for name, _ in pairs if name not in _WITH_PRESETS_ONLY]
    if others or asked.recipe != Recipe() or asked.headers or asked.ref.bucket:
        what = f"`{others[0]}`" if others else "edits in the path"
        raise Forbidden(f"only presets are allowed here (PRESETS_ONLY), got {what}")
    if "preset" not in asked.controls and not policy.default_preset:
        raise Forbidden("only presets are allowed here (PRESETS_ONLY): `preset` must be given")


def _ruled(
    asked: ParsedRequest,
    source: ObjectRef | bytes,
    policy: Policy,
    caller: Caller,
    accepts: frozenset[str],
    hints: Hints | None = None,
) -> ImageRequest:
    """The request with everything that the operator's rules add to it or refuse."""
    recipe = asked.recipe
    negotiated = asked.webp is not None and policy.auto == {WEBP.name}
    if negotiated and asked.webp is not None and WEBP.name in accepts:
        recipe = msgspec.structs.replace(recipe, output=asked.webp)
    # Whoever looks at the original looks at its overlays too, so they must lie where everything is open as well.
    buckets = {asked.ref.bucket, *(ref.bucket for ref in named(recipe.steps))}
    if caller is Caller.ANYONE and not buckets.issubset(policy.public_sources):
        _refuse_dear(recipe.steps, policy)
    preset = asked.controls.get("preset", policy.default_preset or None)
    if preset is not None:
        if preset not in policy.presets:
            # Where presets are all that a URL may name, their names are for those who were given them.
            is_stranger = policy.presets_only and caller is Caller.ANYONE
            known = (
                "those in PRESETS" if is_stranger else ", ".join(policy.presets) or "those in PRESETS, which is empty"
            )
            raise BadRequest(f"`preset` must be one of {known}, got {preset!r}")
        recipe = recipe.over(policy.presets[preset])
    if hints is not None and policy.client_hints:
        recipe = hints.on(recipe)
    recipe = recipe.then(policy.always)
    if recipe.output.format is None and policy.auto:
        recipe = Recipe(output=check(Output, {"format": "auto"})).over(recipe)
        accepts &= policy.auto
    expires = asked.controls.get("expires")
    return ImageRequest(
        source=source,
        steps=recipe.steps,
        output=recipe.output,
        negotiated=negotiated,
        accepts=accepts,
        headers=asked.headers,
        expires=parse_expiry(expires, datetime.now(UTC)) if expires is not None else None,
        signed=caller is not Caller.ANYONE,
        restricted=policy.signed_only or policy.always != Recipe(),
    )


def _refuse_dear(steps: tuple[Step, ...], policy: Policy) -> None:
    """Without a signature a URL may not name what runs a model or is billed, unless it is public."""
    if "*" in policy.public_features:
        return
    for step in steps:
        if (step.feature.expensive or step.feature.billed) and step.feature.name not in policy.public_features:
            raise Forbidden(
                f"`{step.feature.name}` is not open to all here: sign the URL, or list it in PUBLIC_FEATURES"
            )
