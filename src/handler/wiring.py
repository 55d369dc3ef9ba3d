"""The one place that composes: from settings to doors. Everything else is handed what it needs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from features import InvalidParameter, ObjectRef
from handler.aws import AwsAccess, Credentials
from handler.callers import Callers
from handler.canonical import IgnoredParameters
from handler.dialects import query
from handler.doors.console import ConsoleDoor
from handler.doors.http import HttpDoor, Question
from handler.errors import HandlerError
from handler.house import read_house
from handler.objects import Sources, open_sources, read_places, source_of
from handler.observability import logger
from handler.ports import Eyes, SecretSource
from handler.produce import Workshop, produce
from handler.response import Caching, body_bytes
from handler.secrets import AwsSecret, FileSecret, prefetch
from handler.settings import Settings, SettingsError
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


_built: list[Application] = []


def application() -> Application:
    """The application of this process, built from the environment at the first call."""
    if not _built:
        settings = Settings.from_environment()
        logger().setLevel(settings.log_level)
        _built.append(build(settings))
    return _built[0]


def use(built: Application) -> None:
    """Serve with this application instead of one from the environment."""
    _built[:] = [built]


def build(settings: Settings) -> Application:
    """Compose an application. SettingsError lists every fault."""
    aws = _aws(settings)
    faults: list[str] = []
    with _told(faults):
        objects = open_sources(settings.source_buckets, limit=settings.max_source_bytes, aws=aws)
    with _told(faults):
        house = read_house(settings, aws)
    with _told(faults, "IGNORED_PARAMETERS must be "):
        ignored = IgnoredParameters(settings.ignored_parameters, query.is_known)
    faults += _missing_files(settings)
    if not faults:
        faults += _unknown_sources(house, objects)
    _refuse(faults)
    uploads = fallback = results = None
    with _told(faults):
        fallback = _fallback(settings, objects)
    with _told(faults):
        results = _results(settings, aws, objects)
    eyes = _eyes(settings, aws, results)
    weights = settings.weights_folder
    workshop = Workshop(objects, settings.limits, drawing_version(), settings.deployed_at, eyes, weights)
    with _told(faults):
        uploads = _uploads(settings, aws, objects, workshop, house) if settings.output_bucket else None
    _refuse(faults)
    http = _http(settings, aws, workshop, house, ignored, fallback, results)
    console = ConsoleDoor(workshop, house, http.caching, settings.answer_bytes)
    return Application(settings, http, console, uploads)


def _http(
    settings: Settings,
    aws: AwsAccess,
    workshop: Workshop,
    house: House,
    ignored: IgnoredParameters,
    fallback: ObjectRef | None,
    results: ResultStore | None,
) -> HttpDoor:
    signing = _secret(settings.secrets_manager, settings.signature_secret_file, aws, settings.secret_key)
    origin = _secret(settings.origin_secret, settings.origin_secret_file, aws)
    prefetch(secret for secret in (signing if settings.enable_signature else None, origin) if secret)
    caching = Caching(settings.browser_max_age, settings.cdn_max_age, settings.error_max_age)
    known = Signatures(signing) if signing else None
    signatures = known if settings.enable_signature else None
    callers = Callers(known, settings.enable_signature, "thumbor" in house.dialects)
    shelf = _shelf(settings, results, caching) if results else None
    return HttpDoor(
        workshop=workshop,
        house=house,
        ignored=ignored,
        caching=caching,
        callers=callers,
        signatures=signatures,
        operator=_operator(settings, aws, workshop, house, ignored, caching, signatures, shelf),
        origin=origin,
        cors=settings.cors_origin if settings.cors_enabled else "",
        fallback=fallback,
        most=settings.answer_bytes,
        shelf=shelf,
        documents={"openapi.json": _openapi},
        questions=_questions(house, callers, ignored, workshop),
    )


def _questions(
    house: House, callers: Callers, ignored: IgnoredParameters, workshop: Workshop
) -> Callable[[], Mapping[str, Question]]:
    @cache
    def opened() -> Mapping[str, Question]:
        from handler.meaning import Interpreter  # noqa: PLC0415 - no picture needs it

        asked = Interpreter(house, callers, ignored, workshop.objects.resolve)
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
    token = _secret(settings.operator_token, settings.operator_token_file, aws)
    if token is None and not settings.operator_open:
        return None

    @cache
    def opened() -> OperatorDoor:
        from handler.cdn import Distribution  # noqa: PLC0415 - no picture needs it
        from handler.doors.operator import OperatorDoor  # noqa: PLC0415
        from handler.withdrawal import Withdrawal  # noqa: PLC0415

        cdn = Distribution(settings.distribution_id, aws) if settings.distribution_id else None
        withdrawal = Withdrawal(workshop.objects, shelf, cdn)
        sources = tuple(place.name for place in read_places(settings.source_buckets))
        return OperatorDoor(
            workshop, house, ignored, caching, sources, withdrawal,
            token=token, is_open=settings.operator_open, signatures=signatures, lists=settings.list_images,
        )  # fmt: skip

    return opened


def _unknown_sources(house: House, objects: Sources) -> list[str]:
    known = {place.name for place in objects.places}
    unknown = sorted(set(house.source_paths.values()) - known)
    return [f"SOURCE_PATHS must name sources of SOURCE_BUCKETS, got {name!r}" for name in unknown]


def _missing_files(settings: Settings) -> list[str]:
    files = (settings.signature_secret_file, settings.operator_token_file, settings.origin_secret_file)
    return [f"the file of a secret must exist, got {file!r}" for file in files if file and not Path(file).is_file()]


def _fallback(settings: Settings, objects: Sources) -> ObjectRef | None:
    if not settings.enable_fallback:
        return None
    return objects.resolve(ObjectRef(settings.fallback_bucket, settings.fallback_key))


def _refuse(faults: list[str]) -> None:
    if faults:
        raise SettingsError("\n".join(faults))


@contextmanager
def _told(faults: list[str], prefix: str = "") -> Iterator[None]:
    """Collect what is wrong, so that the operator hears of everything at once."""
    try:
        yield
    except (InvalidParameter, HandlerError) as error:
        faults.append(prefix + error.message)
    except ValueError as error:
        faults.append(prefix + str(error))


def _results(settings: Settings, aws: AwsAccess, objects: Sources) -> ResultStore | None:
    if not settings.results_bucket:
        return None
    from handler.results import open_results  # noqa: PLC0415 - only a stack that keeps results needs it

    return open_results(settings.results_bucket, "RESULTS_BUCKET", aws=aws, sources=objects.places)


def _shelf(settings: Settings, store: ResultStore, caching: Caching) -> Shelf:
    from handler.shelf import Shelf  # noqa: PLC0415 - see _results

    return Shelf(
        store,
        keeps=settings.store_results,
        most=body_bytes(settings.answer_bytes),
        life=timedelta(days=settings.results_expire_after_days),
        cache_control=f"public, max-age={caching.browser}, s-maxage={caching.cdn}",
    )


def _eyes(settings: Settings, aws: AwsAccess, store: ResultStore | None) -> Callable[[], Eyes]:
    """Opens those who see when a request first needs them."""
    kind = settings.vision if settings.vision != "auto" else "rekognition" if settings.function_name else "local"

    @cache
    def made() -> Eyes:
        from handler.vision import open_eyes  # noqa: PLC0415 - few requests ask who sees

        return open_eyes(
            kind == "rekognition",
            aws,
            weights=settings.weights_folder,
            store=store,
            lets_pass=settings.moderation_fail == "open",
        )

    # Two that ask at once shall get the same, so that neither pays for what the other saw.
    lock = threading.Lock()

    def opened() -> Eyes:
        with lock:
            return made()

    return opened


def _uploads(settings: Settings, aws: AwsAccess, objects: Sources, workshop: Workshop, house: House) -> UploadDoor:
    from handler.doors.uploads import UploadDoor  # noqa: PLC0415 - only a stack that takes uploads needs it
    from handler.results import open_results  # noqa: PLC0415

    unknown = [name for name in settings.upload_presets if name not in house.presets]
    if unknown or not settings.upload_presets:
        known = ", ".join(house.presets) or "none, as PRESETS is empty"
        raise ValueError(f"UPLOAD_PRESETS must name presets ({known}), got {', '.join(unknown) or 'nothing'}")
    results = open_results(settings.output_bucket, aws=aws, sources=objects.places)
    return UploadDoor(
        produce=partial(produce, workshop=workshop),
        presets={name: house.presets[name].then(house.always) for name in settings.upload_presets},
        results=results,
        output_bucket=results.place.bucket,
        source_of=lambda bucket, key: source_of(bucket, key, objects.places),
    )


def _aws(settings: Settings) -> AwsAccess:
    keys = settings.access_key_id, settings.secret_access_key
    return AwsAccess(
        region=settings.region,
        endpoint_url=settings.endpoint_url,
        endpoint_url_s3=settings.endpoint_url_s3,
        endpoint_url_secrets=settings.endpoint_url_secrets,
        endpoint_url_rekognition=settings.endpoint_url_rekognition,
        endpoint_url_cloudfront=settings.endpoint_url_cloudfront,
        endpoint_url_lambda=settings.endpoint_url_lambda,
        credentials=Credentials(*keys, settings.session_token) if all(keys) else None,
    )


def _secret(secret_id: str, file: str, aws: AwsAccess, field: str = "SECRET_KEY") -> SecretSource | None:
    if file:
        return FileSecret(file, field)
    return AwsSecret(secret_id, field, aws=aws) if secret_id else None


def _openapi() -> object:
    from handler.reference import openapi  # noqa: PLC0415 - no picture needs it

    return openapi()
