"""The pictures of the page that the documents show: there, small, and those that the script takes."""

from __future__ import annotations

import re

from tests.browser.screenshots import FOLDER, SHOTS
from tests.local_server import ROOT

MOST_BYTES = 250_000


def test_each_is_there_small_and_shown() -> None:
    pages = "".join((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/demo.md"))
    shown = set(re.findall(r"images/(demo[\w-]*)\.webp", pages))
    assert shown == {shot.name for shot in SHOTS}
    assert {path.stem for path in FOLDER.glob("demo*")} == shown
    assert max(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES
