"""Check at a deployment, for CloudFormation, that a function of the stack works with its settings and permissions.

The application is built again, and each part that a setting names is used once. A fault fails the deployment, and its
text is what the operator reads in the events of the stack. A note does not fail it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

import msgspec

from handler.composition.factories import build_aws_access, open_secret
from handler.composition.readiness import PROBE
from handler.composition.wiring import Application, build
from handler.config import Settings, SettingsError
from handler.core.errors import Forbidden, HandlerError
from handler.core.ports import ObjectAttributes, ObjectStore
from handler.entrypoints.health import check_drawing
from handler.observability.logs import logger
from handler.storage.sources import read_locations
from imaging import PNG, Context, Deadline, FeatureError, ObjectRef, Output, Rendered, check, run

_SAMPLE = 2000, 1500
"""Width and height in pixels of the image on which presets are drawn."""
_ARCHIVED = "InvalidObjectState"
"""S3's code for an object in an archive, which cannot be read, whatever the permissions are."""


class Report(msgspec.Struct):
    """The result of all checks."""

    faults: list[str] = msgspec.field(default_factory=list)
    notes: list[str] = msgspec.field(default_factory=list)


def check_deployment(deadline: Deadline, environment: Mapping[str, str] | None = None) -> Report:
    """Build the application from the environment, use each of its parts once, and return what does not work."""
    report = Report()
    try:
        settings = Settings.from_environment(environment)
        application = build(settings)
    except SettingsError as error:
        report.faults += str(error).splitlines()
        return report
    for find_faults in (_check_sources, _check_stores, _check_records, _check_secrets, _check_fallback, _check_fonts):
        report.faults += find_faults(application)
    _check_presets(application, report, deadline)
    _attempt(report.faults, "drawing", check_drawing)
    return report


def _attempt(faults: list[str], subject: str, action: Callable[[], object]) -> None:
    """Run an action, and add what it raises to the faults, with its detail: the reader is the operator."""
    try:
        action()
    except (FeatureError, HandlerError) as error:
        faults.append(f"{subject}: {error.message}" + (f" ({error.detail})" if error.detail else ""))
    except Exception as error:  # noqa: BLE001 - whatever is raised fails the deployment in words
        logger().exception("a check failed", extra={"check": subject})
        faults.append(f"{subject}: {type(error).__name__}: {error}")


def _check_sources(application: Application) -> list[str]:
    """List each source that can be listed, and request its first object."""
    faults: list[str] = []
    objects = application.http.render_context.objects
    for location in read_locations(application.settings.storage.source_buckets):

        def read_one(name: str = location.name) -> None:
            first = next(objects.list(name, ""), None)
            if first is not None:
                try:
                    objects.get(ObjectRef(name, first.ref.key))
                except Forbidden as error:
                    if _ARCHIVED not in error.detail:
                        raise

        if location.scheme != "https":  # a web server cannot be listed
            _attempt(faults, f"SOURCE_BUCKETS, {location.name}", read_one)
    return faults


def _check_stores(application: Application) -> list[str]:
    """List the stores that are written to, and write to the one of results."""
    from handler.storage.results import open_results  # noqa: PLC0415 - no image needs this module

    storage, faults = application.settings.storage, list[str]()
    aws = build_aws_access(application.settings)
    sources = read_locations(storage.source_buckets)
    for setting, spec in (("OUTPUT_BUCKET", storage.output_bucket), ("RESULTS_BUCKET", storage.results_bucket)):
        if spec:
            store = open_results(spec, setting, aws=aws, sources=sources)
            _attempt(faults, setting, partial(next, store.list("detections/"), None))
            if setting == "RESULTS_BUCKET":  # in the other one a new object may set something off
                _attempt(faults, setting, partial(_write_and_delete, store))
    return faults


def _write_and_delete(store: ObjectStore) -> None:
    """Use the right to write, which a key of KMS may deny."""
    key = f"detections/self-check-{uuid4().hex}"
    store.put(key, b"self-check", ObjectAttributes("text/plain"), replaces=None)
    store.delete([key])


