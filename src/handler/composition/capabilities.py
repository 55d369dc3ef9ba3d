"""What this service can do, for pages and programs that offer its features: `/_api/capabilities`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from features import CATALOGUE, by_name
from handler.aws import AwsAccess
from handler.composition.factories import has_rekognition
from handler.config import Settings
from handler.requests.policy import Policy
from handler.response import body_bytes
from imaging import FORMATS, UPSCALING, fields, has_saliency, has_upscaling, installed_models

_REKOGNITION = "needs Amazon Rekognition: set VISION=rekognition, with credentials that allow it"
_NEEDS_REKOGNITION = (
    ("contentModeration", "", ""),
    ("smartCropping", "subject", "objects"),
    ("redact", "detect", "objects"),
    ("redact", "detect", "text"),
)
"""Feature, parameter and value that no local model can serve; without a parameter it is the whole feature."""
_WEIGHTS = "needs weights that are not installed: run `image-handler weights {}`"


def build_capabilities(settings: Settings, aws: AwsAccess, policy: Policy) -> Callable[[], dict[str, Any]]:
    """Return a function that describes the service. It names no source, no preset and no secret."""

    def describe() -> dict[str, Any]:
        weights, with_rekognition = settings.weights_folder, has_rekognition(settings, aws)
        models = installed_models(weights)
        return {
            "models": {name: name in models for name in _models()},
            "detection": {
                "faces": "rekognition" if with_rekognition else "local",
                **dict.fromkeys(("objects", "text", "moderation"), "rekognition" if with_rekognition else None),
                "salient": "local" if has_saliency(weights) else None,
            },
            "formats": {
                "read": [each.name for each in FORMATS],
                "write": [each.name for each in FORMATS if each.encoder],
            },
            "limits": _limits(settings),
            "dialects": [dialect.name for dialect in policy.dialects],
            "signatures": "required" if policy.signed_only else "optional",
            "presetsOnly": policy.presets_only,
            "publicFeatures": _public_features(policy),
            "unavailable": list(_unavailable(with_rekognition, models, upscales=has_upscaling(weights))),
        }

    return describe


def _models() -> tuple[str, ...]:
    return fields(by_name("removeBackground").params)["model"].choices


def _limits(settings: Settings) -> dict[str, int]:
    limits = settings.image_limits
    sent = body_bytes(settings.answer_bytes)
    return {
        "sourceBytes": limits.source_bytes,
        "sourcePixels": limits.source_pixels,
        # Lambda takes and sends bodies of the same size.
        "uploadBytes": min(limits.source_bytes, sent) if sent else limits.source_bytes,
        "frames": limits.frames,
        "resultSide": limits.result_side,
        "resultPixels": limits.result_pixels,
    }


def _public_features(policy: Policy) -> list[str]:
    """Return the expensive and billed features that need no signature; those of listed sources are public there."""
    restricted = [feature.name for feature in CATALOGUE if feature.expensive or feature.billed]
    is_open = "*" in policy.public_features or bool(policy.public_sources)
    return [name for name in restricted if is_open or name in policy.public_features]


def _unavailable(with_rekognition: bool, models: tuple[str, ...], *, upscales: bool) -> Iterator[dict[str, str]]:
    """Yield each feature, or value of a parameter, that this service cannot serve, and how it is switched on."""
    if not with_rekognition:
        for place in _NEEDS_REKOGNITION:
            yield _entry(place, _REKOGNITION)
    if "u2net" not in models:
        yield _entry(("cutout", "", ""), _WEIGHTS.format("u2net"))
    if not upscales:
        yield _entry(("upscale", "", ""), _WEIGHTS.format(UPSCALING))
    if not models:
        yield _entry(("removeBackground", "", ""), _WEIGHTS.format("u2net"))
    for name in _models():
        if name not in models:
            yield _entry(("removeBackground", "model", name), _WEIGHTS.format(name))


def _entry(place: tuple[str, str, str], reason: str) -> dict[str, str]:
    named = zip(("feature", "parameter", "value"), place, strict=True)
    return {name: value for name, value in named if value} | {"reason": reason}
