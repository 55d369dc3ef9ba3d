"""Which files of the repository are in the documentation's site, and their paths there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[4]
"""The repository, or the folder of the container image that has the same files."""
HOME = "/_docs/"
FIRST, INDEX = "README.md", "docs/README.md"
"""The page at HOME, and the page from which the sidebar is made."""
_OWN_PATHS = {FIRST: "", INDEX: "contents"}
_PATTERNS = (
    "*.md", "LICENSE", "NOTICE", "docs/**/*.md", "docs/images/**/*.webp", "docs/images/**/*.png",
    "docs/images/**/*.svg", "bench/*.md", "samples/*.md",
    "clients/*.md", "clients/*/README.md", "clients/php/*.php", "clients/go/*.go",
)  # fmt: skip
_NOT_FOR_READERS = {"AGENTS.md", "CLAUDE.md"}
IMAGES = HOME + "images/"
_IMAGES = "docs/images/"
_ELSEWHERE = {"docs/openapi.json": "/_api/openapi.json"}
"""Files that have an address of their own in the service."""


@cache
def list_paths(root: Path = ROOT) -> Mapping[str, str]:
    """Return the URL path of each file in the site, by the file's path in the repository.

    `docs/signing.md` is at `/_docs/signing`, `bench/RESULTS.md` at `/_docs/bench/results`, and a README at the path of
    its folder. Images and texts keep their names.
    """
    names = {path.relative_to(root).as_posix() for pattern in _PATTERNS for path in root.glob(pattern)}
    return {name: HOME + _path_in_site(name) for name in sorted(names - _NOT_FOR_READERS)}


def find_link(source: str, link: str, paths: Mapping[str, str]) -> str | None:
    """Return the address in the site of a relative link in a file; None if the site does not have its target."""
    path, _, anchor = link.partition("#")
    name = normpath(PurePosixPath(source).parent.joinpath(path).as_posix()) if path else source
    address = paths.get(name) or _ELSEWHERE.get(name)
    return address and address + (f"#{anchor}" if anchor else "")


class SiteImage(NamedTuple):
    """An image of the site, with its size in pixels."""

    address: str
    width: int
    height: int


@cache
def find_image(name: str) -> SiteImage | None:
    """Return a WebP image of docs/images; None without a file of this name."""
    path = ROOT / _IMAGES / name
    if path.suffix != ".webp" or not path.is_file():
        return None
    with path.open("rb") as file:
        width, height = read_webp_size(file.read(30))
    return SiteImage(IMAGES + name, width, height)


def read_webp_size(head: bytes) -> tuple[int, int]:
    """Return width and height from the first 30 bytes of a WebP file.

    https://developers.google.com/speed/webp/docs/riff_container
    """
    kind, body = head[12:16], head[20:]
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF


def _path_in_site(name: str) -> str:
    if name in _OWN_PATHS:
        return _OWN_PATHS[name]
    path = PurePosixPath(name.removeprefix("docs/"))
    if path.suffix != ".md":
        return path.as_posix()
    return (path.parent if path.name == "README.md" else path.with_suffix("")).as_posix().lower()
