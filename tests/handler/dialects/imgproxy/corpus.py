"""Requests of imgproxy with the answers that its own tests, its documentation and its source state.

The sizes are those of the tables in imgproxy's processing/*_test.go; every source has 200 × 100 pixels there, as here.
The statuses are those of options/parser/*_test.go, integration/*_test.go and */errors.go. `cases()` lists all of them.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

Size = tuple[int, int]


class Case(NamedTuple):
    """A request, and what imgproxy answers."""

    group: str
    path: str
    """Behind the signature."""
    status: int = 200
    size: Size | None = None
    format: str = ""
    frames: int = 1


_FIT: list[tuple[Size, Size]] = [
    ((50, 50), (50, 25)), ((50, 20), (40, 20)), ((20, 50), (20, 10)), ((300, 300), (200, 100)), ((300, 50), (100, 50)),
    ((100, 300), (100, 50)), ((0, 50), (100, 50)), ((50, 0), (50, 25)), ((0, 200), (200, 100)), ((300, 0), (200, 100)),
]  # fmt: skip
_FIT_ENLARGE: list[tuple[Size, Size]] = [
    ((50, 50), (50, 25)), ((50, 20), (40, 20)), ((20, 50), (20, 10)), ((300, 300), (300, 150)), ((300, 125), (250,
    125)),
    ((250, 300), (250, 125)), ((0, 50), (100, 50)), ((50, 0), (50, 25)), ((0, 200), (400, 200)), ((300, 0), (300, 150)),
]  # fmt: skip
_EXTENDED: list[tuple[Size, Size]] = [
    ((50, 50), (50, 50)), ((50, 20), (50, 20)), ((20, 50), (20, 50)), ((300, 300), (300, 300)), ((300, 125), (300,
    125)),
    ((250, 300), (250, 300)), ((0, 50), (100, 50)), ((50, 0), (50, 25)), ((0, 200), (200, 200)), ((300, 0), (300, 100)),
]  # fmt: skip
_EXTENDED_MORE: list[tuple[Size, Size]] = [*_EXTENDED, ((300, 50), (300, 50)), ((100, 300), (100, 300))]
_RATIO: list[tuple[Size, Size]] = [
    ((50, 50), (50, 50)), ((50, 20), (50, 20)), ((20, 50), (20, 50)), ((300, 300), (200, 200)), ((300, 125), (240,
    100)),
    ((250, 500), (200, 400)), ((0, 50), (100, 50)), ((50, 0), (50, 25)), ((0, 200), (200, 100)), ((300, 0), (200, 100)),
]  # fmt: skip
_RATIO_MORE: list[tuple[Size, Size]] = [*_RATIO, ((300, 50), (300, 50)), ((100, 300), (100, 300))]
_FILL: list[tuple[Size, Size]] = [
    ((50, 50), (50, 50)), ((50, 20), (50, 20)), ((20, 50), (20, 50)), ((300, 300), (200, 100)), ((300, 50), (200, 50)),
    ((100, 300), (100, 100)), ((0, 50), (100, 50)), ((50, 0), (50, 25)), ((0, 200), (200, 100)), ((300, 0), (200, 100)),
]  # fmt: skip
_FILL_ENLARGE: list[tuple[Size, Size]] = [
    ((50, 50), (50, 50)), ((50, 20), (50, 20)), ((20, 50), (20, 50)), ((300, 300), (300, 300)), ((300, 125), (300,
    125)),
    ((250, 300), (250, 300)), ((0, 50), (100, 50)), ((50, 0), (50, 25)), ((0, 200), (400, 200)), ((300, 0), (300, 150)),
]  # fmt: skip
_FILL_DOWN: list[tuple[Size, Size]] = [
    ((50, 50), (50, 50)), ((50, 20), (50, 20)), ((20, 50), (20, 50)), ((300, 300), (100, 100)), ((300, 125), (200, 83)),
    ((250, 300), (83, 100)), ((0, 50), (100, 50)), ((50, 0), (50, 25)), ((0, 200), (200, 100)), ((300, 0), (200, 100)),
]  # fmt: skip
_FILL_DOWN_RATIO: list[tuple[Size, Size]] = _FILL_DOWN
RESIZES: dict[str, list[tuple[Size, Size]]] = {
    "rt:fit": _FIT,
    "rt:fit/el:1": _FIT_ENLARGE,
    "rt:fit/ex:1": _EXTENDED,
    "rt:fit/exar:1": _RATIO,
    "rt:fill": _FILL,
    "rt:fill/el:1": _FILL_ENLARGE,
    "rt:fill/ex:1": _EXTENDED_MORE,
    "rt:fill/exar:1": _RATIO_MORE,
    "rt:fill-down": _FILL_DOWN,
    "rt:fill-down/el:1": _FILL_ENLARGE,
    "rt:fill-down/ex:1": _EXTENDED_MORE,
    "rt:fill-down/exar:1": _FILL_DOWN_RATIO,
}
"""Options → (width and height that are requested, width and height of the result): processing/processing_test.go."""
_COMPASS = ("ce", "no", "so", "ea", "we", "noea", "nowe", "soea", "sowe")
_WIDER, _TALLER, _CANVAS, _RATIO_BOX = (100, 26), (26, 100), (500, 500), (300, 600)
_OFFSET_FILLS: list[tuple[str, Size, Size]] = [
    ("g:ce/dpr:2", _WIDER, (200, 52)), ("g:no:0:5", _WIDER, _WIDER), ("g:no:0:5/dpr:0.5", _WIDER, (50, 13)),
    ("g:no:0:5/dpr:2", _WIDER, (200, 52)), ("g:no:5", _TALLER, _TALLER), ("g:no:5/dpr:0.5", _TALLER, (13, 50)),
    # The device pixel ratio changes nothing where the source is not larger.
    ("g:no:5/dpr:2", _TALLER, _TALLER), ("g:no:0:0.1", _WIDER, _WIDER), ("g:no:0:0.1/dpr:0.5", _WIDER, (50, 13)),
    ("g:no:0:0.1/dpr:2", _WIDER, (200, 52)),
]  # fmt: skip
"""TestResizeFill of processing/crop_test.go."""


def _resizes() -> Iterator[Case]:
    for options, rows in RESIZES.items():
        for (width, height), size in rows:
            for spelling in (f"{options}/w:{width}/h:{height}", f"{options}/s:{width}:{height}"):
                yield Case(f"processing_test {options}", f"{spelling}/plain/local:///t.png", size=size, format="png")


def _crops() -> Iterator[Case]:
    for gravity in _COMPASS:
        for size in (_WIDER, _TALLER):
            path = f"rs:fill:{size[0]}:{size[1]}/g:{gravity}/plain/local:///t.png"
            yield Case("crop_test TestResizeFill", path, size=size, format="png")
    for options, box, size in _OFFSET_FILLS:
        path = f"{options}/rs:fill:{box[0]}:{box[1]}/plain/local:///t.png"
        yield Case("crop_test TestResizeFill", path, size=size, format="png")
    offsets = ("", ":10", ":0:10", ":10:10", ":0.1", ":0:0.1", ":0.1:0.1")
    for gravity, offset in [*((each, "") for each in _COMPASS), *(("ce", offset) for offset in offsets[1:])]:
        path = f"c:50:50:{gravity}{offset}/plain/local:///t.png"
        yield Case("crop_test TestCrop", path, size=(50, 50), format="png")
    yield Case("crop_test TestCrop", "c:50:50:ce:10:10/dpr:0.5/plain/local:///t.png", size=(25, 25), format="png")


def _extensions() -> Iterator[Case]:
    tables: list[tuple[str, str, Size, Size]] = [
        ("extend_test TestExtend", "ex", _CANVAS, _CANVAS),
        ("extend_test TestExtendAspectRatio", "exar", _RATIO_BOX, (200, 400)),
    ]
    for group, option, box, size in tables:
        half = (box[0] // 2, box[1] // 2)
        offsets = [("no:0:5", ""), ("no:0:5", "/dpr:0.5"), ("no:0:5", "/dpr:2"), ("ea:5", ""), ("ea:5", "/dpr:0.5"),
                   ("ea:5", "/dpr:2"), ("no:0:0.1", ""), ("no:0:0.1", "/dpr:0.5"), ("no:0:0.1", "/dpr:2")]  # fmt: skip
        for gravity, dpr in [*((each, "") for each in _COMPASS), *offsets]:
            path = f"{option}:1:{gravity}{dpr}/s:{box[0]}:{box[1]}/plain/local:///t.png"
            yield Case(group, path, size=half if dpr == "/dpr:0.5" else size, format="png")


def _paddings() -> Iterator[Case]:
    for dpr, size in ((0.5, (120, 80)), (1, (240, 160)), (2, (480, 320))):
        path = f"dpr:{dpr}/pd:20:30:40:10/bg:255:0:0/el:1/plain/local:///t.png"
        yield Case("padding_test TestPadding", path, size=size, format="png")


def _rotations() -> Iterator[Case]:
    for angle, across, down in product((0, 90, 180, 270), "01", "01"):
        size = (100, 200) if angle % 180 else (200, 100)
        path = f"rot:{angle}/fl:{across}:{down}/plain/local:///t.png"
        yield Case("rotate_and_flip_test TestRotateFlip", path, size=size, format="png")


def base64_url(url: str) -> str:
    """Return a source in URL-safe base64."""
    return base64.urlsafe_b64encode(url.encode()).rstrip(b"=").decode()


def _sources() -> Iterator[Case]:
    encoded = base64_url("local:///t.jpg")
    chunks = "/".join(encoded[at : at + 8] for at in range(0, len(encoded), 8))
    good = [
        f"s:100:100/{encoded}.png", f"s:100:100/{chunks}.png", f"s:100:100//{encoded}.png", f"s:100:100/{encoded}=.png",
        "s:100:100/plain/local:///t.jpg@png", "s:100:100/plain/local:/t.jpg@png", "/s:100:100/plain/local:///t.jpg@png",
        "s:100:100/plain/local%3A%2F%2F%2Ft.jpg@png", "s%3A100%3A100/plain/local:///t.jpg@png",
        "s:100:100/f:webp/plain/local:///t.jpg@png", "s:100:100/plain/local://any/t.jpg@png",
    ]  # fmt: skip
    for path in good:
        yield Case("url_test sources", path, size=(100, 50), format="png")
    for path in (f"s:100:100/{encoded}", "s:100:100/plain/local:///t.jpg", "s:100:100/plain/local:///t.jpg@"):
        yield Case("url_test sources", path, size=(100, 50), format="jpeg")
    bad = [
        "s:100:100/plain/", "s:100:100/", "s:100:100/plain/local:///t.jpg@png@png", "s:100:100/plain/local:///%zz.jpg",
        f"s:100:100/{encoded}.png.png", "s:100:100/plain/local:///nosuch.jpg", "s:100:100/plain/ftp://a/t.jpg",
        "s:100:100/plain/local:///t.jpg@JPG", "s:100:100/plain/local:///t.jpg@2x.png", f"s:100:100/{encoded}+",
        "s:100:100//plain/local:///t.jpg", "s:100:100/plain/http://127.0.0.1/t.jpg", "s:100:100/plain/s3://none/t.jpg",
        "s:100:100/plain/local:///", "s:100:100/plain/local:///../t.jpg/..", "s:100:100/enc/" + encoded,
    ]  # fmt: skip
    for path in bad:
        yield Case("url_test invalid sources", path, status=404)


ACCEPTED = (
    "rs:fill:100:200:1", "rs:fit", "resize::50", "rs:fill:1200:", "size:600:::", "s:100:200:1", "rt:fill", "width:100",
    "w:0", "h:100", "min-width:10", "mh:10", "z:2", "zoom:0.5:2", "dpr:2", "dpr:.5", "dpr:1e0", "el:1", "enlarge:t",
    "ex:1:so:10:20", "extend:0", "extend_ar:1", "exar:1:fp:0.5:0.5", "extend_aspect_ratio:true", "g:soea",
    "gravity:ce:1:-1",
    "g:fp:0.5:0.75", "g:sm", "c:100:200", "c:0.5:0.5", "crop:100:200:nowe:10:20", "c:100", "t:10", "trim:10:ff00ff:1:1",
    "t:", "t::fff", "pd:1:2:3:4", "padding:10", "pd::10", "ar:1", "auto_rotate:0", "rot:90", "rotate:450", "fl:1:1",
    "flip:1", "background:128:129:130", "bg:ffddee", "bg:fff", "background:fff/background:", "blur:0.2", "bl:5",
    "sharpen:0.2", "sh:2", "pix:5", "pixelate:1", "wm:0.5:soea:10:20:0.6", "watermark:1:re:5:5", "wm:0", "sm:1",
    "strip_metadata:0", "kcr:1", "scp:0", "strip_color_profile:1", "ph:0", "eth:1", "q:55", "quality:0",
    "fq:webp:50:jpg:60",
    "mb:10000", "max_bytes:0", "skp:png:gif", "cb:123", "cachebuster:x", "exp:4102444800", "exp:0", "exp:-5", "fn:x",
    "filename:Y2F0:1", "att:1", "return_attachment:f", "raw:0", "el:True", "el:False", "w:100/h:200/w:0",
)  # fmt: skip
"""Options that the parser of imgproxy accepts."""
REFUSED = (
    "klingon:1", "rs", "w:", "w:-1", "w:1.5", "w:abc", "h:", "h:%31", "width:100:200", "rs:crop:1:1", "rt:cover",
    "rs:fit:1:2:3:4:ce:6:7:8",
    "dpr:0", "dpr:-1", "dpr:x", "z:0", "zoom:-1", "ex:1:sm", "ex:1:re", "exar:1:sm", "g:re", "g:x", "g:fp", "g:fp:1",
    "g:fp:2:0", "g:fp:0.5:-1", "g:sm:1", "g:so:a", "g:so:1:2:3", "c:", "c:100:", "c:-1:1", "c:100:200:re",
    "crop::200", "t:x",
    "t:10:klingon", "pd:-1", "pd:a", "rot:45", "rot:x", "bg:klingon", "bg:256:0:0", "bg:1:2", "bg:#fff", "bl:-1",
    "sh:-1",
    "pix:-1", "wm:2", "wm:-0.1", "wm:0.5:sm", "wm:0.5:fp", "wm:0.5:ce:a", "q:101", "q:-1", "q:", "fq:webp",
    "fq:klingon:5",
    "fq:webp:101", "mb:-1", "f:klingon", "f:JPG", "f:tif", "f:heif", "skp:klingon", "exp:1", "exp:x", "fn:***:1",
    "pr:nosuch",
    "sp:png", "gif_options:1", "min_width:5", "stl:1", "W:100",
)  # fmt: skip
"""Options that the parser of imgproxy refuses with 404."""
SECURITY = ("msr:5", "max_src_file_size:5", "maf:5", "mafr:5", "mrd:5")


def _options() -> Iterator[Case]:
    for option in ACCEPTED:
        yield Case("parser accepts", f"{option}/plain/local:///t.jpg")
    for option in REFUSED:
        yield Case("parser refuses", f"{option}/plain/local:///t.jpg", status=404)
    for option in SECURITY:
        yield Case("security options", f"{option}/plain/local:///t.jpg", status=403)
    for kind in ("fit", "fill", "fill-down", "force", "auto"):
        yield Case("parser refuses", f"{kind}/100/100/ce/0/plain/local:///t.jpg", status=404)


def _formats() -> Iterator[Case]:
    asked = {"jpg": "jpeg", "jpeg": "jpeg", "png": "png", "webp": "webp", "gif": "gif", "avif": "avif", "tiff": "tiff"}
    for source, (word, name) in product(("t.jpg", "t.png", "t.webp", "t.gif", "t.tiff", "t.bmp"), asked.items()):
        for path in (f"f:{word}/plain/local:///{source}", f"plain/local:///{source}@{word}"):
            yield Case("output formats", path, size=(200, 100), format=name)
    # processing.go determineOutputFormat: the source's format if it is preferred, else one that holds transparency.
    kept = {
        "t.jpg": "jpeg", "t.png": "png", "t.gif": "gif", "t.webp": "jpeg", "clear.webp": "png", "t.tiff": "jpeg",
        "t.bmp": "jpeg", "t.avif": "jpeg", "clear.avif": "png",
    }  # fmt: skip
    for source, name in kept.items():
        yield Case("preferred formats", f"plain/local:///{source}", size=(200, 100), format=name)
        yield Case("preferred formats", f"w:100/plain/local:///{source}", size=(100, 50), format=name)
    yield Case("preferred formats", "pd:10/plain/local:///t.webp", size=(220, 120), format="png")
    yield Case("preferred formats", "pd:10/bg:fff/plain/local:///t.webp", size=(220, 120), format="jpeg")
    for path, size, name in (
        ("rs:fill:4:4/plain/local:///t.svg", (200, 100), "svg"),
        ("rs:fill:4:4/plain/local:///t.svg@jpg", (4, 4), "jpeg"),
        ("rs:fit:400:400/plain/local:///t.svg@png", (400, 200), "png"),
        ("rs:fill:4:4/skp:png/plain/local:///t.png", (200, 100), "png"),
        ("rs:fill:4:4/skp:png/plain/local:///t.png@png", (200, 100), "png"),
        ("rs:fill:4:4/skp:png/plain/local:///t.png@jpg", (4, 4), "jpeg"),
        ("raw:1/rs:fill:4:4/plain/local:///t.png", (200, 100), "png"),
    ):
        yield Case("skip_processing and raw", path, size=size, format=name)
    for path, name in (("w:100/plain/local:///film.gif", "gif"), ("w:100/plain/local:///film.gif@webp", "webp"),
                       ("w:100/plain/local:///film.webp", "jpeg")):  # fmt: skip
        # IMGPROXY_MAX_ANIMATION_FRAMES is 1.
        yield Case("animations", path, size=(100, 75), format=name)


def _sites() -> Iterator[Case]:
    """Yield forms that public sites and frameworks write."""
    encoded = base64_url("local:///t.jpg")
    forms = {
        # Supabase's storage
        "height:100/width:100/resizing_type:fill/quality:80/plain/local:///t.jpg": ((100, 100), "jpeg"),
        "width:60/resizing_type:fit/quality:80/plain/local:///t.jpg": ((60, 30), "jpeg"),
        # Nuxt's image module, Next.js loaders
        f"rs:fit:60:/f:webp/{encoded}": ((60, 30), "webp"),
        f"s:50:40/rt:fill/g:ce/f:png/{encoded}": ((50, 40), "png"),
        "rs:fill:120:80:1/g:sm/plain/local:///t.jpg@webp": ((120, 80), "webp"),
        "w:60/q:75/plain/local:///t.jpg": ((60, 30), "jpeg"),
        # Rails and Mastodon-like proxies: chunks of base64, options behind each other in any order
        f"dpr:1/el:1/rs:fill:50:50/{encoded[:8]}/{encoded[8:]}.jpg": ((50, 50), "jpeg"),
        "rs:fill:120:/plain/local:///t.jpg": ((120, 60), "jpeg"),
        "size:60:::/plain/local:///t.jpg": ((60, 30), "jpeg"),
        "el:True/sm:False/w:60/plain/local:///t.jpg": ((60, 30), "jpeg"),
        "rs:auto:60:60/bg:ffffff/plain/local:///t.jpg@jpg": ((60, 60), "jpeg"),
        "plain/local:///t.jpg@jpeg": ((200, 100), "jpeg"),
    }
    for path, (size, name) in forms.items():
        yield Case("sites and frameworks", path, size=size, format=name)


def _documentation() -> Iterator[Case]:
    """Yield the examples of imgproxy's documentation, with an original of this corpus."""
    encoded = base64_url("local:///t.jpg")
    examples = {
        "resize:fill:300:400:0/gravity:sm/plain/local:///t.jpg@png": ((200, 100), "png"),
        "rs:fill:300:400:0/g:sm/plain/local:///t.jpg@png": ((200, 100), "png"),
        f"resize:fill:300:400:0/gravity:sm/{encoded}.png": ((200, 100), "png"),
        f"rs:fill:300:400:1/g:sm/{encoded[:5]}/{encoded[5:]}.png": ((300, 400), "png"),
        "size:100:100/plain/local:///t.jpg": ((100, 50), "jpeg"),
        "crop:100:50:nowe:30:40/plain/local:///t.jpg": ((100, 50), "jpeg"),
        "s:100:100/padding:10/plain/local:///t.jpg": ((120, 70), "jpeg"),
        "resizing_type:fill/enlarge:1/w:300/h:300/plain/local:///t.jpg": ((300, 300), "jpeg"),
        "sharpen:0.7/plain/local:///t.jpg": ((200, 100), "jpeg"),
        "blur:2/plain/local:///t.jpg": ((200, 100), "jpeg"),
        "w:150/h:75/zoom:2/plain/local:///t.jpg": ((200, 100), "jpeg"),
        "trim:10/plain/local:///t.jpg": (None, "jpeg"),
        "bg:255:128:0/plain/local:///t.png@jpg": ((200, 100), "jpeg"),
        "rot:90/plain/local:///t.jpg": ((100, 200), "jpeg"),
    }
    for path, (size, name) in examples.items():
        yield Case("documentation", path, size=size, format=name)


def _errors() -> Iterator[Case]:
    """Yield what handlers/errors.go and processing/errors.go answer."""
    for path in ("plain/local:///text.txt", "plain/local:///broken.jpg", "plain/local:///t.png@svg"):
        yield Case("errors of images", path, status=422)
    for path in ("plain/local:///nosuch.jpg", "plain/local:///folder", "plain/local:///nosuch.jpg@png", "klingon:1/x"):
        yield Case("errors of images", path, status=404)
    for name in ("jxl", "bmp", "ico"):
        # imgproxy's own build writes them.
        yield Case(
            "output formats", f"plain/local:///t.jpg@{name}", size=(200, 100), format="bmp" if name == "bmp" else ""
        )


def cases() -> list[Case]:
    """Return all requests."""
    return [
        *(*_resizes(), *_crops(), *_extensions(), *_paddings(), *_rotations()),
        *(*_sources(), *_sites(), *_documentation(), *_options(), *_formats(), *_errors()),
    ]