def _check_records(application: Application) -> list[str]:
    """Read from the database of records."""
    faults: list[str] = []
    open_records = application.records
    if open_records is not None:
        _attempt(faults, "RECORDS", lambda: open_records().get(PROBE))
    return faults


def _check_secrets(application: Application) -> list[str]:
    """Fetch every secret that the settings name."""
    access, gallery, faults = application.settings.access, application.settings.gallery, list[str]()
    aws = build_aws_access(application.settings)
    named = {
        "SECRETS_MANAGER": open_secret(access.secrets_manager, access.signature_secret_file, aws, access.secret_key),
        "OPERATOR_TOKEN_SECRET": open_secret(access.operator_token, access.operator_token_file, aws),
        "ORIGIN_SECRET": open_secret(access.origin_secret, access.origin_secret_file, aws),
        "GALLERY_PASSWORD_SECRET": open_secret(
            gallery.gallery_password, gallery.gallery_password_file, aws, "PASSWORD"
        ),
    }
    for setting, secret in named.items():
        if secret is not None:
            _attempt(faults, setting, secret.values)
    return faults


def _check_fallback(application: Application) -> list[str]:
    """Request the fallback image."""
    faults: list[str] = []
    fallback = application.http.fallback
    if fallback is not None:
        objects = application.http.render_context.objects
        _attempt(faults, "DEFAULT_FALLBACK_IMAGE_KEY", lambda: objects.get(fallback))
    return faults


def _check_fonts(application: Application) -> list[str]:
    """Fetch the operator's fonts."""
    place, faults = application.settings.storage.fonts, list[str]()
    if "://" in place:
        from handler.composition.fonts import fetch_fonts  # noqa: PLC0415 - few services have fonts of their own

        _attempt(faults, "FONTS", lambda: fetch_fonts(place, build_aws_access(application.settings)))
    return faults


def _check_presets(application: Application, report: Report, deadline: Deadline) -> None:
    """Draw each preset on a sample, unless that runs a model or is billed. ALWAYS applies to each."""
    policy = application.http.policy
    if any(step.is_billed or step.is_expensive for step in policy.always.steps):
        report.notes.append("ALWAYS runs a model or is billed, so presets are checked without drawing them")
        return
    sample = base64.b64encode(_sample()).decode()
    for subject, params in _drawings(application):
        if not deadline.leaves_room_for(1):
            report.notes.append(f"{subject} and those after it were not drawn, because the time was over")
            return
        try:
            answer: Mapping[str, Any] = application.direct_invocation().invoke({"image": sample, **params}, deadline)
        except Exception as error:  # noqa: BLE001 - whatever is raised fails the deployment in words
            logger().exception("a check failed", extra={"check": subject})
            report.faults.append(f"{subject}: {type(error).__name__}: {error}")
            continue
        if "message" in answer and "status" in answer:
            # A preset that the sample does not fit, such as an area outside of it, may fit the originals.
            found = report.notes if answer["status"] in (400, 413, 422) else report.faults
            found.append(f"{subject} cannot be drawn on a sample of {_SAMPLE[0]} × {_SAMPLE[1]}: {answer['message']}")


def _drawings(application: Application) -> Iterator[tuple[str, Mapping[str, Any]]]:
    policy = application.http.policy
    if policy.always.steps:
        yield "ALWAYS", {}
    for name, recipe in policy.presets.items():
        if not any(step.is_billed or step.is_expensive for step in recipe.steps):
            yield f"preset {name}", {"preset": name}


def _sample() -> bytes:
    """Return a small PNG."""
    width, height = _SAMPLE
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"><rect width="9" height="9"/></svg>'
    )
    drawn = run(svg.encode(), (), check(Output, {"format": PNG.name}), Context())
    return drawn.body if isinstance(drawn, Rendered) else b""
