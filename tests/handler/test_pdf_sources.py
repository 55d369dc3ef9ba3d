"""Pages of PDF documents as originals, off by default, drawn in a process that is limited and can be killed."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests import pdfs, pictures
from tests.client import Answered, Client

from imaging import Context, Job, Limits, Output, Rendered, check, run_each


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def client_of(folder: Path, **environment: str) -> Client:
    return Client({"SOURCE_BUCKETS": f"papers=file://{folder}", "PDF_SOURCES": "Yes", **environment})


def ask(folder: Path, document: bytes, query: str = "", **environment: str) -> Answered:
    (folder / "a.pdf").write_bytes(document)
    return client_of(folder, **environment).get(f"/a.pdf?{query}", seconds=60)


def opened(answer: Answered) -> np.ndarray:
    assert answer.status == 200, answer.body
    return np.asarray(Image.open(io.BytesIO(answer.body)).convert("RGB"))


def test_pdf_is_off_by_default(folder: Path) -> None:
    answer = ask(folder, pdfs.page(), PDF_SOURCES="No")
    assert answer.status == 415
    assert answer.json()["message"] == "files of the format pdf are not read here: PDF_SOURCES is off"


def test_a_page_is_drawn_on_white_at_96_dpi(folder: Path) -> None:
    answer = ask(folder, pdfs.page())
    assert answer.headers["Content-Type"] == "image/png"
    levels = opened(answer)
    # 100 × 200 points at 96 dpi; the box goes from x 20 to 60 and from y 30 to 80 above the bottom.
    expected = np.full((267, 133, 3), 255)
    top, bottom, left, right = 267 - 80 * 267 / 200, 267 - 30 * 267 / 200, 20 * 133 / 100, 60 * 133 / 100
    expected[round(top) : round(bottom), round(left) : round(right)] = (255, 0, 0)
    assert levels.shape == expected.shape
    assert np.abs(levels.astype(int) - expected).mean() < 2
    assert tuple(levels[200, 50]) == (255, 0, 0)
    assert tuple(levels[10, 10]) == (255, 255, 255)


@pytest.mark.parametrize(
    ("query", "size"),
    [
        ("dpi=72", (100, 200)),
        ("dpi=144", (200, 400)),
        ("dpi=300", (416, 834)),
        ("width=50", (50, 100)),
        ("width=1000&height=2000", (1000, 2000)),
        ("width=50p&dpi=144", (100, 200)),
        ("extract=10,20,30,40&dpi=72", (30, 40)),
        ("rotate=90&dpi=72", (200, 100)),
    ],
)
def test_dpi_and_width_set_the_size_of_a_page(folder: Path, query: str, size: tuple[int, int]) -> None:
    query = query.replace("extract=10,20,30,40", "extract.left=10&extract.top=20&extract.width=30&extract.height=40")
    query = query.replace("width=50p", "resize.ratio=0.5")
    height, width = opened(ask(folder, pdfs.page(), query)).shape[:2]
    assert (width, height) == size


def test_a_larger_page_is_drawn_and_not_enlarged(folder: Path) -> None:
    """The edge of the box stays sharp: hardly any pixel is between red and white."""
    levels = opened(ask(folder, pdfs.page(), "width=1000&format=png"))
    green = levels[:, :, 1]
    assert ((green > 20) & (green < 235)).mean() < 0.005


def test_an_image_in_a_page_has_its_colours(folder: Path) -> None:
    scene = pictures.pillow(pictures.scene())
    out = io.BytesIO()
    scene.save(out, "PDF", resolution=96.0, quality=95)
    levels = opened(ask(folder, out.getvalue()))
    assert levels.shape == (pictures.HEIGHT, pictures.WIDTH, 3)
    assert np.abs(levels.astype(int) - np.asarray(scene.convert("RGB"))).mean() < 6


def test_pages_are_counted_and_chosen(folder: Path) -> None:
    document = pdfs.pages(b"0 0 72 72", b"0 0 144 72", b"0 0 72 216")
    facts = ask(folder, document, "info=true").json()
    assert (facts["format"], facts["pages"], facts["width"], facts["height"]) == ("pdf", 3, 96, 96)
    facts = ask(folder, document, "info=true&page=1").json()
    assert (facts["width"], facts["height"]) == (192, 96)
    assert opened(ask(folder, document, "page=2&dpi=72")).shape == (216, 72, 3)
    refused = ask(folder, document, "page=3")
    assert (refused.status, refused.json()["message"]) == (400, "`page` must be 0 to 2, got 3")


def test_a_text_in_a_font_that_is_not_in_the_document_is_drawn(folder: Path) -> None:
    empty = opened(ask(folder, pdfs.text(b" ")))
    assert (empty == 255).all()
    for font in (b"Helvetica", b"Times-Roman", b"NoSuchFont"):
        assert (opened(ask(folder, pdfs.text(b"Hello", font))) < 100).any(), font


def test_a_document_can_be_an_overlay(folder: Path) -> None:
    (folder / "mark.pdf").write_bytes(pdfs.page())
    (folder / "cat.jpg").write_bytes(pictures.jpeg())
    answer = client_of(folder).get("/cat.jpg?watermark.key=mark.pdf&watermark.left=0&watermark.top=0&format=png")
    assert tuple(opened(answer)[2, 2]) == (255, 255, 255)


def test_scripts_forms_and_attachments_change_nothing(folder: Path) -> None:
    plain, armed = (opened(ask(folder, document)) for document in (pdfs.page(), pdfs.with_actions()))
    assert (plain == armed).all()


def test_a_page_in_imagors_words(folder: Path) -> None:
    (folder / "a.pdf").write_bytes(pdfs.pages(b"0 0 72 72", b"0 0 144 72"))
    client = client_of(folder, DIALECTS="imagor,query")
    assert opened(client.get("/unsafe/filters:dpi(36):page(2):format(png)/a.pdf")).shape == (36, 72, 3)


HOSTILE: dict[str, tuple[Callable[[], bytes], set[int]]] = {
    # what makes it, and the statuses that may come
    "encrypted": (pdfs.encrypted, {415}),
    "no object": (lambda: b"%PDF-1.7\n", {422}),
    "no page": (pdfs.pages, {422}),
    "cut off": (lambda: pdfs.page()[:200], {422}),
    "page tree of itself": (pdfs.of_page_tree_loop, {200, 413, 422}),
    "deep page tree": (lambda: pdfs.of_page_tree_depth(30_000), {200, 413, 422}),
    "more pages than it has": (lambda: pdfs.page().replace(b"/Count 1", b"/Count 99999999"), {200, 413, 422}),
    "page of a kilometre": (lambda: pdfs.page(box=b"0 0 3000000 3000000"), {413}),
    "page of no width": (lambda: pdfs.page(box=b"0 0 0 100"), {200, 413, 422}),
    "page of infinite width": (lambda: pdfs.page(box=b"0 0 1e999 100"), {200, 413, 422}),
    "forms in forms": (lambda: pdfs.of_nested_forms(60, 8), {413}),
    "a form in itself": (pdfs.of_itself, {200, 413, 422}),
    "a million curves": (
        lambda: pdfs.of_drawing(b"0 0 m 99 999 -99 999 50 0 c 3 w S\n", 3_000_000), {413},
    ),
    "an image that is not there": (lambda: pdfs.of_image(60_000), {200, 413, 422}),
    "an image of zeros": (lambda: pdfs.of_zeros(9_000), {200, 413}),
    "JPEG 2000 of nothing": (lambda: pdfs.of_image(99, b"\0" * 99, b"/Filter/JPXDecode"), {200, 422}),
    "JBIG2 of nothing": (lambda: pdfs.of_image(99, b"\0" * 99, b"/Filter/JBIG2Decode"), {200, 422}),
    "filters of filters": (lambda: pdfs.of_image(9, b"x", b"/Filter[" + b"/FlateDecode" * 9_000 + b"]"), {200, 422}),
    "a dense pattern": (lambda: pdfs.of_pattern(b"0.00001"), {200, 413}),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_or_drawn_within_the_limits(folder: Path, name: str) -> None:
    make, expected = HOSTILE[name]
    began = time.monotonic()
    answer = ask(folder, make(), MEMORY_BUDGET="200000000", WORK_BUDGET="1")
    assert answer.status in expected, answer.body[:300]
    # The limit of one second of a processor holds for each of two processes; a busy machine takes several times that.
    assert time.monotonic() - began < 55
    if answer.status != 200:
        assert answer.json()["code"] != "Internal"
    assert opened(ask(folder, pdfs.page())).shape == (267, 133, 3), "the service draws the next document"


def test_a_request_for_a_huge_resolution_is_refused_before_it_is_drawn(folder: Path) -> None:
    answer = ask(folder, pdfs.page(box=b"0 0 2000 2000"), "dpi=1200")
    assert answer.status == 413
    assert ask(folder, pdfs.page(), "dpi=9").status == 400
    assert ask(folder, pdfs.page(), "dpi=1201").status == 400


def test_damaged_documents_get_a_client_s_error(folder: Path) -> None:
    draw = random.Random(7)
    client = client_of(folder, WORK_BUDGET="2")
    sound = [pdfs.page(), pdfs.text(b"Hello"), pdfs.with_actions(), pdfs.of_zeros(9)]
    for _ in range(40):
        document = bytearray(draw.choice(sound))
        for _ in range(draw.choice((1, 2, 8))):
            document[draw.randrange(8, len(document))] = draw.randrange(256)
        (folder / "a.pdf").write_bytes(document[: draw.choice((len(document), draw.randrange(9, len(document))))])
        answer = client.get("/a.pdf?width=30&format=png", seconds=60)
        assert answer.status in {200, 400, 413, 415, 422}, (answer.body, bytes(document))


def test_dpi_leaves_other_originals_as_they_are(folder: Path) -> None:
    (folder / "cat.jpg").write_bytes(pictures.jpeg())
    (folder / "drawing.svg").write_bytes(pictures.svg(40, 30))
    client = client_of(folder)
    assert client.get("/cat.jpg?dpi=300").body == client.get("/cat.jpg").body
    assert opened(client.get("/drawing.svg?dpi=192&format=png")).shape[:2] == (60, 80)


def test_several_results_of_a_document_have_their_own_resolutions() -> None:
    context = Context(limits=Limits(switched_on=frozenset({"PDF_SOURCES"})))
    outputs = [check(Output, {"dpi": dpi, "format": "png"}) for dpi in (72, 144)] + [check(Output, {"format": "png"})]
    results = dict(run_each(pdfs.page(), [Job((), output, context) for output in outputs]))
    sizes = [(result.width, result.height) for _, result in sorted(results.items()) if isinstance(result, Rendered)]
    assert sizes == [(100, 200), (200, 400), (133, 267)]
