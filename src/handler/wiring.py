"""The one place that composes: from settings to doors. Everything else is handed what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from features import Deadline, InvalidParameter, ObjectRef
from handler.canonical import IgnoredParameters
from handler.dialects import json_edits, query
from handler.doors.console import ConsoleDoor
from handler.doors.http import HttpDoor
from handler.doors.http_call import is_http_event
from handler.objects import open_sources
from handler.ports import Objects, SecretSource
from handler.presets import Recipe, read_presets
from handler.produce import Workshop
from handler.response import Caching
from handler.settings import Settings, SettingsError
from handler.signature import Signatures
from handler.understand import House
from handler.version import drawing_version

UploadDoor = Callable[[Mapping[str, Any], Deadline], dict[str, object]]


@dataclass(frozen=True, slots=True)
class Application:
    """Every door, ready to be knocked at."""

    settings: Settings
    http: HttpDoor
    console: ConsoleDoor
    uploads: UploadDoor

    def is_upload(self, event: Mapping[str, Any]) -> bool:
        """Whether an event tells of an upload."""
        if is_http_event(event):
            return False
        return "Records" in event or event.get("detail-type") == "Object Created"


_built: list[Application] = []


def application() -> Application:
    """The application of this process, built from the environment at the first call."""
    if not _built:
        _built.append(build(Settings.from_environment()))
    return _built[0]


def use(built: Application) -> None:
    """Serve with this application instead of one from the environment."""
    _built[:] = [built]


def build(settings: Settings) -> Application:
    """Compose an application. SettingsError lists every fault."""
    aws = _aws(settings)
    objects = open_sources(settings.source_buckets, limit=settings.max_source_bytes, aws=aws)
    house = _house(settings, objects)
    ignored = IgnoredParameters(",".join(settings.ignored_parameters), query.is_known)
    signing = _secret(settings, aws, settings.secrets_manager, settings.signature_secret_file, settings.secret_key)
    operator = _secret(settings, aws, settings.operator_token, settings.operator_token_file)
    origin = _secret(settings, aws, settings.origin_secret, settings.origin_secret_file)
    workshop = Workshop(objects, settings.limits, drawing_version(), settings.deployed_at)
    caching = Caching(settings.browser_max_age, settings.cdn_max_age, settings.error_max_age)
    http = HttpDoor(
        workshop=workshop,
        house=house,
        ignored=ignored,
        caching=caching,
        signatures=Signatures(signing) if settings.enable_signature and signing else None,
        operator=operator,
        operator_open=settings.operator_open,
        origin=origin,
        cors=settings.cors_origin if settings.cors_enabled else "",
        fallback=ObjectRef(settings.fallback_bucket, settings.fallback_key) if settings.enable_fallback else None,
        documents={"openapi.json": _openapi},
    )
    console = ConsoleDoor(workshop, house, caching, settings.answer_bytes)
    return Application(settings, http, console, _uploads(settings, workshop, house))
