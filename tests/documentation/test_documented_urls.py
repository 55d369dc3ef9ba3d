"""Every URL of the documentation is answered as its page says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests import pdfs
from tests.client import Client
from tests.documentation.pages import DOCS, GUIDES, Block, blocks, inline_code, name_of
from tests.hdr_sheet import NAME, make_original
from tests.local_server import SAMPLES
from tests.ultra_hdr import ultra_hdr
from tests.weights import WEIGHTS

LINE = re.compile(r"^(?:http://127\.0\.0\.1:8000|https://d111111abcdef8\.cloudfront\.net)?(/[^\s`]+)")
QUERY = re.compile(r"\?[\w.]+(=|$)")
IN_TABLES = re.compile(r"/(photos|unsafe|_canvas|_key|300x200)[/?]\S+")
WITH_MODEL = re.compile(r"cutout|removeBackground")
BILLED = re.compile(r"contentModeration|labels=|moderation")
PREFIXES = ("/_demo/", "/_gallery/", "/_api/", "?sslmode=")
"""What the server of `test_documented_commands.py` answers, or another service."""
OTHERS = {
    "docs/compatibility.md": "tests/test_compatibility.py and the tests of the dialects send its queries",
    "docs/cutout.md": "tests/test_sheet.py draws its URLs",
    "docs/compose.md": "tests/test_sheet.py draws its URLs",
    "docs/redact.md": "tests/test_sheet.py draws its URLs",
    "docs/text.md": "tests/test_sheet.py draws its URLs",
}
"""Pages whose URLs another test requests."""
EXCEPTIONS = {
    "/unsafe/rs:fill:300:200/g:no/plain/photos/cat.jpg@webp": "imgproxy's language is off by default",
    "/unsafe/stretch/300x200/filters:hue(90)/photos/cat.jpg": "imagor's language is off by default",
    "/unsafe/300x200/shop.example.com/cat.jpg": "names a host that has to be configured",
    "/photos/300x200/cat.jpg": "a size behind a folder, which lenient mode reads",
    "/_key/300x200/cat.jpg": "the key of an object that the samples do not have",
    "?ver=5": "a parameter of another site, which IGNORED_PARAMETERS removes",
    "?size=large": "the same",
    "?page=2": "the same, as a parameter of a shop; the sample has one page",
    "?preset=": "the beginning of a query",
}
"""URLs that the samples do not answer, and why."""


def _found() -> list[tuple[str, str]]:
    found = []
    for page in GUIDES:
        lines = [line for block in blocks(page, "") for line in block.code.splitlines()]
        urls = [match[1] for line in lines if (match := LINE.match(line))]
        queries = [code for code in inline_code(page) if QUERY.match(code)]
        paths = [match[0] for code in inline_code(page) if (match := IN_TABLES.fullmatch(code))]
        found += [(name_of(page), url) for url in (*urls, *queries, *paths) if name_of(page) not in OTHERS]
    return sorted(set(found))


FOUND = _found()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    """A service with the samples and with the files that pages make up."""
    folder = tmp_path_factory.mktemp("source")
    (folder / "logo.png").write_bytes((SAMPLES / "logo.png").read_bytes())
    (folder / "photos").mkdir()
    for photo in (SAMPLES / "photos").iterdir():
        (folder / "photos" / photo.name).write_bytes(photo.read_bytes())
    (folder / "photos" / "beach.jpg").write_bytes(ultra_hdr())
    (folder / NAME).write_bytes(make_original())
    (folder / "papers").mkdir()
    (folder / "papers" / "report.pdf").write_bytes(pdfs.pages(b"0 0 200 300", b"0 0 200 300", b"0 0 300 200"))
    presets = {
        name: preset for block in blocks(DOCS / "presets.md", "json") for name, preset in json.loads(block.code).items()
    }
    return Client(
        {
            "SOURCE_BUCKETS": f"samples=file://{folder},other=file://{folder}",
            "VISION": "local",
            "PUBLIC_FEATURES": "*",
            "PDF_SOURCES": "Yes",
            "PRESETS": json.dumps(presets),
            "WEIGHTS": str(WEIGHTS),
        }
    )


@pytest.mark.parametrize(
    ("page", "url"),
    [pytest.param(*each, marks=[pytest.mark.models] if WITH_MODEL.search(each[1]) else []) for each in FOUND],
    ids=[" ".join(each) for each in FOUND],
)
def test_a_url_of_the_documentation_is_answered(client: Client, page: str, url: str) -> None:
    del page
    url = re.sub(r"[?&]signature=….*", "", url)
    if "…" in url or url in EXCEPTIONS or url.startswith(PREFIXES):
        return
    url = f"/photos/cat.jpg{url}" if url.startswith("?") else url
    answer = client.get(url)
    if "widht" in url:
        assert answer.status == 400
    elif BILLED.search(url):
        assert answer.status == 501, "Rekognition is not there"
    else:
        assert answer.status == 200, answer.body


def test_there_are_urls() -> None:
    assert len(FOUND) > 45
    assert {page for page, _ in FOUND} > {"README.md", "docs/urls.md", "docs/quantize.md", "docs/pdf.md"}


def test_every_exception_is_needed() -> None:
    urls = [url for _, url in FOUND]
    assert [each for each in EXCEPTIONS if each not in urls] == []


def test_the_sheets_are_those_of_pages() -> None:
    assert all((DOCS.parent / name).is_file() for name in OTHERS)


def test_the_answer_to_a_mistake_is_the_documented_one(client: Client) -> None:
    for page in ("tutorial.md", "troubleshooting.md"):
        (block, *_) = [block for block in blocks(DOCS / page, "json") if "widht" in block.code]
        answer = client.get("/photos/cat.jpg?widht=300")
        assert answer.json() == json.loads(block.code)


EVENTS = [block for block in blocks(DOCS / "programs.md", "json") if "imageKey" in block.code]


@pytest.mark.parametrize("block", EVENTS, ids=str)
def test_an_event_of_the_page_about_programs_is_answered(client: Client, block: Block) -> None:
    answer = client.invoke(json.loads(block.code))
    assert answer["statusCode"] == 200, answer


def json_blocks() -> list[tuple[Path, str]]:
    return [(page, block.code) for page in GUIDES for block in blocks(page, "json")]


@pytest.mark.parametrize(
    ("page", "code"), json_blocks(), ids=lambda value: name_of(value) if isinstance(value, Path) else ""
)
def test_a_block_of_json_is_json(page: Path, code: str) -> None:
    del page
    code = code.replace(", …", "")
    json.loads(code if code.lstrip().startswith(("{", "[")) else "{" + code + "}")
