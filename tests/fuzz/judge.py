"""Asks the real handler, and says what must never be."""

from __future__ import annotations

import contextlib
import io
import json
import re
import resource
import time
from pathlib import Path
from typing import Any

from tests import pictures
from tests.client import Answered, Client, answered
from tests.fuzz.case import IMGPROXY_KEY, IMGPROXY_SALT, ORIGIN, SECRET, Case, Outcome
from tests.fuzz.events import event_of

BUDGET = 400_000_000
"""Bytes that one request may take."""
WORK = 5
"""Seconds of a processor that one request may take, as the handler reckons before."""
REFUSED, ANSWERED = 0.5, 2.0 * WORK
"""Seconds of a processor within which a request is refused, and answered. The deadline is far off: this is counted in
processor time, so that other work of the machine is no fault.
"""
REFUSALS = (400, 403, 404, 405, 406, 410, 414, 415)
"""Statuses of what is refused before any pixel is decoded."""
NOT_OURS = (501,)
"""A model or service that is not set up."""
OPEN_PAGES = re.compile(r"/*(?:$|_health|_ready|_api/|_demo|favicon|robots)")
"""Paths that need no signature, beside those of pictures."""

_LIMITS = {
    "MAX_RESULT_SIDE": "1024", "MAX_RESULT_PIXELS": "300000", "MAX_AVIF_PIXELS": "60000", "MAX_GIF_PIXELS": "100000",
    "MAX_SOURCE_PIXELS": "4000000", "MAX_ANIMATION_PIXELS": "4000000", "MAX_SECONDS": "100",
    "MEMORY_BUDGET": str(BUDGET), "WORK_BUDGET": str(WORK), "LOG_LEVEL": "ERROR", "WEIGHTS": "/nonexistent",
}  # fmt: skip
_PRESETS = json.dumps(
    {"thumb": {"resize": {"width": 20}}, "soft": "blur=2&format=webp", "marked": "watermark=logo.png"}
)
CONFIGURATIONS: dict[str, dict[str, str]] = {
    "open": {"PUBLIC_FEATURES": "*", "PDF_SOURCES": "Yes"},
    "default": {},
    "signed": {"ENABLE_SIGNATURE": "Yes", "PUBLIC_FEATURES": "*", "PRESETS": _PRESETS},
    "behind": {"ENABLE_SIGNATURE": "Yes", "PUBLIC_FEATURES": "*", "PRESETS": _PRESETS},
    "presets": {"PRESETS_ONLY": "Yes", "PRESETS": _PRESETS},
    "always": {
        "ALWAYS": '{"watermark": {"key": "logo.png", "width": 9}}', "SOURCE_PATHS": "old/=other", "CLIENT_HINTS": "Yes",
        "AUTO_FORMAT": "Yes", "CORS_ENABLED": "Yes", "ENABLE_DEFAULT_FALLBACK_IMAGE": "Yes",
        "DEFAULT_FALLBACK_IMAGE_KEY": "logo.png", "PRESETS": _PRESETS, "DEFAULT_PRESET": "thumb",
    },
    "rewritten": {
        "REWRITE_MATCH_PATTERN": r"/^\/(?<a>[^\/]*)\/(.*)$/", "REWRITE_SUBSTITUTION": "/fit-in/$<a>/$2$$",
        "AUTO_WEBP": "Yes",
    },
    "kept": {"STORE_RESULTS": "Yes", "MAX_ANSWER_BYTES": "3000", "PUBLIC_FEATURES": "*"},
    "imgproxy": {
        "DIALECTS": "imgproxy,json,thumbor,query", "PUBLIC_FEATURES": "*", "PRESETS": _PRESETS,
        "IMGPROXY_PRESETS": "small=rs:fill:20:20/q:50,grow=z:3/-/pd:5", "IMGPROXY_WATERMARK_URL": "logo.png",
        "IMGPROXY_MAX_ANIMATION_FRAMES": "9",
    },
    "imgproxy-signed": {
        "DIALECTS": "imgproxy,thumbor,query", "ENABLE_SIGNATURE": "Yes", "PUBLIC_FEATURES": "*",
        "IMGPROXY_KEY": IMGPROXY_KEY.hex(), "IMGPROXY_SALT": IMGPROXY_SALT.hex(),
    },
    "lenient": {"COMPATIBILITY": "lenient", "PUBLIC_FEATURES": "*"},
    "moved": {
        "COMPATIBILITY": "lenient", "IGNORED_PARAMETERS": "aws", "ENABLE_SIGNATURE": "Yes", "PUBLIC_FEATURES": "*",
        "PRESETS": _PRESETS,
    },
    "tolerant": {"TOLERATE_TRUNCATED": "Yes", "PUBLIC_FEATURES": "*"},
}  # fmt: skip
ORIGINALS = (
    *("cat.jpg", "logo.png", "film.gif", "dot.png", "grey.png", "deep.png", "photo.webp", "drawing.svg", "icon.ico"),
    *("small.avif", "wide.jpg", "private/cat.jpg", "é ü.jpg"),
)


