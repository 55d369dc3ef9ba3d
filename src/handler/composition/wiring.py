"""The one place that composes: from settings to doors. Everything else is handed what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from handler.auth.authenticate import Authenticator
from handler.auth.canonical import IgnoredParameters
from handler.auth.signature import Signatures
from handler.aws import AwsAccess
from handler.composition.factories import aws_of, build_detection, build_result_cache, heavy_of, results_of, secret_of
from handler.composition.policy import read_policy
from handler.config import Settings, raise_faults
from handler.config.version import drawing_version
from handler.entrypoints.direct_invocation import DirectInvocation
from handler.entrypoints.health import Health, exit_process
from handler.entrypoints.http import HttpEntrypoint, JsonEndpoint
from handler.errors import HandlerError
from handler.observability import log_from
from handler.ports import InvokeFunction, SecretSource
from handler.render.render import RenderContext, render
from handler.requests.dialects import query
from handler.requests.parse import Policy
from handler.response import Answer, Caching, report
from handler.storage.sources import Sources, open_sources, read_locations, source_of
from imaging import InvalidParameter, ObjectRef

if TYPE_CHECKING:
    from handler.entrypoints.operator import OperatorEntrypoint
    from handler.entrypoints.uploads import UploadEntrypoint
    from handler.storage.result_cache import ResultCache
    from handler.storage.results import ResultStore


class Application(msgspec.Struct, frozen=True):
    """Every door, ready to be knocked at."""

    settings: Settings
    http: HttpEntrypoint
    console: DirectInvocation
    uploads: UploadEntrypoint | None
    """None where OUTPUT_BUCKET is not set."""
    health: Health


_built: list[Application] = []


def application() -> Application:
    """The application of this process, built from the environment at the first call."""
    if not _built:
        settings = Settings.from_environment()
        log_from(settings.process.lambdas_log_level or settings.process.log_level)
        _built.append(build(settings))
    return _built[0]


def use(built: Application) -> None:
    """Serve with this application instead of one from the environment."""
    _built[:] = [built]


def build(settings: Settings) -> Application:
    """Compose an application. SettingsError lists every fault."""
    aws = aws_of(settings)
    faults = [*settings.conflicts()]
    with _told(faults):
        objects = open_sources(settings.storage.source_buckets, limit=settings.limits.max_source_bytes, aws=aws)
    with _told(faults):
        policy = read_policy(settings, aws)
    with _told(faults, "IGNORED_PARAMETERS must be "):
        ignored = IgnoredParameters(settings.requests.ignored_parameters, query.is_known)
    faults += _missing_files(settings)
    if not faults:
        faults += _unknown_sources(policy, objects)
    raise_faults(faults)
    uploads = fallback = results = None
    with _told(faults):
        fallback = _fallback(settings, objects)
    with _told(faults):
        results = results_of(settings, aws, objects)
    detection = build_detection(settings, aws, results)
    weights = settings.weights_folder
    render_context = RenderContext(
        objects, settings.image_limits, drawing_version(), settings.responses.deployed_at, detection, weights
    )
    with _told(faults):
        uploads = _uploads(settings, aws, objects, render_context, policy) if settings.storage.output_bucket else None
    raise_faults(faults)
    heavy = heavy_of(settings, aws)
    # Uploads wait in a queue, so what is heavy among them is made where they arrive.
    render_context = msgspec.structs.replace(render_context, delegates_expensive=heavy is not None)
    health = Health(exit_process) if settings.process.function_name else Health()
    http = _http(settings, aws, render_context, policy, ignored, fallback, results, heavy)
    console = DirectInvocation(render_context, policy, http.caching, settings.answer_bytes, heavy)
    return Application(settings, msgspec.structs.replace(http, health=health.page), console, uploads, health)


def _http(
    settings: Settings,
    aws: AwsAccess,
    render_context: RenderContext,
    policy: Policy,
    ignored: IgnoredParameters,
    fallback: ObjectRef | None,
    results: ResultStore | None,
    heavy: InvokeFunction | None,
) -> HttpEntrypoint:
    access, responses = settings.access, settings.responses
    signing = secret_of(access.secrets_manager, access.signature_secret_file, aws, access.secret_key)
    origin = secret_of(access.origin_secret, access.origin_secret_file, aws)
    _prefetch(secret for secret in (signing if access.enable_signature else None, origin) if secret)
    caching = Caching(responses.browser_max_age, responses.cdn_max_age, responses.error_max_age)
    known = Signatures(signing) if signing else None
    signatures = known if access.enable_signature else None
    authenticator = Authenticator(known, access.enable_signature, "thumbor" in policy.dialects)
    result_cache = build_result_cache(settings, results, caching) if results else None
    return HttpEntrypoint(
        render_context=render_context,
        policy=policy,
        ignored=ignored,
        caching=caching,
        authenticator=authenticator,
        signatures=signatures,
        operator=_operator(settings, aws, render_context, policy, ignored, caching, signatures, result_cache),
        origin=origin,
        cors=responses.cors_origin if responses.cors_enabled else "",
        local_operator=access.operator_open and not (access.operator_token or access.operator_token_file),
        fallback=fallback,
        most=settings.answer_bytes,
        result_cache=result_cache,
        heavy=heavy,
        static_documents={"openapi.json": _openapi, "docs": _reference, "docs.css": _style},
        json_endpoints=_questions(policy, authenticator, ignored, render_context),
    )


def _prefetch(secrets: Iterable[SecretSource]) -> None:
    if needed := [*secrets]:
        from handler.aws.secrets import prefetch  # noqa: PLC0415 - a service without secrets does not need it

        prefetch(needed)


def _questions(
    policy: Policy, authenticator: Authenticator, ignored: IgnoredParameters, render_context: RenderContext
) -> Callable[[bool], Mapping[str, JsonEndpoint]]:
    @cache
    def opened(is_operator: bool) -> Mapping[str, JsonEndpoint]:
        from handler.requests.translate import Translator  # noqa: PLC0415 - no picture needs it

        asked = Translator(policy, authenticator, ignored, render_context.objects.resolve)
        if (policy.signed_only or policy.presets_only) and not is_operator:
            asked = asked.for_strangers()
        return {
            "explain": JsonEndpoint(("url",), asked.explain),
            "translate": JsonEndpoint(("url", "to"), asked.translate),
        }

    return opened


def _operator(
    settings: Settings,
    aws: AwsAccess,
    render_context: RenderContext,
    policy: Policy,
    ignored: IgnoredParameters,
    caching: Caching,
    signatures: Signatures | None,
    result_cache: ResultCache | None,
) -> Callable[[], OperatorEntrypoint] | None:
    """Opens the operator's pages when one of them is first asked for; None where there are none."""
    access = settings.access
    token = secret_of(access.operator_token, access.operator_token_file, aws)
    if token is None and not access.operator_open:
        return None

    @cache
    def opened() -> OperatorEntrypoint:
        from handler.aws.cloudfront import Distribution  # noqa: PLC0415 - no picture needs it
        from handler.entrypoints.operator import OperatorEntrypoint  # noqa: PLC0415 - of the operator alone
        from handler.storage.purge import Purge  # noqa: PLC0415 - of the operator alone

        cdn = Distribution(settings.aws.distribution_id, aws) if settings.aws.distribution_id else None
        purge = Purge(render_context.objects, result_cache, cdn, policy.source_of)
        sources = tuple(location.name for location in read_locations(settings.storage.source_buckets))
        return OperatorEntrypoint(
            render_context, policy, ignored, caching, sources, purge,
            token=token, is_open=access.operator_open, signatures=signatures, lists=access.list_images,
        )  # fmt: skip

    return opened


