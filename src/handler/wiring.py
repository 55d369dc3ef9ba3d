"""The one place that composes: from settings to doors. Everything else is handed what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from features import InvalidParameter, ObjectRef
from handler.adapters import aws_of, eyes_of, heavy_of, results_of, secret_of, shelf_of
from handler.aws import AwsAccess
from handler.callers import Callers
from handler.canonical import IgnoredParameters
from handler.config import Settings, raise_faults
from handler.dialects import query
from handler.doors.console import ConsoleDoor
from handler.doors.http import HttpDoor, Question
from handler.errors import HandlerError
from handler.health import Health, exit_process
from handler.house import read_house
from handler.objects import Sources, open_sources, read_places, source_of
from handler.observability import log_from
from handler.ports import HandsOver, SecretSource
from handler.produce import Workshop, produce
from handler.response import Answer, Caching, report
from handler.signature import Signatures
from handler.understand import House
from handler.version import drawing_version

if TYPE_CHECKING:
    from handler.doors.operator import OperatorDoor
    from handler.doors.uploads import UploadDoor
    from handler.results import ResultStore
    from handler.shelf import Shelf


class Application(msgspec.Struct, frozen=True):
    """Every door, ready to be knocked at."""

    settings: Settings
    http: HttpDoor
    console: ConsoleDoor
    uploads: UploadDoor | None
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
        house = read_house(settings, aws)
    with _told(faults, "IGNORED_PARAMETERS must be "):
        ignored = IgnoredParameters(settings.requests.ignored_parameters, query.is_known)
    faults += _missing_files(settings)
    if not faults:
        faults += _unknown_sources(house, objects)
    raise_faults(faults)
    uploads = fallback = results = None
    with _told(faults):
        fallback = _fallback(settings, objects)
    with _told(faults):
        results = results_of(settings, aws, objects)
    eyes = eyes_of(settings, aws, results)
    weights = settings.weights_folder
    workshop = Workshop(
        objects, settings.image_limits, drawing_version(), settings.responses.deployed_at, eyes, weights
    )
    with _told(faults):
        uploads = _uploads(settings, aws, objects, workshop, house) if settings.storage.output_bucket else None
    raise_faults(faults)
    heavy = heavy_of(settings, aws)
    # Uploads wait in a queue, so what is heavy among them is made where they arrive.
    workshop = msgspec.structs.replace(workshop, hands_over=heavy is not None)
    health = Health(exit_process) if settings.process.function_name else Health()
    http = _http(settings, aws, workshop, house, ignored, fallback, results, heavy)
    console = ConsoleDoor(workshop, house, http.caching, settings.answer_bytes, heavy)
    return Application(settings, msgspec.structs.replace(http, health=health.page), console, uploads, health)


def _http(
    settings: Settings,
    aws: AwsAccess,
    workshop: Workshop,
    house: House,
    ignored: IgnoredParameters,
    fallback: ObjectRef | None,
    results: ResultStore | None,
    heavy: HandsOver | None,
) -> HttpDoor:
    access, responses = settings.access, settings.responses
    signing = secret_of(access.secrets_manager, access.signature_secret_file, aws, access.secret_key)
    origin = secret_of(access.origin_secret, access.origin_secret_file, aws)
    _prefetch(secret for secret in (signing if access.enable_signature else None, origin) if secret)
    caching = Caching(responses.browser_max_age, responses.cdn_max_age, responses.error_max_age)
    known = Signatures(signing) if signing else None
    signatures = known if access.enable_signature else None
    callers = Callers(known, access.enable_signature, "thumbor" in house.dialects)
    shelf = shelf_of(settings, results, caching) if results else None
    return HttpDoor(
        workshop=workshop,
        house=house,
        ignored=ignored,
        caching=caching,
        callers=callers,
        signatures=signatures,
        operator=_operator(settings, aws, workshop, house, ignored, caching, signatures, shelf),
        origin=origin,
        cors=responses.cors_origin if responses.cors_enabled else "",
        local_operator=access.operator_open and not (access.operator_token or access.operator_token_file),
        fallback=fallback,
        most=settings.answer_bytes,
        shelf=shelf,
        heavy=heavy,
        documents={"openapi.json": _openapi, "docs": _reference, "docs.css": _style},
        questions=_questions(house, callers, ignored, workshop),
    )


def _prefetch(secrets: Iterable[SecretSource]) -> None:
    if needed := [*secrets]:
        from handler.aws.secrets import prefetch  # noqa: PLC0415 - a service without secrets does not need it

        prefetch(needed)


def _questions(
    house: House, callers: Callers, ignored: IgnoredParameters, workshop: Workshop
) -> Callable[[bool], Mapping[str, Question]]:
    @cache
    def opened(is_operator: bool) -> Mapping[str, Question]:
        from handler.meaning import Interpreter  # noqa: PLC0415 - no picture needs it

        asked = Interpreter(house, callers, ignored, workshop.objects.resolve)
        if (house.signed_only or house.presets_only) and not is_operator:
            asked = asked.for_strangers()
        return {
            "explain": Question(("url",), asked.explain),
            "translate": Question(("url", "to"), asked.translate),
        }

    return opened


def _operator(
    settings: Settings,
    aws: AwsAccess,
    workshop: Workshop,
    house: House,
    ignored: IgnoredParameters,
    caching: Caching,
    signatures: Signatures | None,
    shelf: Shelf | None,
) -> Callable[[], OperatorDoor] | None:
    """Opens the operator's pages when one of them is first asked for; None where there are none."""
    access = settings.access
    token = secret_of(access.operator_token, access.operator_token_file, aws)
    if token is None and not access.operator_open:
        return None

    @cache
    def opened() -> OperatorDoor:
        from handler.aws.cloudfront import Distribution  # noqa: PLC0415 - no picture needs it
        from handler.doors.operator import OperatorDoor  # noqa: PLC0415 - of the operator alone
        from handler.withdrawal import Withdrawal  # noqa: PLC0415 - of the operator alone

        cdn = Distribution(settings.aws.distribution_id, aws) if settings.aws.distribution_id else None
        withdrawal = Withdrawal(workshop.objects, shelf, cdn, house.source_of)
        sources = tuple(place.name for place in read_places(settings.storage.source_buckets))
        return OperatorDoor(
            workshop, house, ignored, caching, sources, withdrawal,
            token=token, is_open=access.operator_open, signatures=signatures, lists=access.list_images,
        )  # fmt: skip

    return opened


def _unknown_sources(house: House, objects: Sources) -> list[str]:
    known = {place.name for place in objects.places}
    unknown = sorted(set(house.source_paths.values()) - known)
    opened = sorted(set(house.public_sources) - known)
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


def _uploads(settings: Settings, aws: AwsAccess, objects: Sources, workshop: Workshop, house: House) -> UploadDoor:
    from handler.doors.uploads import UploadDoor  # noqa: PLC0415 - only a stack that takes uploads needs it
    from handler.results import open_results  # noqa: PLC0415 - only a stack that takes uploads needs it

    unknown = [name for name in settings.storage.upload_presets if name not in house.presets]
    if unknown or not settings.storage.upload_presets:
        known = ", ".join(house.presets) or "none, as PRESETS is empty"
        raise ValueError(f"UPLOAD_PRESETS must name presets ({known}), got {', '.join(unknown) or 'nothing'}")
    results = open_results(settings.storage.output_bucket, aws=aws, sources=objects.places)
    return UploadDoor(
        produce=partial(produce, workshop=workshop),
        presets={name: house.presets[name].then(house.always) for name in settings.storage.upload_presets},
        results=results,
        output_bucket=results.place.bucket,
        source_of=lambda bucket, key: source_of(bucket, key, objects.places),
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
