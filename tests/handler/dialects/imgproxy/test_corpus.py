"""The kept corpus of imgproxy: what agrees in status, size, format, frames, headers and pixels, in each group."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import pyvips
from PIL import Image as Pillow
from tests import pictures
from tests.client import Answered, Client
from tests.handler.dialects.imgproxy.corpus import Case, cases
from tests.handler.dialects.imgproxy.corpus_pixels import pixel_requests, transparent
from tests.handler.dialects.imgproxy.corpus_requests import Request, requests
from tests.handler.dialects.imgproxy.pixel_model import PixelRequest, made

MINIMUM, GROUPS = 0.96, 44
DOCUMENT = Path(__file__).parents[4] / "docs" / "compatibility.md"
MEDIA_TYPES = {"svg": "image/svg+xml"}
PIXELS = {"t.png": pixel_requests, "clear.png": transparent}
"""The requests whose pixels are compared, by their original."""
Image = Any


class Service:
    """Answers for the originals of a folder, with any settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cache  # noqa: B019 - one service for the tests of this module
    def _client(self, settings: str) -> Client:
        own = {"IMGPROXY_LOCAL_FILESYSTEM_ROOT": str(self.folder), "DIALECTS": "imgproxy"}
        return Client({**own, **json.loads(settings)})

    def get(self, address: str, settings: Mapping[str, str] = {}) -> Answered:
        return self._client(json.dumps(settings, sort_keys=True)).get(address)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("originals")
    plain, clear = pictures.scene(200, 100), pictures.scene_with_alpha(200, 100)
    bodies = {
        "t.jpg": pictures.jpeg(plain), "t.png": pictures.png(plain), "t.webp": pictures.webp(plain),
        "t.gif": pictures.gif(plain), "t.tiff": pictures.tiff(plain), "t.bmp": pictures.bmp(plain),
        "t.avif": pictures.avif(plain), "clear.webp": pictures.webp(clear), "clear.avif": pictures.avif(clear),
        "t.svg": pictures.svg(200, 100), "film.gif": pictures.gif(pictures.film()),
        "film.webp": pictures.webp(pictures.film()), "text.txt": b"no image", "broken.jpg": pictures.jpeg(plain)[:400],
        "mark.png": pictures.png(pictures.scene_with_alpha(40, 20)), "clear.png": pictures.png(clear),
    }  # fmt: skip
    for name, body in bodies.items():
        (folder / name).write_bytes(body)
    logging.disable(logging.WARNING)
    yield Service(folder)
    logging.disable(logging.NOTSET)


def as_png(bmp: bytes) -> bytes:
    """Return a BMP, which libvips does not read, as a PNG."""
    Pillow.open(io.BytesIO(bmp)).save(out := io.BytesIO(), "PNG")
    return out.getvalue()


def decoded(answer: Answered) -> Image:
    return pyvips.Image.new_from_buffer(as_png(answer.body) if answer.body.startswith(b"BM") else answer.body, "")


def disagreement(case: Case | Request, answer: Answered) -> str:
    """Return what differs from imgproxy's answer, empty if nothing does."""
    if answer.status != case.status:
        return f"status {answer.status} instead of {case.status}"
    return _in_image(case, answer) if answer.status == 200 else ""


def _in_image(case: Case | Request, answer: Answered) -> str:
    if isinstance(case, Request) and (case.keys is not None or case.headers):
        return _in_facts(case, answer)
    image = decoded(answer)
    media_type = MEDIA_TYPES.get(case.format, f"image/{case.format}")
    if case.format and answer.headers["Content-Type"] != media_type:
        return f"{answer.headers['Content-Type']} instead of {media_type}"
    if case.size and max(abs(image.width - case.size[0]), abs(image.height - case.size[1])) > 1:
        return f"{image.width} x {image.height} instead of {case.size[0]} x {case.size[1]}"
    if isinstance(case, Request):
        return ""
    frames = image.get("n-pages") if image.get_typeof("n-pages") else 1
    return f"{frames} frames instead of {case.frames}" if frames != case.frames else ""


