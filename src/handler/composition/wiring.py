"""Build the application from its settings. Every other module receives what it needs as arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from handler.auth.authenticate import Authenticator
from handler.auth.canonical import IgnoredParameters
from handler.auth.signature import Signatures
from handler.aws import AwsAccess
from handler.composition.factories import (
    build_aws_access,
    build_detection,
    build_expensive_function,
    build_ready_page,
    build_records,
    build_render_context,
    build_result_cache,
    open_result_store,
    open_secret,
    resolve_fallback,
)
from handler.composition.policy import find_faults_of_sources, read_policy
from handler.composition.processing import ProcessingParts, build_background, build_uploads
from handler.config import SETTINGS, Settings, raise_faults
from handler.core.errors import HandlerError
from handler.core.ports import InvokeFunction, SecretSource
from handler.entrypoints.health import Health, exit_process
from handler.entrypoints.http import HttpEntrypoint
from handler.entrypoints.services import JsonEndpoint, Services
from handler.observability import redaction
from handler.observability.logs import set_log_level, set_metrics_namespace
from handler.render.render import RenderContext
from handler.requests import dialects
from handler.requests.policy import Policy
from handler.response import Answer, Caching
from handler.storage.sources import Sources, open_sources
from imaging import InvalidParameter, ObjectRef

if TYPE_CHECKING:
    from handler.entrypoints.direct_invocation import DirectInvocation
    from handler.entrypoints.uploads.background import BackgroundUploads
    from handler.entrypoints.uploads.entrypoint import UploadEntrypoint
    from handler.records.store import Records
    from handler.storage.results import ResultStore


class Application(msgspec.Struct, frozen=True):
    """Every entrypoint, ready to receive events."""

    settings: Settings
    http: HttpEntrypoint
    direct_invocation: Callable[[], DirectInvocation]
    """Builds the entrypoint for direct invocations."""
    uploads: Callable[[], UploadEntrypoint] | None
    """Builds the entrypoint for uploads; None if neither OUTPUT_BUCKET nor RECORDS is set."""
    background: BackgroundUploads | None
    """Processes the uploads of a server; None in Lambda, where a queue has them, and without `uploads`."""
    records: Callable[[], Records] | None
    """Opens the database of records when it is first called; None if RECORDS is not set."""
    health: Health


_built: list[Application] = []


def application() -> Application:
    """Return the application of this process, which the first call builds from the environment."""
    if not _built:
        start()
    return _built[0]


def start() -> None:
    """Build the application of this process, again if there is one, from the environment."""
    settings = Settings.from_environment()
    set_log_level(settings.process.lambdas_log_level or settings.process.log_level)
    set_metrics_namespace(settings.process.metrics_namespace)
    use(build(settings))


def use(built: Application) -> None:
    """Use this application instead of one built from the environment."""
    _built[:] = [built]


def build(settings: Settings, *, prefetches: bool = True) -> Application:
    """Build an application, and begin to fetch its secrets. Raise SettingsError with every fault of the settings."""
    aws = build_aws_access(settings)
    faults = [*settings.conflicts()]
    with _collect_faults(faults):
        limit, tag = settings.limits.max_source_bytes, settings.processing.require_tag
        sources = open_sources(settings.storage.source_buckets, limit=limit, aws=aws, require_tag=tag)
    with _collect_faults(faults):
        policy = read_policy(settings, aws)
    with _collect_faults(faults, "IGNORED_PARAMETERS must be "):
        ignored = IgnoredParameters(settings.requests.ignored_parameters, dialects.is_known_parameter)
    faults += [*_find_missing_files(settings), *_use_fonts(settings.storage.fonts, aws)]
    if not faults:
        faults += _find_faults(settings, sources, policy)
    raise_faults(faults)
    fallback = results = uploads = None
    with _collect_faults(faults):
        fallback = resolve_fallback(settings, sources)
    with _collect_faults(faults):
        results = open_result_store(settings, aws, sources)
    detection = build_detection(settings, aws, results)
    render_context = build_render_context(settings, sources, detection)
    records = build_records(settings, aws)
    with _collect_faults(faults):
        uploads = build_uploads(settings, aws, sources, render_context, policy, results, records)
    raise_faults(faults)
    expensive_function = build_expensive_function(settings, aws)
    # Only the other entrypoints delegate. Uploads wait in a queue, so their own function does the expensive work too.
    delegating = msgspec.structs.replace(render_context, delegates_expensive=expensive_function is not None)
    health = Health(exit_process) if settings.process.function_name else Health()
    http = _build_http(settings, aws, delegating, policy, ignored, fallback, results, expensive_function)
    _prefetch([http.signatures.secrets if http.signatures is not None else None, http.origin] if prefetches else [])

    def get_direct_invocation() -> DirectInvocation:
        from handler.entrypoints.direct_invocation import DirectInvocation  # noqa: PLC0415 - HTTP does not need it

        return DirectInvocation(delegating, policy, http.caching, settings.answer_bytes, expensive_function)

    background = build_background(settings, uploads) if uploads is not None else None
    http = msgspec.structs.replace(http, health=health.page, ready=build_ready_page(health, sources, records))
    http = _add_more(http, settings, aws, sources, ProcessingParts(uploads, background, records))
    return Application(settings, http, get_direct_invocation, uploads, background, records, health)


def _without_private_sources(context: RenderContext, settings: Settings, sources: Sources) -> RenderContext | None:
    """Return the context of callers that may not read the private sources; None if no source is private."""
    private = settings.private_sources
    return msgspec.structs.replace(context, objects=sources.without(private)) if private else None


def _build_http(
    settings: Settings,
    aws: AwsAccess,
    render_context: RenderContext,
    policy: Policy,
    ignored: IgnoredParameters,
    fallback: ObjectRef | None,
    results: ResultStore | None,
    expensive_function: InvokeFunction | None,
) -> HttpEntrypoint:
    access, responses = settings.access, settings.responses
    signing = open_secret(access.secrets_manager, access.signature_secret_file, aws, access.secret_key)
    origin = open_secret(access.origin_secret, access.origin_secret_file, aws)
    caching = Caching(responses.browser_max_age, responses.cdn_max_age, responses.error_max_age)
    known = Signatures(signing) if signing else None
    redaction.learn(policy.dialects)
    path_signings = dialects.path_signings(policy.dialects)
    has_private = bool(settings.private_sources)
    authenticator = Authenticator(known, access.enable_signature, path_signings, has_private)
    result_cache = build_result_cache(settings, results, caching) if results else None
    return HttpEntrypoint(
        render_context=render_context,
        policy=policy,
        ignored=ignored,
        caching=caching,
        authenticator=authenticator,
        signatures=known if access.enable_signature or has_private else None,
        origin=origin,
        cors=responses.cors_origin if responses.cors_enabled else "",
        has_image_headers=responses.image_headers,
        local_operator=access.operator_open and not (access.operator_token or access.operator_token_file),
        fallback=fallback,
        max_bytes=settings.answer_bytes,
        result_cache=result_cache,
        expensive_function=expensive_function,
        services=Services(
            find_document=_find_document,
            has_demo=bool(settings.storage.demo_bucket) and "demo" in settings.storage.demo_sites,
            json_endpoints=_build_json_endpoints(settings, aws, policy, authenticator, ignored, render_context),
        ),
    )


def _add_more(
    http: HttpEntrypoint, settings: Settings, aws: AwsAccess, sources: Sources, processing: ProcessingParts
) -> HttpEntrypoint:
    """Return the entrypoint with private sources, the operator API, uploads and the gallery, as far as they are on."""
    public = _without_private_sources(http.render_context, settings, sources)
    http, services = msgspec.structs.replace(http, public_context=public), http.services
    token = open_secret(settings.access.operator_token, settings.access.operator_token_file, aws)
    if settings.ingest.upload_source:
        from handler.composition.ingest import build_ingest  # noqa: PLC0415 - many services take no uploads

        background = processing.background
        submit = background.process_in_background if background is not None else None
        ingest = build_ingest(settings, aws, processing.records, token, submit)
        services = msgspec.structs.replace(services, ingest=ingest)
    if token is not None or settings.access.operator_open:
        from handler.composition.operator import build_operator  # noqa: PLC0415 - many services have no operator API

        operator = build_operator(settings, aws, http, token, processing, services.ingest)
        services = msgspec.structs.replace(services, operator=operator)
    if settings.gallery.gallery_source:
        from handler.composition.gallery import build_gallery  # noqa: PLC0415 - many services have no gallery

        services = msgspec.structs.replace(services, gallery=build_gallery(http, settings, aws, processing))
    return msgspec.structs.replace(http, services=services)


def _prefetch(secrets: Iterable[SecretSource | None]) -> None:
    """Begin to fetch the secrets that the first request needs."""
    if needed := [secret for secret in secrets if secret is not None]:
        from handler.aws.secrets import prefetch  # noqa: PLC0415 - a service without secrets does not need it

        prefetch(needed)


def _build_json_endpoints(
    settings: Settings,
    aws: AwsAccess,
    policy: Policy,
    authenticator: Authenticator,
    ignored: IgnoredParameters,
    render_context: RenderContext,
) -> Callable[[bool], Mapping[str, JsonEndpoint]]:
    """Return a function that gives the JSON endpoints, for the operator (True) or for anyone."""

    @cache
    def get_endpoints(is_operator: bool) -> Mapping[str, JsonEndpoint]:
        from handler.composition.capabilities import build_capabilities  # noqa: PLC0415 - no image needs it
        from handler.requests.translate import Translator  # noqa: PLC0415 - as above

        resolve = render_context.objects.resolve
        translator = Translator(policy, authenticator, ignored, resolve, opens_encrypted=is_operator)
        if (policy.signed_only or policy.presets_only) and not is_operator:
            translator = translator.for_strangers()
        return {
            "explain": JsonEndpoint(("url",), translator.explain),
            "translate": JsonEndpoint(("url", "to"), translator.translate),
            "capabilities": JsonEndpoint((), build_capabilities(settings, aws, policy)),
        }

    return get_endpoints


def _find_faults(settings: Settings, sources: Sources, policy: Policy) -> list[str]:
    """Return a line for each setting that does not go with the sources or with the policy."""
    faults = find_faults_of_sources(settings, policy, sources)
    if settings.ingest.upload_source:
        from handler.composition import ingest  # noqa: PLC0415 - many services take no uploads

        faults += ingest.find_faults(settings, sources.locations)
    if settings.gallery.gallery_source:
        from handler.composition import gallery  # noqa: PLC0415 - many services have no gallery

        faults += gallery.find_faults(settings, policy)
    return faults


def _find_missing_files(settings: Settings) -> list[str]:
    files = {each.variable: each.value_in(settings) for each in SETTINGS.values() if each.variable.endswith("_FILE")}
    return [
        f"{variable} must name a file that exists, got {file!r}"
        for variable, file in files.items()
        if file and not Path(file).is_file()
    ]


def _use_fonts(place: str, aws: AwsAccess) -> list[str]:
    """Let texts use the operator's fonts, if there are any; return the faults."""
    if not place:
        return []
    from handler.composition.fonts import use_fonts  # noqa: PLC0415 - few services have fonts of their own

    faults: list[str] = []
    with _collect_faults(faults):
        faults += use_fonts(place, aws)
    return faults


@contextmanager
def _collect_faults(faults: list[str], prefix: str = "") -> Iterator[None]:
    """Add an error of the block to the faults, so that the operator sees all faults together."""
    try:
        yield
    except (InvalidParameter, HandlerError) as error:
        faults.append(prefix + error.message)
    except ValueError as error:
        faults.append(prefix + str(error))


def _find_document(path: str, has_demo: bool) -> Callable[[], Answer] | None:
    from handler.composition.pages import find_document  # noqa: PLC0415 - no image needs it

    return find_document(path, has_demo)
