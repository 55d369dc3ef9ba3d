"""The names of imgproxy's settings that have another name here; docs/migrate-from-imgproxy.md lists them all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping

_log = logging.getLogger(__name__)
_PREFIX = "IMGPROXY_"


def _same(name: str) -> Callable[[str], dict[str, str]]:
    """Return a function that gives a value to the setting of this name."""
    return lambda value: {name: value}


def _megapixels(value: str) -> dict[str, str]:
    try:
        return {"MAX_SOURCE_PIXELS": str(round(float(value) * 1_000_000))}
    except (ValueError, OverflowError):
        return {"MAX_SOURCE_PIXELS": value}


def _without_zero(name: str) -> Callable[[str], dict[str, str]]:
    """Return a function that gives a value to the setting of this name; 0 and less is this service's default."""
    return lambda value: {} if value == "0" or value.startswith("-") else {name: value}


TRANSLATIONS: Mapping[str, Callable[[str], dict[str, str]]] = {
    "IMGPROXY_KEY": lambda _: {"ENABLE_SIGNATURE": "Yes"},
    "IMGPROXY_KEYS_SECRET": lambda _: {"ENABLE_SIGNATURE": "Yes"},
    "IMGPROXY_KEYS_FILE": lambda _: {"ENABLE_SIGNATURE": "Yes"},
    "IMGPROXY_ONLY_PRESETS": _same("PRESETS_ONLY"),
    "IMGPROXY_AUTO_WEBP": _same("AUTO_WEBP"),
    "IMGPROXY_ENABLE_WEBP_DETECTION": _same("AUTO_WEBP"),
    "IMGPROXY_AUTO_AVIF": _same("AUTO_FORMAT"),
    "IMGPROXY_ENABLE_AVIF_DETECTION": _same("AUTO_FORMAT"),
    "IMGPROXY_TTL": lambda value: {"BROWSER_MAX_AGE": value, "CDN_MAX_AGE": value},
    "IMGPROXY_MAX_SRC_RESOLUTION": _megapixels,
    "IMGPROXY_MAX_SRC_FILE_SIZE": _without_zero("MAX_SOURCE_BYTES"),
    "IMGPROXY_MAX_RESULT_DIMENSION": _without_zero("MAX_RESULT_SIDE"),
    "IMGPROXY_ALLOW_ORIGIN": lambda value: {"CORS_ENABLED": "Yes", "CORS_ORIGIN": value},
    "IMGPROXY_ENABLE_CLIENT_HINTS": _same("CLIENT_HINTS"),
    "IMGPROXY_TIMEOUT": _same("MAX_SECONDS"),
    "IMGPROXY_LOG_LEVEL": lambda value: {"LOG_LEVEL": "WARNING" if value.lower() == "warn" else value},
    "IMGPROXY_LOCAL_FILESYSTEM_ROOT": lambda value: {"SOURCE_BUCKETS": f"local=file://{value}"},
    "IMGPROXY_FALLBACK_IMAGE_URL": lambda value: (
        {"ENABLE_DEFAULT_FALLBACK_IMAGE": "Yes", "DEFAULT_FALLBACK_IMAGE_KEY": value}
    ),
}
"""What a value of imgproxy's setting means in settings of this service."""


def with_translated(environment: Mapping[str, str], known: Collection[str]) -> Mapping[str, str]:
    """Return the environment with the settings that imgproxy's names stand for; a name of this service wins.

    The log has a line for each of them, and for those that are not used. `known` are the names that are read as they
    are.
    """
    translated: dict[str, str] = {}
    for name in sorted(environment):
        if not name.startswith(_PREFIX):
            continue
        if not environment[name].strip():
            continue  # imgproxy ignores empty values.
        if name in TRANSLATIONS:
            found = TRANSLATIONS[name](environment[name].strip())
            ours = [setting for setting in found if setting not in environment]
            translated |= {setting: found[setting] for setting in ours}
            reason = "a setting of this service is set" if found else "the default of this service applies"
            _log.info("%s sets %s", name, " and ".join(ours) or f"nothing: {reason}")
        elif name not in known:
            _log.warning("%s is not used here: docs/migrate-from-imgproxy.md says why", name)
    given = {name: value for name, value in environment.items() if value.strip() or not name.startswith(_PREFIX)}
    return {**translated, **given}
