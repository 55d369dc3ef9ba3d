"""The pictures of the pages that the documents show: there, small, and those that the script takes."""

from __future__ import annotations

import re

from tests.browser.screenshots import FOLDER, GALLERY_SHOTS, SHOTS
from tests.local_server import ROOT

MOST_BYTES = 250_000


def test_each_is_there_small_and_shown() -> None:
    pages = "".join(
        (ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/demo.md", "docs/gallery.md")
    )
    shown = set(re.findall(r"images/((?:demo|gallery)[\w-]*)\.webp", pages))
    assert shown == {shot.name for shot in (*SHOTS, *GALLERY_SHOTS)}
    assert {path.stem for pattern in ("demo*", "gallery*") for path in FOLDER.glob(pattern)} == shown
    assert max(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES
