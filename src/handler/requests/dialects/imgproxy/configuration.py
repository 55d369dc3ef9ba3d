"""What the settings say about this dialect, and the presets in its own syntax."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec

from imaging import ObjectRef


def _default_source(url: str) -> ObjectRef | None:
    """Return the key of a URL without any settings: a path in the default source, or the URL itself."""
    if url.startswith("local://"):
        return ObjectRef("", url.removeprefix("local://").partition("/")[2].lstrip("/"))
    return ObjectRef("", url)


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of the dialect, which `handler.composition` fills in."""

    separator: str = ":"
    prefix: str = ""
    """What every path of the dialect begins with, such as `img/`."""
    presets: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Options by the name of the preset."""
    service_presets: frozenset[str] = frozenset()
    """Names of presets in other dialects."""
    only_presets: bool = False
    has_filename: bool = False
    """Whether the last segment behind a source in base64 is a name for search engines."""
    allowed_options: frozenset[str] = frozenset()
    """The options that a URL may use, by the names that it writes; empty: all of them."""
    base_url: str = ""
    replacements: tuple[tuple[re.Pattern[str], str], ...] = ()
    allowed_sources: tuple[re.Pattern[str], ...] = ()
    find_source: Callable[[str], ObjectRef | None] = _default_source
    """Returns where the original of a URL is stored, None if that is not in any source."""
    quality: int = 0
    format_quality: Mapping[str, int] = msgspec.field(default_factory=lambda: {"webp": 79, "avif": 63})
    preferred: tuple[str, ...] = ("jpeg", "png", "gif")
    skipped: tuple[str, ...] = ()
    keeps_animations: bool = False
    strips_metadata: bool = True
    keeps_copyright: bool = False
    draws_svg: bool = False
    """Whether an SVG is drawn even if no format is requested."""
    decrypt: Callable[[str], str | None] | None = None
    """Decrypts source URLs, and returns None for what it cannot; None where no key is set."""
    watermark: ObjectRef | None = None
    watermark_opacity: float = 1.0
    is_alone: bool = False
    """Whether this is the only dialect with signatures, so that any first segment is a signature."""


def read_presets(setting: str, text: str, separator: str = ",") -> dict[str, str]:
    """Parse presets: `name=options,name=options`, or one on each line with `#` before a comment.

    Raise ValueError, which names the setting, for anything else.
    """
    presets: dict[str, str] = {}
    for line in text.splitlines():
        for entry in [] if line.strip().startswith("#") else line.split(separator):
            if not entry.strip():
                continue
            name, equals, options = (part.strip() for part in entry.partition("="))
            if not equals or not name or not options or "=" in options:
                raise ValueError(f"{setting} must be name=options, got {entry.strip()[:60]!r}")
            presets[name] = options
    return presets


def read_replacements(text: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Parse `pattern=replacement;…`, in which `*` stands for text without a slash. Raise ValueError."""
    found = []
    for entry in filter(None, text.split(";")):
        pattern, equals, replacement = entry.partition("=")
        if not equals or not pattern:
            raise ValueError(f"IMGPROXY_URL_REPLACEMENTS must be pattern=replacement;…, got {entry[:60]!r}")
        # `${1}` is the first wildcard; a backslash has no meaning.
        template = re.sub(r"\$\{(\d+)\}|\$(\d+)", r"\\g<\1\2>", replacement.replace("\\", r"\\"))
        found.append((compile_pattern(pattern), template))
    return tuple(found)


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return the expression of the beginning of a URL, in which `*` stands for text without a slash."""
    return re.compile("([^/]*)".join(map(re.escape, pattern.split("*"))))
