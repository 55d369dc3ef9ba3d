"""The HTML frame that the pages of demo-ui share."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handler.pages import DEMO, FOLDER, GALLERY, gallery, list_files, read_page

FRAME = '<head>{{head}}{{modules}}</head><body class="{{class}}">{{note}}<h1>{{title}}</h1>{{main}}</body> {{origins}}'
PAGE = """<!-- part: title -->
A title
<!-- part: script -->
js/one.js
<!-- part: main -->
<main>
  {{note}}
</main>
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "frame/page.html": FRAME,
        "frame/note.html": "<p>Note</p>\n",
        "page.html": PAGE,
        "js/one.js": 'import { a } from "./two.js";\nimport {\n  b,\n} from "../other/three.js";\nimport("./x.js");\n',
        "js/two.js": 'export { three } from "../other/three.js";\nconst text = "./no.js";\n',
        "other/three.js": 'import "../js/one.js";\n',
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_a_page_is_put_into_the_frame(folder: Path) -> None:
    text = read_page(folder / "page.html").decode()
    assert "<h1>A title</h1>" in text
    assert '<body class="">' in text
    assert text.count("<p>Note</p>") == 2
    assert "{{" not in text
    assert text.endswith("https:")
    assert read_page(folder / "page.html", ("https://a.example", "http://b.example")).endswith(
        b"https://a.example http://b.example"
    )


def test_modules_that_the_script_imports_are_loaded_at_once(folder: Path) -> None:
    text = read_page(folder / "page.html").decode()
    assert re.findall(r'modulepreload" href="([^"]+)"', text) == ["js/two.js", "other/three.js"]
    assert text.count('<script type="module" src="js/one.js"></script>') == 1


def test_a_part_without_a_slot_is_refused(folder: Path) -> None:
    (folder / "page.html").write_text(PAGE + "<!-- part: titel -->\nA title\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"page\.html has parts that the frame has no slot for: titel"):
        read_page(folder / "page.html")


def test_other_files_stay_as_they_are(folder: Path) -> None:
    assert read_page(folder / "js" / "one.js") == (folder / "js" / "one.js").read_bytes()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.html")), ids=lambda path: path.name)
def test_every_page_has_what_the_frame_needs(path: Path) -> None:
    text = read_page(path).decode()
    assert "{{" not in text
    assert re.search(r"<title[^>]*>[^<]+</title>", text)
    assert re.search(r'name="description" content="[^"]+"', text)
    assert re.search(r"<h1[^>]*>[^<]+</h1>", text)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert {name[1:] for name in re.findall(r'<use href="(#[^"]+)"', text)} <= set(ids)


def test_each_site_has_its_own_pages_and_no_part_of_the_frame() -> None:
    for site in (DEMO, GALLERY):
        names = set(list_files(site))
        assert {name for name in names if name.endswith(".html")} == set(site.pages) & set(list_files(site))
        assert {"demo.css", "js/dom.js"} <= names
        assert not [name for name in names if name.startswith("frame/")]


def test_without_its_folder_there_is_no_gallery(tmp_path: Path) -> None:
    assert gallery(folder=tmp_path) == {}
