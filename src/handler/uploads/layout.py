"""The keys of variants in OUTPUT_BUCKET."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from string import Formatter

import msgspec

from handler.core.errors import BadRequest
from handler.storage.sources.keys import is_invalid
from handler.uploads.presets import UploadPreset
from imaging import FORMATS, ObjectRef

LAYOUTS: Mapping[str, str] = {"folders": "{preset}/{bucket}/{key}", "suffixes": "{key}.{preset}.{ext}"}
"""Names of templates that OUTPUT_KEY takes in place of a template."""
_FIELDS = ("preset", "bucket", "key", "stem", "ext", "format", "width", "height")
_SAMPLES = ("photos/2026/cat.jpg", "cat")


class OutputLayout(msgspec.Struct, frozen=True):
    """Derives the output keys of an original from its source and key alone, so that they are known without it."""

    presets: Sequence[UploadPreset] = ()
    without: str = ""
    """A source whose originals have no variants: GALLERY_SOURCE, because others may read what is in OUTPUT_BUCKET."""

    def keys_of(self, ref: ObjectRef) -> dict[str, UploadPreset]:
        """Return the preset of each output key. Raise BadRequest if two presets have one key, or a key is invalid."""
        keys: dict[str, UploadPreset] = {}
        for preset in self.presets if not self.without or ref.bucket != self.without else ():
            key = _fill(preset, ref)
            if is_invalid(key):
                raise BadRequest(f"the output key of preset `{preset.name}` must be valid, got `{key[:60]}`")
            if key in keys:
                raise BadRequest(f"`{preset.name}` and `{keys[key].name}` have the same output key `{key[:200]}`")
            keys[key] = preset
        return keys

    def faults(self, sources: Sequence[str]) -> list[str]:
        """Return a line for each fault of the templates; `sources` are the names of all sources."""
        faults = [
            f"OUTPUT_KEY, for preset `{preset.name}`, {fault}"
            for preset in self.presets
            if (fault := _fault(preset, sources))
        ]
        if not faults:
            for sample in _SAMPLES:
                try:
                    self.keys_of(ObjectRef(next((each for each in sources if each != self.without), "bucket"), sample))
                except BadRequest as error:
                    return [f"OUTPUT_KEY must give each variant a key of its own: {error.message}"]
        return faults


def _fault(preset: UploadPreset, sources: Sequence[str]) -> str | None:
    """Return what is wrong with the template of a preset, None if it is valid."""
    try:
        fields = {name for _, name, spec, conversion in Formatter().parse(preset.template) if name is not None}
        has_format = any(spec or conversion for _, _, spec, conversion in Formatter().parse(preset.template))
    except ValueError as error:
        return f"must be a template, got `{preset.template}`: {error}"
    if has_format or fields - set(_FIELDS):
        return "must be a template with " + ", ".join(f"{{{name}}}" for name in _FIELDS) + f", got `{preset.template}`"
    if not fields & {"key", "stem"}:
        return f"must contain {{key}} or {{stem}}, or all originals would have one output key, got `{preset.template}`"
    if len(sources) > 1 and "bucket" not in fields:
        return (
            f"must contain {{bucket}}, or equal keys of different sources would have one output key, got "
            f"`{preset.template}`"
        )
    if fields & {"ext", "format"} and not preset.format:
        return "needs a preset that names a format, because it contains {ext} or {format}"
    missing = [name for name, side in zip(("width", "height"), preset.size, strict=True) if name in fields and not side]
    return f"needs a preset that resizes to a {missing[0]}, because it contains {{{missing[0]}}}" if missing else None


def _fill(preset: UploadPreset, ref: ObjectRef) -> str:
    """Return the template with the values of a preset and an original."""
    width, height = preset.size
    return preset.template.format(
        preset=preset.name,
        bucket=ref.bucket,
        key=ref.key,
        stem=posixpath.splitext(ref.key)[0],
        ext=_extension(preset.format) if preset.format else "",
        format=preset.format,
        width=width or "",
        height=height or "",
    )


def _extension(name: str) -> str:
    return next(record.extensions[0] for record in FORMATS if record.name == name)
