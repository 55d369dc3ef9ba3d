"""Build what processes uploads from the settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from handler.aws import AwsAccess
from handler.aws.cloudfront import Distribution
from handler.composition.factories import build_result_cache, open_secret
from handler.composition.notifications import open_notifier
from handler.config import Settings
from handler.entrypoints.uploads.entrypoint import UploadEntrypoint
from handler.notifications.dispatch import Notifier
from handler.records.store import Records
from handler.render.render import RenderContext
from handler.requests.parsed_request import Recipe
from handler.requests.policy import Policy
from handler.requests.presets import read_recipe
from handler.requests.strict_json import loads
from handler.response import Caching
from handler.storage.results import ResultStore, open_results
from handler.storage.sources import Sources, source_of
from handler.storage.upload_stores import open_upload_store
from handler.uploads.copies import CopyPurge
from handler.uploads.layout import LAYOUTS, OutputLayout
from handler.uploads.outcome import KeyFilter
from handler.uploads.pipeline import Pipeline
from handler.uploads.presets import Srcset, expand_presets, parse_srcsets
from handler.uploads.recovery import Sweep
from handler.uploads.rendering import Renderer
from handler.uploads.retention import Retention
from handler.uploads.unrecorded import Unrecorded
from handler.uploads.variants import VariantStore
from imaging import Deadline, PixelCache

_NOTICES_AT_ONCE = 100
"""Notices that one sweep sends; the others wait for the next one."""


def build_entrypoint(
    settings: Settings,
    aws: AwsAccess,
    sources: Sources,
    render_context: RenderContext,
    policy: Policy,
    result_store: ResultStore | None,
    open_database: Callable[[], Records] | None,
) -> UploadEntrypoint:
    """Return the entrypoint for uploads. Raise ValueError or InvalidParameter for settings that are invalid."""
    processing = settings.processing
    output = settings.storage.output_bucket
    layout = _read_layout(settings, policy) if output else OutputLayout()
    if faults := layout.faults([location.name for location in sources.locations]):
        raise ValueError("\n".join(faults))
    results = open_results(output, aws=aws, sources=sources.locations) if output else None
    records = open_database() if open_database is not None else Unrecorded()
    notifier = open_notifier(settings.notifications, records, aws, open_secret)
    variants = VariantStore(layout, results, processing.output_url, _caching(settings).header)
    facts = _read_facts(settings).then(policy.always) if open_database is not None else None
    pipeline = Pipeline(
        renderer=Renderer(render_context, variants, facts, _read_own_facts(settings, facts)),
        variants=variants,
        records=records,
        copies=_build_copy_purge(settings, aws, result_store, render_context.pixels),
        filter=_read_filter(settings),
        retention=_read_retention(settings, aws, sources),
        max_attempts=processing.upload_max_attempts,
        announces=bool(notifier.senders),
        on_notice=notifier.add,
    )
    return UploadEntrypoint(
        pipeline=pipeline,
        source_of=lambda bucket, key: source_of(bucket, key, sources.locations),
        sweep=Sweep(
            pipeline,
            timedelta(seconds=processing.upload_stale_seconds),
            frozenset(location.name for location in sources.locations if location.scheme == "file"),
            _send_due(notifier),
        ),
        output_bucket=results.location.bucket if results is not None else "",
        send_notices=lambda deadline: notifier.send_written(datetime.now(UTC), deadline),
        notice_totals=notifier.totals,
    )


def _send_due(notifier: Notifier) -> Callable[[Deadline], object]:
    return lambda deadline: notifier.send_due(datetime.now(UTC), _NOTICES_AT_ONCE, deadline)


def _read_filter(settings: Settings) -> KeyFilter:
    suffixes = tuple(suffix.lower() for suffix in settings.processing.upload_suffix)
    return KeyFilter(settings.processing.upload_prefix, suffixes, settings.gallery.gallery_source)


def _read_retention(settings: Settings, aws: AwsAccess, sources: Sources) -> Retention:
    """Return how long the pictures of the gallery are kept."""
    name = settings.gallery.gallery_source
    location = next((each for each in sources.locations if each.name == name), None)
    if location is None:
        return Retention()
    store = open_upload_store(location, aws)
    life = timedelta(days=settings.gallery.gallery_expire_days)
    return Retention(source=name, life=life, delete=store.delete, sends_events=store.sends_events)


def _read_own_facts(settings: Settings, facts: Recipe | None) -> dict[str, Recipe]:
    """Return the report of each picture of the gallery, which is moderated before it, if that is switched on."""
    gallery = settings.gallery
    if not gallery.gallery_moderation or facts is None:
        return {}
    moderation = read_recipe({"contentModeration": {"minConfidence": gallery.gallery_moderation, "action": "reject"}})
    return {gallery.gallery_source: moderation.then(facts)}


def _read_facts(settings: Settings) -> Recipe:
    """Return the report that becomes the facts of a record: the gallery finds duplicates by their SHA-256."""
    own = ("details",) if settings.gallery.gallery_source else ()
    names = dict.fromkeys((*settings.processing.upload_facts, *own), True)
    return read_recipe({"info": names or True})


def _read_layout(settings: Settings, policy: Policy) -> OutputLayout:
    processing = settings.processing
    srcsets: dict[str, Srcset] = {}
    if processing.upload_srcset:
        try:
            value = loads(processing.upload_srcset)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"UPLOAD_SRCSET must be a JSON object: {error}") from None
        srcsets = parse_srcsets(value)
    template = LAYOUTS.get(processing.output_key, processing.output_key)
    names = settings.storage.upload_presets
    presets = expand_presets(names, policy.presets, srcsets, template, policy.always)
    return OutputLayout(presets, settings.gallery.gallery_source)


def _caching(settings: Settings) -> Caching:
    responses = settings.responses
    return Caching(responses.browser_max_age, responses.cdn_max_age, responses.error_max_age)


def _build_copy_purge(
    settings: Settings, aws: AwsAccess, result_store: ResultStore | None, pixels: PixelCache | None
) -> CopyPurge:
    distribution = settings.aws.distribution_id
    result_cache = build_result_cache(settings, result_store, _caching(settings)) if result_store else None
    return CopyPurge(result_cache, Distribution(distribution, aws) if distribution else None, pixels)
