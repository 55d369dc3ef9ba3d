"""The operator's rules, out of the settings: presets, what is always added, what is open to all."""

from __future__ import annotations

from handler.aws import AwsAccess
from handler.config import Settings
from handler.requests.dialects import json_edits
from handler.requests.parse import Policy
from handler.requests.presets import Recipe, read_presets
from handler.requests.rewrite import Rewrite
from handler.storage.sources import open_sources
from imaging import ObjectRef

_LARGEST_DOCUMENT = 1_000_000
"""Bytes of what PRESETS or ALWAYS may point at."""


def read_policy(settings: Settings, aws: AwsAccess) -> Policy:
    """The rules that the settings hold, or the objects that they point at. InvalidParameter, ValueError."""
    requests = settings.requests
    presets = _document("PRESETS", requests.presets, aws)
    always = _document("ALWAYS", requests.always, aws)
    policy = Policy(
        presets=read_presets(presets) if presets is not None else {},
        presets_only=requests.presets_only,
        always=Recipe.read(always, "ALWAYS") if always is not None else Recipe(),
        public_features=settings.access.public_features,
        public_sources=settings.access.public_sources,
        dialects=requests.dialects,
        auto=_auto(settings),
        default_preset=requests.default_preset,
        source_paths=_source_paths(requests.source_paths),
        client_hints=requests.client_hints,
        signed_only=settings.access.enable_signature,
        rewrite=Rewrite.read(requests.rewrite_match_pattern, requests.rewrite_substitution),
    )
    if faults := policy.faults():
        raise ValueError("\n".join(faults))
    return policy


def _source_paths(said: tuple[str, ...]) -> dict[str, str]:
    """Prefix → source. ValueError."""
    paths: dict[str, str] = {}
    for entry in said:
        prefix, equals, source = entry.rpartition("=")
        prefix = prefix.removeprefix("/")
        if not equals or not prefix.endswith("/") or not source or prefix in paths:
            raise ValueError(
                f"SOURCE_PATHS must be a comma list of prefix/=source, each prefix once, got {entry[:60]!r}"
            )
        paths[prefix] = source
    return paths


def _auto(settings: Settings) -> frozenset[str]:
    if settings.requests.auto_format:
        return frozenset({"avif", "webp"})
    return frozenset({"webp"}) if settings.requests.auto_webp else frozenset()


def _document(name: str, said: str, aws: AwsAccess) -> object:
    """JSON out of a setting, or out of the object whose address it holds; None where there is none. ValueError."""
    if not said:
        return None
    if not said.startswith("{"):
        folder, _, key = said.rpartition("/")
        if "://" not in folder:
            raise ValueError(f"{name} must be a JSON object or an address such as s3://bucket/key, got {said[:60]!r}")
        said = (
            open_sources(f"{name}={folder}", limit=_LARGEST_DOCUMENT, aws=aws).get(ObjectRef(name, key)).read().decode()
        )
    try:
        return json_edits.loads(said)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name} must be a JSON object: {error}") from None
