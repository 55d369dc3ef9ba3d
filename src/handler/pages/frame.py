"""The HTML frame that the pages of demo-ui share: policy, head, icons and header."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

FRAME = "frame"
"""Folder beside the pages: `page.html` is the frame, and each other file is a part that any page may include."""
MESSAGES = "messages"
"""Folder beside the pages with a file of texts for each language; `{{languages}}` in a page lists them."""
ANY_HOST = ("https:",)
"""For a page in a bucket, which cannot know the host of the store; the policy in the CDN's header names it."""
_PART = re.compile(r"^<!-- part: ([\w-]+) -->\n", re.MULTILINE)
_SLOT = re.compile(r"\{\{([\w-]+)\}\}")
_IMPORT = re.compile(r"""^(?:import|export)\b[^"';]*["'](\.[^"']+)["'];""", re.MULTILINE)


def read_page(path: Path, origins: Sequence[str] = ANY_HOST) -> bytes:
    """Return a file of demo-ui; an HTML page is put into the shared frame.

    A page consists of parts, each after a line such as `<!-- part: title -->`. A part fills the slot `{{title}}` of the
    frame, and a slot without a part stays empty. `origins` are those from which the page may load and to which it may
    send, beside its own.
    """
    if path.suffix != ".html":
        return path.read_bytes()
    _, *pieces = _PART.split(path.read_text(encoding="utf-8"))
    parts = {name: text.strip() for name, text in zip(pieces[::2], pieces[1::2], strict=True)}
    shared = {part.stem: part.read_text(encoding="utf-8").strip() for part in (path.parent / FRAME).glob("*.html")}
    frame = shared.pop("page")
    languages = sorted(each.stem for each in (path.parent / MESSAGES).glob("*.json"))
    parts |= shared | {"origins": " ".join(origins), "languages": " ".join(languages)}
    parts["modules"] = _write_modules(path.parent, parts["script"])
    unused = set(parts) - set(_SLOT.findall(frame)) - set(shared) - {"script", "languages"}
    if unused:
        raise ValueError(f"{path.name} has parts that the frame has no slot for: {', '.join(sorted(unused))}")
    return _fill(_fill(frame, parts), parts).encode()


def _fill(text: str, parts: dict[str, str]) -> str:
    return _SLOT.sub(lambda slot: parts.get(slot[1], ""), text)


def _write_modules(folder: Path, script: str) -> str:
    """Return the elements that load a script, and the modules that it imports without waiting for each other."""
    preloads = (f'<link rel="modulepreload" href="{module}">' for module in sorted(set(_list_imports(folder, script))))
    return "\n".join((*preloads, f'<script type="module" src="{script}"></script>'))


def _list_imports(folder: Path, script: str) -> Iterator[str]:
    """Yield the addresses of all modules that a script imports, directly or not."""
    seen, waiting = {script}, [script]
    while waiting:
        module = folder / waiting.pop()
        for imported in _IMPORT.findall(module.read_text(encoding="utf-8")):
            name = (module.parent / imported).resolve().relative_to(folder.resolve()).as_posix()
            if name not in seen:
                seen.add(name)
                waiting.append(name)
                yield name
