"""Originals of every format that browsers show look as Chromium shows them."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pyvips
from PIL import Image as Pillow
from playwright.sync_api import Browser, Page
from tests import odd_files, pictures
from tests.odd_files import Drawn, chrm, cicp, clli, gama, iccp, patches, ramp, with_nclx

from imaging import MEDIA_TYPES, Context, Deadline, Output, Rendered, run
from imaging.codecs.decode.sniff import sniff

SCRIPT = """async ([kind, data]) => {
  const image = new Image();
  image.src = `data:${kind};base64,${data}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  canvas.getContext('2d', {colorSpace: 'srgb'}).drawImage(image, 0, 0);
  return canvas.toDataURL('image/png').split(',')[1];
}"""


class Original(NamedTuple):
    """A file, and how far its pixels may be from Chromium's."""

    body: bytes
    mean: float = 0.6
    largest: float = 3
    """Of one band of one pixel, where it is not nearly clear."""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    opened.goto("about:blank")
    yield opened
    opened.close()


def seen(page: Page, body: bytes) -> pyvips.Image:
    """The first frame as Chromium draws it."""
    data = page.evaluate(SCRIPT, [MEDIA_TYPES[sniff(body)], base64.b64encode(body).decode()])
    return _premultiplied(base64.b64decode(data))


def rendered(body: bytes) -> pyvips.Image:
    outcome = run(body, [], Output(format="png", effort=1), Context(deadline=Deadline.after(60)))
    assert isinstance(outcome, Rendered)
    return _premultiplied(outcome.body)


def _premultiplied(png: bytes) -> pyvips.Image:
    """RGB over black, and alpha: colours that are not seen do not count."""
    image = Pillow.open(io.BytesIO(png)).convert("RGBA")
    return pyvips.Image.new_from_memory(image.tobytes(), image.width, image.height, 4, "uchar").premultiply()


def scene_avif(primaries: int, transfer: int) -> Original:
    return Original(with_nclx(pictures.avif(lossless=True), primaries, transfer), mean=1.0, largest=8)


LIMITS_OF_AVIF = (1.5, 120)


def of_samples() -> Iterator[tuple[str, Callable[[], Original]]]:
    """The samples of formats that browsers show, and how far decoders of lossy ones round apart."""
    # Chromium smooths reduced colour resolution, and reads the alpha of an AVIF as of limited range, as it does with
    # that of other encoders.
    limits = {"jpeg": (1.5, 40), "webp": (1.5, 40), "avif": LIMITS_OF_AVIF, "svg": (2.0, 60), "bmp": (0.6, 3)}
    limits |= {"png": (0.6, 3), "gif": (0.6, 3)}
    for name in pictures.NAMES:
        kind = name.partition("-")[0]
        if kind in limits and name not in ("jpeg-cmyk-profile", "jpeg-cmyk"):
            mean, largest = (4.0, 120) if name == "avif-alpha" else limits[kind]
            yield name, partial(_original_of, name, mean, largest)


def animation() -> Original:
    """Chromium shows the frames of an AVIF of full range, which the sample is, as if they were of limited range."""
    return Original(pictures.animated_avif(range="limited"), *LIMITS_OF_AVIF)


def written_animation() -> Original:
    output = Output(format="avif", effort=1)
    outcome = run(pictures.webp(pictures.film()), [], output, Context(deadline=Deadline.after(60)))
    assert isinstance(outcome, Rendered)
    return Original(outcome.body, *LIMITS_OF_AVIF)


def _original_of(name: str, mean: float, largest: float) -> Original:
    return Original(pictures.sample(name).body, mean, largest)


def of_odd_files() -> Iterator[tuple[str, Callable[[], Original]]]:
    for path in sorted(odd_files.FOLDER.iterdir()):
        # Edges of drawings are smoothed in another way.
        mean, largest = (2.0, 90) if path.suffix == ".svg" else (0.6, 3)
        yield path.name, partial(_odd, path, mean, largest)


def _odd(path: Path, mean: float, largest: float) -> Original:
    return Original(path.read_bytes(), mean, largest)


def _ramp(transfer: int) -> Original:
    return Original(ramp(cicp(1, transfer)))


def _patches(primaries: int) -> Original:
    return Original(patches(cicp(primaries, 13)))


def drawing(head: str) -> Original:
    body = f'<svg xmlns="http://www.w3.org/2000/svg" {head}><rect width="9" height="9" fill="#c00"/></svg>'
    return Original(body.encode(), largest=90)


HEADS = ("", 'width="40mm" height="3cm"', 'width="2em" height="2rem"', 'width="50"', 'height="100%"')
VIDEO = (1, 4, 5, 6, 7, 8, 13, 14, 15, 17)
"""Transfer functions that Chromium reads in an AVIF."""
P3 = pictures.profile("p3")
ORIGINALS: dict[str, Callable[[], Original]] = {
    **dict(of_odd_files()),
    **dict(of_samples()),
    "avif-animated": animation,
    "animated AVIF of this service": written_animation,
    "png in Display P3": lambda: Original(pictures.png(pictures.wide(), icc=P3)),
    "png of 16 bits in Display P3": lambda: Original(pictures.png(pictures.deep(), icc=P3), mean=0.8, largest=20),
    "cmyk": lambda: Original(pictures.cmyk(icc=False), mean=1.0, largest=12),
    "png without its end": lambda: Original(pictures.png()[:-12]),
    "gif without its end": lambda: Original(odd_files.gif(12, 9, [Drawn(0, 0, 12, 9, 0, 1)])[:-1]),
    **{f"png of transfer {code}": partial(_ramp, code) for code in range(1, 20)},
    **{f"png of primaries {code}": partial(_patches, code) for code in (*range(13), 22)},
    **{f"avif of transfer {code}": partial(scene_avif, 1, code) for code in VIDEO},
    **{f"avif of primaries {code}": partial(scene_avif, code, 13) for code in (1, 2, 4, 5, 6, 9, 11, 12)},
    "png of PQ": lambda: Original(ramp(cicp(9, 16), deep=True)),
    "png of PQ and 4000 nits": lambda: Original(ramp(cicp(9, 16) + clli(4000), deep=True)),
    "png of HLG": lambda: Original(ramp(cicp(9, 18), deep=True)),
    "avif of PQ": lambda: scene_avif(9, 16),
    "avif of HLG": lambda: scene_avif(9, 18),
    "png of gAMA": lambda: Original(ramp(gama(45455))),
    "png of gAMA and cHRM": lambda: Original(patches(gama(45455) + chrm(odd_files.P3))),
    "png of cHRM": lambda: Original(patches(chrm(odd_files.P3))),
    "png of cICP and iCCP": lambda: Original(patches(cicp(1, 13) + iccp(P3))),
    "grey png of gAMA": lambda: Original(ramp(gama(100_000), grey=True)),
    **{f"svg {head}": partial(drawing, head) for head in HEADS},
}


@pytest.mark.parametrize("name", ORIGINALS)
def test_an_original_looks_as_in_chromium(page: Page, name: str) -> None:
    original = ORIGINALS[name]()
    expected, got = seen(page, original.body), rendered(original.body)
    assert (got.width, got.height) == (expected.width, expected.height)
    difference: Any = (got - expected).abs()
    assert difference.avg() <= original.mean
    assert difference.max() <= original.largest


def test_the_largest_icon_is_shown_as_in_chromium(page: Page) -> None:
    body = pictures.ico((16, 64))
    difference: Any = (rendered(body) - seen(page, body)).abs()
    assert difference.max() <= 3
