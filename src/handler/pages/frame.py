"""The HTML frame that all pages share: policy, head, icons and header."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

FRAME = "frame"
"""Folder beside the pages: `page.html` is the frame, and each other file is a part that any page may include."""
MESSAGES = "messages"
"""Folder beside the pages with a file of texts for each language; `{{languages}}` in a page lists them."""
ANY_HOST = ("https:",)
"""For a page in a bucket, which cannot know the host of the store; the policy in the CDN's header names it."""
_PART = re.compile(r"^<!-- part: ([\w-]+) -->\n", re.MULTILINE)
_SLOT = re.compile(r"\{\{([\w-]+)\}\}")
_SITES = "sites"
"""The shared part with a line for each page of a service that another may link to; a page has those that are served."""
_HREF = re.compile(r'href="([^"]+)"')
_IMPORT = re.compile(r"""^(?:import|export)\b[^"';]*["'](\.[^"']+)["'];""", re.MULTILINE)


def read_page(path: Path, origins: Sequence[str] = ANY_HOST, linked: Collection[str] = ()) -> bytes:
    """Return a file of demo-ui; an HTML page is put into the shared frame.

    A page consists of parts, each after a line such as `<!-- part: title -->`. `fill_frame` describes them. `linked`
    are the addresses of the other pages that the service has; the header links to these.
    """
    if path.suffix != ".html":
        return path.read_bytes()
    _, *pieces = _PART.split(path.read_text(encoding="utf-8"))
    parts = {name: text.strip() for name, text in zip(pieces[::2], pieces[1::2], strict=True)}
    return fill_frame(path.parent, path.name, parts, origins, linked=linked)


def fill_frame(
    folder: Path,
    name: str,
    parts: Mapping[str, str],
    origins: Sequence[str] = (),
    base: str = "",
    linked: Collection[str] = (),
) -> bytes:
    """Return an HTML page that consists of these parts.

    A part fills the slot `{{title}}` of the frame, or of the shared part that is the page's `main`; a slot without a
    part stays empty. `origins` are those from which the page may load and to which it may send, beside its own. `base`
    is the path of `folder` for a page that is not served beside it. `linked` are the pages to which its header links.
    """
    shared = {part.stem: part.read_text(encoding="utf-8").strip() for part in (folder / FRAME).glob("*.html")}
    frame = shared.pop("page")
    shared[_SITES] = "\n".join(line for line in shared.get(_SITES, "").splitlines() if _HREF.findall(line)[0] in linked)
    languages = sorted(each.stem for each in (folder / MESSAGES).glob("*.json"))
    within = [shared[slot] for slot in _SLOT.findall(parts["main"]) if slot in shared]
    unused = set(parts) - set(_SLOT.findall("".join((frame, *within)))) - {"script"}
    if unused:
        raise ValueError(f"{name} has parts that the frame has no slot for: {', '.join(sorted(unused))}")
    filled = {
        **shared,
        "languages": " ".join(languages),
        **parts,
        "base": base,
        "origins": " ".join(origins),
        "modules": _write_modules(folder, parts["script"], base),
    }
    # A page is in the frame, a shared part in the page, and the page's texts in that part, where braces mean nothing.
    return _fill(_fill(_fill(frame, filled), filled), filled).encode()


def _fill(text: str, parts: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda slot: parts.get(slot[1], ""), text)


def _write_modules(folder: Path, script: str, base: str) -> str:
    """Return the elements that load a script, and the modules that it imports without waiting for each other."""
    modules = sorted(set(_list_imports(folder, script)))
    preloads = (f'<link rel="modulepreload" href="{base}{module}">' for module in modules)
    return "\n".join((*preloads, f'<script type="module" src="{base}{script}"></script>'))


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
