"""The kept corpus of imgproxy: what agrees in status, size, format and frames, in each group."""

from __future__ import annotations

import io
from collections import defaultdict
from pathlib import Path

import pytest
import pyvips
from PIL import Image as Pillow
from tests import pictures
from tests.client import Answered, Client
from tests.handler.dialects.imgproxy.corpus import Case, cases

MINIMUM = 0.96
DOCUMENT = Path(__file__).parents[4] / "docs" / "compatibility.md"
MEDIA_TYPES = {"svg": "image/svg+xml"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    folder = tmp_path_factory.mktemp("originals")
    plain, clear = pictures.scene(200, 100), pictures.scene_with_alpha(200, 100)
    bodies = {
        "t.jpg": pictures.jpeg(plain), "t.png": pictures.png(plain), "t.webp": pictures.webp(plain),
        "t.gif": pictures.gif(plain), "t.tiff": pictures.tiff(plain), "t.bmp": pictures.bmp(plain),
        "t.avif": pictures.avif(plain), "clear.webp": pictures.webp(clear), "clear.avif": pictures.avif(clear),
        "t.svg": pictures.svg(200, 100), "film.gif": pictures.gif(pictures.film()),
        "film.webp": pictures.webp(pictures.film()), "text.txt": b"no image", "broken.jpg": pictures.jpeg(plain)[:400],
    }  # fmt: skip
    for name, body in bodies.items():
        (folder / name).write_bytes(body)
    return Client({"IMGPROXY_LOCAL_FILESYSTEM_ROOT": str(folder), "DIALECTS": "imgproxy"})


def as_png(bmp: bytes) -> bytes:
    """Return a BMP, which libvips does not read, as a PNG."""
    Pillow.open(io.BytesIO(bmp)).save(out := io.BytesIO(), "PNG")
    return out.getvalue()


def disagreement(case: Case, answer: Answered) -> str:
    """Return what differs from imgproxy's answer, empty if nothing does."""
    if answer.status != case.status:
        return f"status {answer.status} instead of {case.status}"
    if answer.status != 200:
        return ""
    image = pyvips.Image.new_from_buffer(as_png(answer.body) if answer.body.startswith(b"BM") else answer.body, "")
    media_type = MEDIA_TYPES.get(case.format, f"image/{case.format}")
    if case.format and answer.headers["Content-Type"] != media_type:
        return f"{answer.headers['Content-Type']} instead of {media_type}"
    if case.size and max(abs(image.width - case.size[0]), abs(image.height - case.size[1])) > 1:
        return f"{image.width} x {image.height} instead of {case.size[0]} x {case.size[1]}"
    frames = image.get("n-pages") if image.get_typeof("n-pages") else 1
    return f"{frames} frames instead of {case.frames}" if frames != case.frames else ""


def test_the_answers_are_those_of_imgproxy(client: Client) -> None:
    groups: dict[str, list[str]] = defaultdict(list)
    for case in cases():
        groups[case.group].append(found := disagreement(case, client.get("/unsafe/" + case.path)))
        if found:
            groups[case.group][-1] = f"{case.path}: {found}"
    shares = {group: sum(not found for found in each) / len(each) for group, each in groups.items()}
    differing = [found for each in groups.values() for found in each if found]
    mean = sum(shares.values()) / len(shares)
    assert mean >= MINIMUM, (shares, differing)
    stated = f"The tests hold {sum(map(len, groups.values()))} requests in {len(groups)} groups"
    score = f"On average over the groups, {100 * mean:.1f} % of the requests agree."
    text = " ".join(DOCUMENT.read_text(encoding="utf-8").split())
    assert stated in text, stated
    assert score in text, score
    assert sorted(differing) == sorted(KNOWN), (shares, differing)


KNOWN = [
    "s:100:100/plain/local:///%zz.jpg: status 400 instead of 404",
    "plain/local:///text.txt: status 415 instead of 422",
    "plain/local:///t.png@svg: status 200 instead of 422",
    *(f"plain/local:///t.jpg@{name}: status 422 instead of 200" for name in ("jxl", "ico")),
]
"""The requests that differ, each with a row in docs/compatibility.md."""
