"""Builds the dialect from the settings."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import msgspec

from handler.auth.signature import PathSigning
from handler.config import ImgproxySettings
from handler.core.ports import SecretSource
from handler.requests.dialects.dialect import Dialect, Environment
from handler.requests.dialects.imgproxy.claim import (
    begins_with_signature,
    find_signature,
    parse,
    parse_own_preset,
    parse_signed,
)
from handler.requests.dialects.imgproxy.configuration import (
    Configuration,
    compile_pattern,
    read_presets,
    read_replacements,
)
from handler.requests.dialects.imgproxy.decryption import KEY_NAME, Decrypt, decrypter, read_key
from handler.requests.dialects.imgproxy.handlers import is_option
from handler.requests.dialects.imgproxy.interpret import parse_preset
from handler.requests.dialects.imgproxy.saving import OWN_NAMES, is_format
from handler.requests.dialects.imgproxy.signing import (
    FULL_SIZE,
    FixedText,
    KeyPairs,
    join_pairs,
    short_redaction,
    signature_length,
    signer,
)
from imaging import WRITTEN, InvalidParameter, ObjectRef


def configure(dialect: Dialect, environment: Environment) -> Dialect:
    """Return the dialect with its settings. Raise ValueError for one that is invalid."""
    settings = environment.settings.imgproxy
    configuration = _read_configuration(settings, environment, dialect.name)
    presets = {}
    for name, text in configuration.presets.items():
        try:
            presets[name] = parse_preset(text, name, configuration)
        except InvalidParameter as error:
            raise ValueError(f"the preset {name} of imgproxy: {error.message}") from None
    pairs = _open_keys(settings, environment)
    signing = None
    if pairs is not None:
        signing = PathSigning(
            find=partial(find_signature, prefix=configuration.prefix),
            begins=partial(
                begins_with_signature,
                length=signature_length(settings.imgproxy_signature_size),
                prefix=configuration.prefix,
            ),
            sign=signer(settings.imgproxy_signature_size),
            secrets=pairs,
        )
    length = signature_length(settings.imgproxy_signature_size)
    is_short = signing is not None and length < signature_length(FULL_SIZE)
    return msgspec.structs.replace(
        dialect,
        redaction=short_redaction(length, configuration.prefix) if is_short else dialect.redaction,
        knows_secrets=is_short,
        parse=partial(parse, configuration=configuration),
        parse_signed=partial(parse_signed, configuration=configuration),
        path_signing=signing,
        presets=presets,
    )


def _open_keys(settings: ImgproxySettings, environment: Environment) -> SecretSource | None:
    """Return the pairs of keys and salts, None where no key is set. Raise ValueError."""
    if settings.imgproxy_trusted_signatures:
        raise ValueError(
            "IMGPROXY_TRUSTED_SIGNATURES must be left out: who learns such a word may request anything; sign the URLs"
        )
    if settings.imgproxy_secret:
        raise ValueError("IMGPROXY_SECRET must be left out: it is not verified here; use ORIGIN_SECRET or signatures")
    if settings.imgproxy_key or settings.imgproxy_salt:
        join_pairs(settings.imgproxy_key, settings.imgproxy_salt)
        return KeyPairs(FixedText(settings.imgproxy_key), FixedText(settings.imgproxy_salt))
    secrets = [
        environment.open_secret(settings.imgproxy_keys_secret, settings.imgproxy_keys_file, field)
        for field in ("IMGPROXY_KEY", "IMGPROXY_SALT")
    ]
    return KeyPairs(*secrets) if all(secrets) else None  # type: ignore[arg-type]  # none of them is None here


def _open_decryption(settings: ImgproxySettings, environment: Environment) -> Decrypt | None:
    """Return what decrypts source URLs, None where no key is set. Raise ValueError."""
    if settings.imgproxy_source_url_encryption_key:
        read_key(settings.imgproxy_source_url_encryption_key)
        return decrypter(FixedText(settings.imgproxy_source_url_encryption_key))
    # A secret or file of keys may have this one, too; it is read when an encrypted URL comes.
    source = environment.open_secret(settings.imgproxy_keys_secret, settings.imgproxy_keys_file, KEY_NAME)
    return decrypter(source) if source is not None else None


def _read_configuration(settings: ImgproxySettings, environment: Environment, name: str) -> Configuration:
    presets = {
        preset: text
        for preset, text in environment.presets.items()
        if isinstance(text, str) and parse_own_preset(text, preset) is not None
    }
    presets |= read_presets("IMGPROXY_PRESETS", settings.imgproxy_presets, settings.imgproxy_presets_separator)
    if settings.imgproxy_presets_path:
        text = Path(settings.imgproxy_presets_path).read_text(encoding="utf-8")
        presets |= read_presets("the file of IMGPROXY_PRESETS_PATH", text, "\n")
    unknown = [option for option in settings.imgproxy_allowed_processing_options if not is_option(option)]
    if unknown:
        raise ValueError(f"IMGPROXY_ALLOWED_PROCESSING_OPTIONS must name options, got {unknown[0]!r}")
    return Configuration(
        separator=settings.imgproxy_arguments_separator or ":",
        prefix=f"{prefix}/" if (prefix := settings.imgproxy_path_prefix.strip("/")) else "",
        presets=presets,
        service_presets=frozenset(environment.presets) - frozenset(presets),
        only_presets=environment.settings.requests.presets_only,
        has_filename=settings.imgproxy_base64_url_includes_filename,
        allowed_options=frozenset(settings.imgproxy_allowed_processing_options),
        base_url=settings.imgproxy_base_url,
        replacements=read_replacements(settings.imgproxy_url_replacements),
        allowed_sources=tuple(map(compile_pattern, settings.imgproxy_allowed_sources)),
        find_source=environment.find_source,
        quality=settings.imgproxy_quality,
        format_quality=_read_qualities(settings.imgproxy_format_quality),
        preferred=_read_formats("IMGPROXY_PREFERRED_FORMATS", settings.imgproxy_preferred_formats, WRITTEN)
        or Configuration().preferred,
        skipped=_read_formats("IMGPROXY_SKIP_PROCESSING_FORMATS", settings.imgproxy_skip_processing_formats),
        keeps_animations=settings.imgproxy_max_animation_frames > 1,
        strips_metadata=settings.imgproxy_strip_metadata,
        keeps_copyright=settings.imgproxy_keep_copyright,
        draws_svg=settings.imgproxy_always_rasterize_svg,
        decrypt=_open_decryption(settings, environment),
        watermark=_read_watermark(settings.imgproxy_watermark, environment),
        watermark_opacity=settings.imgproxy_watermark_opacity,
        is_alone=environment.names == (name,),
    )


def _read_watermark(url: str, environment: Environment) -> ObjectRef | None:
    if not url:
        return None
    found = environment.find_source(url)
    if found is None:
        raise ValueError(f"IMGPROXY_WATERMARK_URL must be the URL of an image in SOURCE_BUCKETS, got {url[:60]!r}")
    return found


def _read_qualities(pairs: tuple[str, ...]) -> dict[str, int]:
    """Return the quality of each format in `webp=79,avif=63`. Raise ValueError."""
    found = {}
    for pair in pairs:
        name, _, quality = (part.strip() for part in pair.partition("="))
        if not is_format(name) or not quality.isdecimal() or not 1 <= int(quality) <= 100:
            raise ValueError(f"IMGPROXY_FORMAT_QUALITY must be format=quality,… with 1 to 100, got {pair[:40]!r}")
        found[name] = int(quality)
    return {**Configuration().format_quality, **found}


def _read_formats(setting: str, names: tuple[str, ...], known: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the names of formats as this service writes them. Raise ValueError."""
    ours = tuple(OWN_NAMES.get(name, name) for name in names)
    for name in ours:
        if not is_format(name) or (known and name not in known):
            raise ValueError(f"{setting} must be a list of formats ({', '.join(known)}), got {name[:40]!r}")
    return ours
