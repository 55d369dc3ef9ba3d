"""The settings of an operator, read once from the environment; all faults are reported together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_origin

import msgspec

from handler.config.env_types import PARSERS
from handler.config.groups import (
    MEGA,
    AccessSettings,
    LimitSettings,
    ModelSettings,
    ProcessSettings,
    RequestSettings,
    ResponseSettings,
    StorageSettings,
)
from handler.config.optional_groups import (
    AwsSettings,
    GallerySettings,
    ServerSettings,
)
from handler.config.optional_groups import ImgproxySettings as ImgproxySettings
from handler.config.upload_groups import (
    IngestSettings,
    NotificationSettings,
    ProcessingSettings,
    RecordSettings,
)
from imaging import AVIF, GIF, Limits

_MB_OF_A_PROCESSOR = 1769
"""Lambda assigns processor time in proportion to memory, one processor per 1769 MB, although it always shows two."""
LAMBDA_ANSWER_BYTES = 6_291_556
"""The largest response of a Lambda function, with base64 and JSON around it."""


class SettingsError(ValueError):
    """The environment has faults; the message lists each of them on a line."""


def raise_faults(faults: Sequence[str]) -> None:
    """Raise SettingsError with all of these faults, if there are any."""
    if faults:
        raise SettingsError("\n".join(faults))


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of an operator. Only `from_environment` reads the environment."""

    storage: StorageSettings = StorageSettings()
    ingest: IngestSettings = IngestSettings()
    access: AccessSettings = AccessSettings()
    requests: RequestSettings = RequestSettings()
    models: ModelSettings = ModelSettings()
    responses: ResponseSettings = ResponseSettings()
    limits: LimitSettings = LimitSettings()
    aws: AwsSettings = AwsSettings()
    records: RecordSettings = RecordSettings()
    notifications: NotificationSettings = NotificationSettings()
    processing: ProcessingSettings = ProcessingSettings()
    gallery: GallerySettings = GallerySettings()
    imgproxy: ImgproxySettings = ImgproxySettings()
    server: ServerSettings = ServerSettings()
    process: ProcessSettings = ProcessSettings()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from the environment, or from a mapping. Raises SettingsError, which lists every fault."""
        environment = os.environ if environment is None else environment
        if environment.get("EXTRA_SETTINGS", "").strip():
            environment = _with_extra_settings(environment)
        if any(name.startswith("IMGPROXY_") for name in environment):
            from handler.config.imgproxy_names import with_translated  # noqa: PLC0415 - few deployments have these names

            environment = with_translated(environment, [setting.variable for setting in SETTINGS.values()])
        values: dict[str, Any] = {}
        faults: list[str] = []
        for field, setting in SETTINGS.items():
            if setting.variable not in environment:
                continue
            value = environment[setting.variable].strip()
            try:
                values[field] = setting.parse(value)
            except ValueError as error:
                found = "another value" if setting.secret else repr(value)
                faults.append(f"{setting.variable} must be {error}, got {found}")
        settings = cls().replace(**values)
        raise_faults([*faults, *settings.conflicts()])
        return settings

    def replace(self, **values: Any) -> Settings:
        """Return a copy in which these fields have other values, whatever group each of them is in."""
        groups: dict[str, dict[str, Any]] = {}
        for field, value in values.items():
            groups.setdefault(_GROUP_OF[field], {})[field] = value
        changed = {name: msgspec.structs.replace(getattr(self, name), **fields) for name, fields in groups.items()}
        return msgspec.structs.replace(self, **changed)

    def __repr__(self) -> str:
        """Return a text without any value: values can be secrets, which must not get into a log."""
        return "Settings(…)"

    def check(self) -> None:
        """Check that the values go together. Raises SettingsError, which lists every conflict."""
        raise_faults([*self.conflicts()])

    def conflicts(self) -> Iterator[str]:
        """Yield each conflict between two settings, as a line of text."""
        access, aws, storage = self.access, self.aws, self.storage
        imgproxy = self.imgproxy
        keys = imgproxy.imgproxy_key or imgproxy.imgproxy_keys_secret or imgproxy.imgproxy_keys_file
        if access.enable_signature and not (access.secrets_manager or access.signature_secret_file or keys):
            yield "ENABLE_SIGNATURE=Yes needs SECRETS_MANAGER or SIGNATURE_SECRET_FILE"
        if self.responses.enable_fallback and not self.responses.fallback_key:
            yield "ENABLE_DEFAULT_FALLBACK_IMAGE=Yes needs DEFAULT_FALLBACK_IMAGE_KEY"
        if storage.store_results and not storage.results_bucket:
            yield "STORE_RESULTS=Yes needs RESULTS_BUCKET"
        if aws.heavy_function and aws.heavy_function == self.process.function_name:
            yield f"HEAVY_FUNCTION must be another function, got this one, {aws.heavy_function!r}"
        if storage.upload_presets and not storage.output_bucket:
            yield "UPLOAD_PRESETS needs OUTPUT_BUCKET"
        if self.records.database and self.records.database_file:
            yield "RECORDS and RECORDS_FILE must not both be set"
        if self.records.upload_queue and not (self.records.database or self.records.database_file):
            yield "UPLOAD_QUEUE needs RECORDS or RECORDS_FILE"
        notifications = self.notifications
        if notifications.webhook_url and not (notifications.webhook_secret or notifications.webhook_secret_file):
            yield "WEBHOOK_URL needs WEBHOOK_SECRET or WEBHOOK_SECRET_FILE"
        if notifications.webhook_url.startswith("http:") and not notifications.webhook_allow_private:
            yield "WEBHOOK_URL must be an https URL, unless WEBHOOK_ALLOW_PRIVATE=Yes"
        yield from self._conflicts_of_private_sources()
        yield from self._conflicts_of_server()

    def _conflicts_of_server(self) -> Iterator[str]:
        if self.server.cache_mb and self.process.function_name:
            yield f"CACHE_MB must be 0 in Lambda, got {self.server.cache_mb}"

    def _conflicts_of_private_sources(self) -> Iterator[str]:
        access, gallery = self.access, self.gallery.gallery_source
        if not (access.secrets_manager or access.signature_secret_file or self.processing.uploads_only):
            named = {"PRIVATE_SOURCES": access.private_sources, "GALLERY_SOURCE": gallery}
            for setting in filter(named.get, named):
                yield f"{setting} needs SECRETS_MANAGER or SIGNATURE_SECRET_FILE"
        if gallery and not (self.records.database or self.records.database_file):
            yield "GALLERY_SOURCE needs RECORDS or RECORDS_FILE"
        vision, is_function = self.models.vision, bool(self.process.function_name)
        if (
            gallery
            and self.gallery.gallery_moderation
            and not (vision == "rekognition" or (vision == "auto" and is_function))
        ):
            yield "GALLERY_MODERATION needs VISION=rekognition"
        for name in sorted(self.private_sources & set(access.public_sources)):
            yield f"PUBLIC_SOURCES must not name a private source, got {name!r}"

    @property
    def private_sources(self) -> frozenset[str]:
        """The names of the sources that are served only with a signature."""
        return frozenset(filter(None, (*self.access.private_sources, self.gallery.gallery_source)))

    @property
    def image_limits(self) -> Limits:
        """The limits of one image that `imaging` takes."""
        limits, memory = self.limits, self.process.memory_size
        # AWS's handler takes what is not a number for the default.
        size_limit = int(limits.sharp_size_limit) if limits.sharp_size_limit.isdecimal() else 0
        return Limits(
            source_bytes=limits.max_source_bytes,
            source_pixels=min(size_limit, 2**31) or limits.max_source_pixels,
            frames=limits.max_frames,
            animation_pixels=limits.max_animation_pixels,
            result_side=limits.max_result_side,
            result_pixels=limits.max_result_pixels,
            result_pixels_of={
                **Limits().result_pixels_of,
                AVIF.name: limits.max_avif_pixels,
                GIF.name: limits.max_gif_pixels,
            },
            memory=limits.memory_budget or (memory * MEGA * 7 // 10 or Limits().memory),
            work=limits.work_budget or 0.5 * limits.max_seconds,
            tolerate_truncated=limits.tolerate_truncated,
            allow_gps=self.access.allow_gps,
            switched_on=frozenset({"PDF_SOURCES"}) if limits.pdf_sources else frozenset(),
            processors=memory / _MB_OF_A_PROCESSOR or Limits().processors,
        )

    @property
    def weights_folder(self) -> str:
        """The folder of the models' weights, which need not exist."""
        return self.models.weights or str(Path(__file__).resolve().parents[3] / "weights")

    @property
    def cutout_model(self) -> str:
        """The model of cut-outs whose request names none.

        Functions of x86_64 run on processors with and without VNNI. One model for all of them keeps a result, its ETag
        and its mask the same wherever a request is answered.
        """
        is_mixed = bool(self.process.function_name) and os.uname().machine == "x86_64"
        return "u2net" if is_mixed and self.models.cutout_model == "auto" else self.models.cutout_model

    @property
    def answer_bytes(self) -> int:
        """The maximum size of an answer in bytes, base64 included; 0 means no limit."""
        return self.responses.max_answer_bytes or (LAMBDA_ANSWER_BYTES if self.process.function_name else 0)


