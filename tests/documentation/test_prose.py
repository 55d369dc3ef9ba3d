"""The pages for users are written in short, plain, active sentences (`prose_rules.py`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.documentation import prose_rules
from tests.documentation.pages import GUIDES, ROOT, name_of, prose


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_the_prose_of_a_page_reads_well(page: Path) -> None:
    assert prose_rules.faults(page) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Simply open the page.", "Simply: leave it out"),
        ("It is a robust service, e.g. for images.", "robust: leave it out"),
        ("At the end of the day it is a very fast service.", "cliches"),
        ("The image is is resized.", "lexical_illusions"),
        (f"Open the page {'and then open another one ' * 10} at last.", "make two sentences"),
        ("The image is fetched by it. The result is then sent to you. The answer is not stored at all.", "passive"),
    ],
)
def test_a_bad_sentence_would_be_found(text: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    monkeypatch.setattr(prose_rules, "name_of", lambda path: path.name)
    assert any(fault in found for found in prose_rules.faults(page))


def test_code_is_not_read() -> None:
    page = next(page for page in GUIDES if page == ROOT / "docs" / "signing.md")
    assert "createHmac" not in prose(page)
