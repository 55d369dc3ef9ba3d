"""A case, and what came of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

IMGPROXY_KEY, IMGPROXY_SALT = b"a key of the tests", b"a salt of the tests"
SECRET, ORIGIN = "a secret of the tests", "the secret of the CDN"
REGRESSIONS = Path(__file__).parent / "regressions"


class Case(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request, and what is in the store beside the originals that are always there."""

    part: str
    address: str
    configuration: str = "open"
    kind: str = "function-url"
    """The event that carries it: one of `tests/events`."""
    headers: dict[str, str] = {}
    body: bytes = b""
    """The file behind `mutated.bin`."""
    original: str = ""
    """The signed address of which `address` is a mutant."""

    @property
    def name(self) -> str:
        return f"{self.part}-{hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:12]}.json"


class Outcome(msgspec.Struct, frozen=True):
    """An answer's status, and what is wrong with it, if anything is."""

    status: int = 0
    fault: str = ""
    seconds: float = 0.0
    """Of a processor, all threads and child processes together."""
    grown: int = 0
    """Megabytes by which memory grew at most meanwhile."""
    detail: str = ""
    """The last lines of what a worker wrote before it crashed, or where it hung."""


def keep(case: Case, folder: Path = REGRESSIONS) -> Path:
    """Store the case; returns its file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / case.name
    path.write_bytes(msgspec.json.format(msgspec.json.encode(case), indent=1) + b"\n")
    return path


def kept(folder: Path = REGRESSIONS) -> dict[str, Case]:
    """Every stored case by the name of its file."""
    return {path.name: msgspec.json.decode(path.read_bytes(), type=Case) for path in sorted(folder.glob("*.json"))}