def starts_from_snapshot() -> bool:
    """Return whether this function has SnapStart: Lambda takes a snapshot of the process after its initialisation."""
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"


def trace_id() -> str:
    """Return the X-Ray trace ID of the current request, which Lambda sets in the environment for each request.

    From `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1` it is the value of `Root`.
    """
    return trace_header().partition(";")[0].removeprefix("Root=")


def trace_header() -> str:
    """Return the tracing header of the current request, which calls to AWS pass on; empty outside of Lambda."""
    return os.environ.get("_X_AMZN_TRACE_ID", "")


class Setting(NamedTuple):
    """An environment variable and the field that it sets."""

    group: str
    field: str
    variable: str
    help: str
    parse: Callable[[str], Any]
    default: Any
    secret: bool

    def value_in(self, settings: Settings) -> Any:
        """Return the value in these settings."""
        return getattr(getattr(settings, self.group), self.field)


def _with_extra_settings(environment: Mapping[str, str]) -> Mapping[str, str]:
    from handler.config.extra_settings import with_extra_settings  # noqa: PLC0415 - few deployments have them

    try:
        return with_extra_settings(environment, {setting.variable for setting in SETTINGS.values()})
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _read_declarations(group: str, default: Any) -> Iterator[Setting]:
    """Yield the variables of a group, from the annotations of its fields."""
    # The modules of the groups evaluate their annotations, so `get_type_hints` would only take time at a cold start.
    annotations: dict[str, Any] = type(default).__annotations__
    for field, hint in annotations.items():
        if get_origin(hint) is Annotated:
            kind, env = get_args(hint)
            parse = env.parse or PARSERS[kind]
            yield Setting(group, field, env.variable, env.help, parse, getattr(default, field), env.secret)


_DEFAULTS = Settings()
_GROUP_OF = {
    field: group for group in Settings.__struct_fields__ for field in getattr(_DEFAULTS, group).__struct_fields__
}
SETTINGS: dict[str, Setting] = {
    setting.field: setting
    for group in Settings.__struct_fields__
    for setting in _read_declarations(group, getattr(_DEFAULTS, group))
}
"""Every field that an environment variable sets, by name."""