def _unknown_sources(policy: Policy, objects: Sources) -> list[str]:
    known = {location.name for location in objects.locations}
    unknown = sorted(set(policy.source_paths.values()) - known)
    opened = sorted(set(policy.public_sources) - known)
    return [
        *(f"SOURCE_PATHS must name sources of SOURCE_BUCKETS, got {name!r}" for name in unknown),
        *(f"PUBLIC_SOURCES must name sources of SOURCE_BUCKETS, got {name!r}" for name in opened),
    ]


def _missing_files(settings: Settings) -> list[str]:
    access = settings.access
    files = (access.signature_secret_file, access.operator_token_file, access.origin_secret_file)
    return [f"the file of a secret must exist, got {file!r}" for file in files if file and not Path(file).is_file()]


def _fallback(settings: Settings, objects: Sources) -> ObjectRef | None:
    responses = settings.responses
    if not responses.enable_fallback:
        return None
    return objects.resolve(ObjectRef(responses.fallback_bucket, responses.fallback_key))


@contextmanager
def _told(faults: list[str], prefix: str = "") -> Iterator[None]:
    """Collect what is wrong, so that the operator hears of everything at once."""
    try:
        yield
    except (InvalidParameter, HandlerError) as error:
        faults.append(prefix + error.message)
    except ValueError as error:
        faults.append(prefix + str(error))


def _uploads(
    settings: Settings, aws: AwsAccess, objects: Sources, render_context: RenderContext, policy: Policy
) -> UploadEntrypoint:
    from handler.entrypoints.uploads import UploadEntrypoint  # noqa: PLC0415 - only a stack that takes uploads needs it
    from handler.storage.results import open_results  # noqa: PLC0415 - only a stack that takes uploads needs it

    unknown = [name for name in settings.storage.upload_presets if name not in policy.presets]
    if unknown or not settings.storage.upload_presets:
        known = ", ".join(policy.presets) or "none, as PRESETS is empty"
        raise ValueError(f"UPLOAD_PRESETS must name presets ({known}), got {', '.join(unknown) or 'nothing'}")
    results = open_results(settings.storage.output_bucket, aws=aws, sources=objects.locations)
    return UploadEntrypoint(
        render=partial(render, render_context=render_context),
        presets={name: policy.presets[name].then(policy.always) for name in settings.storage.upload_presets},
        results=results,
        output_bucket=results.location.bucket,
        source_of=lambda bucket, key: source_of(bucket, key, objects.locations),
    )


def _openapi() -> Answer:
    from handler.reference import openapi  # noqa: PLC0415 - no picture needs it

    return report(openapi(), cache_control="public, max-age=300")


def _reference() -> Answer:
    from handler.pages import reference  # noqa: PLC0415 - no picture needs it
    from handler.reference import openapi  # noqa: PLC0415 - made when it is asked for

    return reference(openapi())


def _style() -> Answer:
    from handler.pages import style  # noqa: PLC0415 - no picture needs it

    return style()