def _in_facts(case: Request, answer: Answered) -> str:
    """Return which headers or keys of a report differ."""
    if case.keys is not None and (found := set(answer.json())) != case.keys:
        return f"the keys {sorted(found ^ case.keys)} are in one report alone"
    for name, value in case.headers.items():
        given = answer.headers.get(name)
        if given is None or value not in given:
            return f"{name} {given!r} without {value!r}"
    return ""


def pixel_disagreement(requested: PixelRequest, answer: Answered, source: Image, mark: Image) -> str:
    """Return whether a lossless answer differs from imgproxy's in any pixel."""
    if answer.status != 200:
        return f"status {answer.status}"
    one, two = decoded(answer), made(source, requested, mark)
    if (one.width, one.height) != (two.width, two.height):
        return f"{one.width} x {one.height} instead of {two.width} x {two.height}"
    one, two = (image if image.hasalpha() else image.addalpha() for image in (one, two))
    most = (one.cast("float") - two.cast("float")).abs().max()
    return f"a pixel differs by {most:.0f} levels" if most else ""


def test_the_answers_are_those_of_imgproxy(service: Service) -> None:
    groups: dict[str, list[str]] = defaultdict(list)

    def note(group: str, name: str, found: str) -> None:
        groups[group].append(f"{name}: {found}" if found else "")

    for case in cases():
        note(case.group, case.path, disagreement(case, service.get("/unsafe/" + case.path)))
    for request in requests():
        answer = service.get(request.address, request.settings)
        note(request.group, request.address, disagreement(request, answer))
    mark, *originals = (
        pyvips.Image.new_from_file(str(service.folder / name)).copy_memory() for name in ("mark.png", *PIXELS)
    )
    for (name, wanted), original in zip(PIXELS.items(), originals, strict=True):
        for group, requested in wanted():
            path = requested.path(name)
            answer = service.get("/unsafe/" + path, {"IMGPROXY_WATERMARK_URL": "local:///mark.png"})
            note(group, path, pixel_disagreement(requested, answer, original, mark))
    judge(groups)


def judge(groups: Mapping[str, list[str]]) -> None:
    """Assert that enough agrees, that the document says how much, and that each difference is known."""
    shares = {group: sum(not found for found in each) / len(each) for group, each in groups.items()}
    differing = [found for each in groups.values() for found in each if found]
    mean, count = sum(shares.values()) / len(shares), sum(map(len, groups.values()))
    sys.stdout.write(f"imgproxy: {mean:.4f} on average over {len(groups)} groups of {count} requests\n")
    assert mean >= MINIMUM, (shares, differing)
    assert len(groups) >= GROUPS
    assert (len(groups["signatures"]), shares["signatures"]) == (56, 1.0), groups["signatures"]
    stated = f"The tests hold {count} requests in {len(groups)} groups"
    score = f"On average over the groups, {100 * mean:.1f} % of the requests agree."
    text = " ".join(DOCUMENT.read_text(encoding="utf-8").split())
    assert stated in text, stated
    assert score in text, score
    others = [found for found in differing if not found.endswith(ROUNDED)]
    assert sorted(others) == sorted(KNOWN), (shares, others)


ROUNDED = "clear.png: a pixel differs by 1 levels"
"""How an enlargement differs whose original has transparent parts."""
KNOWN = [
    "s:100:100/plain/local:///%zz.jpg: status 400 instead of 404",
    "plain/local:///text.txt: status 415 instead of 422",
    "plain/local:///t.png@svg: status 200 instead of 422",
    *(f"plain/local:///t.jpg@{name}: status 422 instead of 200" for name in ("jxl", "ico")),
    "pix:33/plain/local:///t.png: a pixel differs by 30 levels",
    "w:80/pix:33/plain/local:///t.png: a pixel differs by 50 levels",
]
"""The requests that differ, each with a row in docs/compatibility.md."""
