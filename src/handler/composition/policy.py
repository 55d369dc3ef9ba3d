"""Read the operator's policy from the settings: presets, ALWAYS, public features and sources, URL languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from handler.aws import AwsAccess
from handler.composition.factories import open_secret
from handler.config import Settings
from handler.requests import dialects
from handler.requests.parsed_request import CANVAS_SOURCE, Recipe
from handler.requests.policy import Policy
from handler.storage.sources import Sources, open_sources, read_locations
from imaging import NEGOTIATED, WEBP, ObjectRef, Output, check

if TYPE_CHECKING:
    from handler.requests.dialects.dialect import Dialect
    from handler.requests.rewrite import Rewrite

_MAX_DOCUMENT_BYTES = 1_000_000
"""Size of the object that PRESETS or ALWAYS may name."""


def read_policy(settings: Settings, aws: AwsAccess) -> Policy:
    """Return the policy of the settings, with PRESETS and ALWAYS read from the objects that they may name.

    Raise InvalidParameter or ValueError for an invalid setting.
    """
    requests = settings.requests
    documents = _read_preset_documents(requests.presets, aws)
    source_paths = _parse_source_paths(requests.source_paths)
    accepted = _configure_dialects(settings, aws, documents, source_paths)
    declared = {name: recipe for dialect in accepted for name, recipe in dialect.presets.items()}
    policy = Policy(
        presets={**declared, **_read_presets(documents)},
        presets_only=requests.presets_only,
        always=_read_always(requests.always, aws),
        public_features=settings.access.public_features,
        public_sources=settings.access.public_sources,
        private_sources=settings.private_sources,
        dialects=accepted,
        auto=_auto_formats(settings),
        default_preset=requests.default_preset,
        source_paths=source_paths,
        client_hints=requests.client_hints,
        signed_only=settings.access.enable_signature,
        base=Recipe(output=check(Output, {"matte": requests.matte}, text=True)) if requests.matte else Recipe(),
        quality_target=check(Output, {"qualityTarget": requests.auto_quality_target}, text=True),
        is_lenient=requests.compatibility == "lenient",
        rewrite=_parse_rewrite(requests.rewrite_match_pattern, requests.rewrite_substitution),
    )
    if faults := policy.faults():
        raise ValueError("\n".join(faults))
    return policy


def _read_preset_documents(value: str, aws: AwsAccess) -> Mapping[str, object]:
    """Return the values of PRESETS by name: a JSON object, or presets in the own syntax of a dialect."""
    if not value:
        return {}
    for dialect in dialects.DIALECTS:
        # name=options: neither JSON nor the address of a document.
        if (
            dialect.split_presets is not None
            and "=" in value
            and not value.startswith(("{", "["))
            and "://" not in value
        ):
            return dialect.split_presets(value)
    document = _read_document("PRESETS", value, aws)
    if not isinstance(document, Mapping):
        raise ValueError("PRESETS must be a JSON object: name → edits or query parameters")
    return {str(name): preset for name, preset in document.items()}


def _read_presets(documents: Mapping[str, object]) -> dict[str, Recipe]:
    if not documents:
        return {}
    from handler.requests.presets import read_presets  # noqa: PLC0415 - many services have no presets

    return read_presets(documents)


def _configure_dialects(
    settings: Settings, aws: AwsAccess, presets: Mapping[str, object], source_paths: Mapping[str, str]
) -> tuple[Dialect, ...]:
    """Return the accepted dialects in their order, with their settings. Raise ValueError."""
    chosen = dialects.select(settings.requests.dialects)
    if not any(dialect.configure for dialect in chosen):
        keys = settings.imgproxy
        given = {
            "IMGPROXY_KEY": keys.imgproxy_key,
            "IMGPROXY_KEYS_SECRET": keys.imgproxy_keys_secret,
            "IMGPROXY_KEYS_FILE": keys.imgproxy_keys_file,
        }
        for name in filter(given.get, given):
            needed = " or ".join(dialect.name for dialect in dialects.DIALECTS if dialect.configure)
            raise ValueError(f"{name} needs {needed} in DIALECTS, got {','.join(each.name for each in chosen)}")
        return chosen
    from handler.requests.dialects.dialect import Environment  # noqa: PLC0415 - few services have such a dialect
    from handler.storage.sources.registry import object_of  # noqa: PLC0415 - see above

    locations = read_locations(settings.storage.source_buckets)

    def find_source(url: str) -> ObjectRef | None:
        ref = object_of(url, locations)
        # The default source needs no name, unless a prefix of the key could choose another one.
        is_default = ref is not None and bool(locations) and ref.bucket == locations[0].name and not source_paths
        return ObjectRef("", ref.key) if ref is not None and is_default else ref

    environment = Environment(
        settings=settings,
        names=tuple(dialect.name for dialect in chosen),
        presets=presets,
        find_source=find_source,
        open_secret=lambda secret_id, file, field: open_secret(secret_id, file, aws, field),
    )
    return tuple(dialect.configure(environment) if dialect.configure else dialect for dialect in chosen)


def _read_always(value: str, aws: AwsAccess) -> Recipe:
    if not value:
        return Recipe()
    from handler.requests.presets import read_recipe  # noqa: PLC0415 - few services set ALWAYS

    return read_recipe(_read_document("ALWAYS", value, aws), "ALWAYS")


def _parse_source_paths(entries: tuple[str, ...]) -> dict[str, str]:
    """Return the source of each prefix in SOURCE_PATHS. Raise ValueError for an invalid entry."""
    paths: dict[str, str] = {}
    for entry in entries:
        prefix, equals, source = entry.rpartition("=")
        prefix = prefix.removeprefix("/")
        if not equals or not prefix.endswith("/") or not source or prefix in paths:
            raise ValueError(
                f"SOURCE_PATHS must be a comma list of prefix/=source, each prefix once, got {entry[:60]!r}"
            )
        paths[prefix] = source
    return paths


def _parse_rewrite(pattern: str, substitution: str) -> Rewrite | None:
    """Return the rewrite of the settings, None where they are empty. Raise ValueError."""
    if not pattern and not substitution:
        return None
    from handler.requests.rewrite import Rewrite  # noqa: PLC0415 - few services rewrite paths

    return Rewrite.parse(pattern, substitution)


def _auto_formats(settings: Settings) -> frozenset[str]:
    """Return the formats that are served by `Accept` where a request names none."""
    if settings.requests.auto_format:
        return frozenset(NEGOTIATED)
    return frozenset({WEBP.name}) if settings.requests.auto_webp else frozenset()


def _read_document(setting: str, value: str, aws: AwsAccess) -> object:
    """Return the JSON in a setting, or in the object whose address the setting holds.

    Raise ValueError for anything else.
    """
    from handler.requests.strict_json import loads  # noqa: PLC0415 - many services have neither setting

    if not value.startswith("{"):
        folder, _, key = value.rpartition("/")
        if "://" not in folder:
            raise ValueError(
                f"{setting} must be a JSON object or an address such as s3://bucket/key, got {value[:60]!r}"
            )
        sources = open_sources(f"{setting}={folder}", limit=_MAX_DOCUMENT_BYTES, aws=aws)
        value = sources.get(ObjectRef(setting, key)).read().decode()
    try:
        return loads(value)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{setting} must be a JSON object: {error}") from None


def find_faults_of_sources(settings: Settings, policy: Policy, sources: Sources) -> list[str]:
    """Return a line for each rule that names a source which does not exist, or must not be named there."""
    known = {location.name for location in sources.locations} | {CANVAS_SOURCE}
    named = {
        "SOURCE_PATHS": policy.source_paths.values(),
        "PUBLIC_SOURCES": policy.public_sources,
        "PRIVATE_SOURCES": settings.access.private_sources,
    }
    faults = [
        f"{setting} must name sources of SOURCE_BUCKETS, got {name!r}"
        for setting, names in named.items()
        for name in sorted(set(names) - known)
    ]
    if not settings.private_sources or faults:
        return faults
    from handler.composition.private_sources import find_faults  # noqa: PLC0415 - few services have private sources

    return [*find_faults(settings, policy, sources)]
