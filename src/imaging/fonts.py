"""The fonts of texts and drawings: those that this project ships, and those of the operator.

fontconfig, which libvips uses, would otherwise find whatever the machine has: a container has nothing, and a text would
be a row of empty boxes. It reads the name of its configuration from the environment when it is first needed, so that
`use_shipped_fonts` must have been called before any text is drawn, and before the fork server starts.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

FAMILIES = {"sans": "Inter", "serif": "Source Serif 4", "mono": "JetBrains Mono"}
"""The generic families and what they stand for."""
_PACKAGES = (
    "fontpkg_inter",
    "fontpkg_source_serif_4",
    "fontpkg_jetbrains_mono",
    "manimgx_fonts",
    "manimgx_fonts_cjk",
)
"""The packages with fonts, as far as they are installed: the last one, of 33 MB, is optional."""
_GENERIC = {"sans": "sans-serif", "serif": "serif", "mono": "monospace"}
_SUFFIXES = frozenset({".ttf", ".otf", ".ttc", ".otc", ".woff", ".woff2"})
_folders: list[str] = []
_sources: list[Callable[[], Mapping[str, bytes]]] = []
_lock = threading.RLock()


def add_font_folder(folder: str) -> None:
    """Add a folder with fonts (TrueType, OpenType, WOFF). To be called before anything is drawn."""
    _folders.append(folder)


def add_font_source(fetch: Callable[[], Mapping[str, bytes]]) -> None:
    """Add fonts that are fetched when the first text or drawing needs them, as files by their names.

    What `fetch` raises is raised to the caller who needs them, and the next one tries again.
    """
    _sources[:] = [fetch]
    _write_configuration.cache_clear()


def is_font_file(name: str) -> bool:
    """Return whether a file has the suffix of a font."""
    return Path(name).suffix.lower() in _SUFFIXES


def use_shipped_fonts() -> dict[str, str]:
    """Let fontconfig find the shipped fonts and those of the added folders, and no others, in this process.

    Returns the variables of the environment by which another process finds the same. The file that they name is written
    again if it is gone, as /tmp may be where Lambda restores the process from a snapshot.
    """
    with _lock:
        if not Path((variables := _write_configuration())["FONTCONFIG_FILE"]).exists():
            _write_configuration.cache_clear()
            variables = _write_configuration()
    return variables


def has_family(name: str) -> bool:
    """Whether a text can be written in this family, or in a style of it such as Inter Light."""
    words = name.lower().split()
    return any("".join(words[:count]) in _read_families() for count in range(1, len(words) + 1))


@cache
def _read_families() -> frozenset[str]:
    """Return the names of all families in lower case and without blanks: fontconfig compares them like that."""
    from PIL import ImageFont  # noqa: PLC0415 - most requests draw no text

    names = set()
    fetched = Path(use_shipped_fonts()["FONTCONFIG_FILE"]).parent
    for folder in (*_shipped_folders(), *map(Path, _folders), fetched):
        for file in sorted(folder.rglob("*")):
            if is_font_file(file.name):
                try:
                    names.add(str(ImageFont.truetype(file).getname()[0]).lower().replace(" ", ""))
                except OSError:
                    # fontconfig ignores a file that is not a font, too.
                    continue
    return frozenset(names)


def _shipped_folders() -> list[Path]:
    from importlib.util import find_spec  # noqa: PLC0415 - most requests draw no text

    specs = [find_spec(package) for package in _PACKAGES]
    packages = [Path(spec.origin).parent for spec in specs if spec and spec.origin]
    return [files if (files := package / "files").is_dir() else package for package in packages]


@cache
def _write_configuration() -> dict[str, str]:
    import atexit  # noqa: PLC0415 - most requests draw no text
    import shutil  # noqa: PLC0415 - see above
    import tempfile  # noqa: PLC0415 - see above

    fetched = {name: body for fetch in _sources for name, body in fetch().items()}
    _read_families.cache_clear()
    # The folder stays for the processes that this one starts.
    folder = Path(tempfile.mkdtemp(prefix="fonts-"))
    creator = os.getpid()
    atexit.register(lambda: shutil.rmtree(folder, ignore_errors=True) if os.getpid() == creator else None)
    for name, body in fetched.items():
        (folder / Path(name).name).write_bytes(body)
    file = folder / "fonts.conf"
    file.write_text(_configuration([*map(str, _shipped_folders()), *_folders, str(folder)]), encoding="utf-8")
    variables = {"FONTCONFIG_FILE": str(file)}
    os.environ.update(variables)
    return variables


def _configuration(folders: list[str]) -> str:
    from html import escape  # noqa: PLC0415 - most requests draw no text

    directories = "".join(f"<dir>{escape(folder)}</dir>" for folder in folders)
    aliases = "".join(
        f'<alias binding="same"><family>{_GENERIC[name]}</family><prefer><family>{family}</family></prefer></alias>'
        for name, family in FAMILIES.items()
    )
    # What no folder has is drawn with the sans-serif font.
    fallback = '<match target="pattern"><edit name="family" mode="append_last"><string>Inter</string></edit></match>'
    return (
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">'
        f"<fontconfig>{directories}{aliases}{fallback}</fontconfig>"
    )