def _planted(folder: Path) -> None:
    scene = pictures.scene(48, 36)
    other: Any = pictures.scene(48, 36, turn=120)
    dot: Any = pictures.scene(8, 8).crop(0, 0, 1, 1)
    bodies = (
        *(pictures.jpeg(scene), pictures.png(pictures.scene_with_alpha(30, 20)), pictures.gif(pictures.film(24, 18))),
        *(pictures.png(dot), pictures.png(scene.colourspace("b-w")), pictures.png(pictures.deep(scene))),
        *(pictures.webp(scene), pictures.svg(40, 30), pictures.ico((16, 32)), pictures.avif(scene)),
        *(pictures.jpeg(pictures.scene(600, 400)), pictures.jpeg(other), pictures.jpeg(other.fliphor())),
    )
    for name, body in zip(ORIGINALS, bodies, strict=True):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(body)


class Judge:
    """Clients of all configurations, over one folder of tiny originals."""

    def __init__(self, folder: Path) -> None:
        self.pictures = folder / "pictures"
        self.pictures.mkdir()
        _planted(self.pictures)
        (folder / "secret").write_text(SECRET)
        (folder / "origin").write_text(ORIGIN)
        (folder / "results").mkdir()
        self.places = {
            "behind": {"ORIGIN_SECRET_FILE": str(folder / "origin")},
            "kept": {"RESULTS_BUCKET": f"results={(folder / 'results').as_uri()}"},
        }
        sources = f"p={self.pictures.as_uri()},other={(self.pictures / 'private').as_uri()}"
        self.environment = {"SOURCE_BUCKETS": sources, "SIGNATURE_SECRET_FILE": str(folder / "secret"), **_LIMITS}
        self.clients: dict[str, Client] = {}
        self.good: tuple[int, bytes] | None = None
        self.asked = 0

    def judge(self, case: Case) -> Outcome:
        """Ask, and once more where it was slow: that tells whether it is, or came with a first use."""
        if case.body:
            (self.pictures / "mutated.bin").write_bytes(case.body)
        outcome = self._judged(case)
        if outcome.fault.startswith("slow"):
            outcome = self._judged(case)
        self.asked += 1
        # Where pixels were at fault, and now and then.
        looks = outcome.status in (422, 500) or self.asked % 50 == 1
        if outcome.fault or not looks or not self._is_poisoned():
            return outcome
        return Outcome(outcome.status, f"poisoned: {_told(self.log)}")

    def _judged(self, case: Case) -> Outcome:
        before, started = _resident(), _processor_seconds()
        try:
            answer = self._ask(case, case.address)
        except Exception as error:  # noqa: BLE001 - whatever leaves the handler is what is looked for
            return Outcome(fault=f"raised {type(error).__name__}: {error}")
        seconds, grown = _processor_seconds() - started, max(0, _peak() - before)
        fault = (
            self._wrong(case, answer)
            or (seconds > (REFUSED if answer.status in REFUSALS else ANSWERED) and f"slow: {answer.status}")
            or (grown > BUDGET * 1.15 and f"memory: {answer.status}")
            or ""
        )
        return Outcome(answer.status, fault, round(seconds, 3), grown // 1_000_000)

    def _ask(self, case: Case, address: str) -> Answered:
        client = self.clients.get(case.configuration)
        if client is None:
            more = self.places.get(case.configuration, {})
            client = Client(self.environment | CONFIGURATIONS[case.configuration] | more)
            self.clients[case.configuration] = client
        _forget_peak()
        with contextlib.redirect_stdout(io.StringIO()) as log:
            raw = client.invoke(event_of(case.kind, address, case.headers), seconds=110)
        self.log = log.getvalue()
        json.dumps(raw)
        return answered(raw)

    def _wrong(self, case: Case, answer: Answered) -> str:
        if answer.status >= 500 and answer.status not in NOT_OURS:
            return f"{answer.status}: {_told(self.log) or answer.body[:200].decode(errors='replace')}"
        if not 200 <= answer.status < 600:
            return f"no status: {answer.status}"
        if answer.status >= 400 and answer.headers.get("Content-Type") == "application/json":
            words = answer.json()
            if not {"status", "code", "message"} <= set(words) or len(answer.body) > 3000:
                return f"no refusal: {answer.body[:200].decode(errors='replace')}"
        return self._passes_for_another(case, answer) if case.original else ""

    def _passes_for_another(self, case: Case, answer: Answered) -> str:
        """A mutant of a signed address that is accepted means what was signed: it has the same answer."""
        is_missing = answer.status == 404 and answer.json().get("code") == "NoSuchKey"
        if (answer.status in REFUSALS and not is_missing) or OPEN_PAGES.match(case.address):
            return ""
        signed = self._ask(case, case.original)
        if signed.status != 200:
            return f"the signed address is refused: {signed.status}"
        same = (signed.status, signed.body, signed.headers["Content-Type"]) == (
            answer.status, answer.body, answer.headers.get("Content-Type"),
        )  # fmt: skip
        return "" if same else f"accepted with another meaning: {answer.status}"

    def _is_poisoned(self) -> bool:
        """Whether a good picture is no longer made as before."""
        good = self._ask(Case("good", "/logo.png?width=9&blur=1&format=png"), "/logo.png?width=9&blur=1&format=png")
        self.good = self.good or (good.status, good.body)
        return (good.status, good.body) != self.good or good.status != 200


def _told(log: str) -> str:
    """The last lines of the traceback that the handler logged."""
    for line in log.splitlines():
        with contextlib.suppress(ValueError):
            told = json.loads(line)
            if isinstance(told, dict) and "exception" in told:
                return " | ".join(part.strip() for part in str(told["exception"]).strip().splitlines()[-3:])
    return ""


def _processor_seconds() -> float:
    return time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


def _resident() -> int:
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")
