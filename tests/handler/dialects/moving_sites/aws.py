"""Addresses as sites write them for AWS's image handler, each with the size and the format that it answers with.

The sizes follow from `thumbor-mapper.ts`, `query-param-mapper.ts`, `image-request.ts` and `image-handler.ts` of AWS's
Dynamic Image Transformation for Amazon CloudFront, for a JPEG of 640 x 480 at photos/cat.jpg.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import NamedTuple

KEY = "photos/cat.jpg"
JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"


class Site(NamedTuple):
    """An address and what is answered to it."""

    address: str
    width: int
    height: int
    media_type: str = JPEG


def inside(width: int, height: int) -> tuple[int, int]:
    """Return the size of 640 x 480 fitted into a box; 0 leaves a side free."""
    scale = min(width / 640 if width else 9.0, height / 480 if height else 9.0)
    return round(640 * scale), round(480 * scale)


def sites() -> Iterator[Site]:
    """Yield every address of AWS's languages."""
    yield from thumbor_paths()
    yield from json_paths()
    yield from queries()


IGNORED_FILTERS = (
    "brightness(10)", "contrast(-5)", "saturation(0.5)", "colorize(1,2,3,ffffff)", "noise(9)", "max_bytes(9000)",
    "round_corner(20,255,255,255)", "max_age(600)", "extract_focal()", "frame(logo.png)", "red_eye()", "cover()",
    "format(bmp)", "format(jpgx)", "gifv()", "focal(1x1:9x9)", "trim(5)", "curve([],[],[],[])", "distributed_collage()",
    "equalise(3)", "rgb(20,-20,40)", "rgb(0,300,0)", "equalize(1)", "grayscale(true)", "no_upscale(1)", "animated(x)",
    "strip_icc(1)", "strip_exif(all)", "autojpg(1,2)", "grayscale",
)  # fmt: skip


def thumbor_paths() -> Iterator[Site]:
    for at, call in enumerate(IGNORED_FILTERS):
        box = ((300, 200), (120, 90), (50, 400))[at % 3]
        yield Site(f"/fit-in/{box[0]}x{box[1]}/filters:{call}/{KEY}", *inside(*box))
        yield Site(f"/filters:{call}/{KEY}", 640, 480)
    for width, height in ((300, 200), (64, 64), (200, 20)):
        for head in ("", "photos/", "/"):
            key = KEY.removeprefix(head) if head == "photos/" else KEY
            yield Site(f"/{head}{width}x{height}/{key}", width, height)
            yield Site(f"/{head}fit-in/{width}x{height}/{key}", *inside(width, height))
            if head != "photos/":  # behind a folder AWS keeps the empty segment in the key
                yield Site(f"/{head}fit-in/{width}x{height}//{key}", *inside(width, height))
        yield Site(f"/photos/fit-in/{width}x{height}/filters:gifv()/cat.jpg", *inside(width, height))
        yield Site(f"/{width}x0/{KEY}", *inside(width, 0))
        yield Site(f"/{width}x/{KEY}", *inside(width, 0))
    yield Site(f"//{KEY}", 640, 480)
    yield Site(f"/fit-in//300x300//{KEY}", *inside(300, 300))
    for place in ("left,top", "foo,bar", "10,bottom", "10%25,20%25", ",", "center,center", "-5p,9"):
        yield Site(f"/fit-in/200x200/filters:watermark(p,logo.png,{place},50,20,20)/{KEY}", *inside(200, 200))
        yield Site(f"/filters:watermark(p,logo.png,{place},x,y,z)/{KEY}", 640, 480)


def _json(address: object) -> str:
    return "/" + base64.b64encode(json.dumps(address).encode()).decode()


LOGO = {"bucket": "p", "key": "logo.png"}
BOX = {"width": 90, "height": 90, "fit": "contain"}
EDITS: tuple[tuple[object, int, int, str], ...] = (
    ([], 640, 480, JPEG),
    ({}, 640, 480, JPEG),
    ({"resize": []}, 640, 480, JPEG),
    ({"resize": {"width": "300"}}, 300, 225, JPEG),
    ({"resize": {"width": 300, "height": 300, "fit": "cover", "enlarge": False}}, 300, 300, JPEG),
    ({"resize": {"width": 300.4, "height": 0.0 + 200, "fit": "fill"}}, 300, 200, JPEG),
    ({"resize": {"width": 300, "height": None, "fit": "inside", "upscale": "no"}}, 300, 225, JPEG),
    ({"resize": {"width": 200, "withoutEnlargement": "true"}}, 200, 150, JPEG),
    ({"resize": {**BOX, "background": {"r": 255, "g": 255, "b": 255, "alpha": None}}}, 90, 90, JPEG),
    ({"resize": {**BOX, "background": {"r": "255", "g": "0", "b": "300"}}}, 90, 90, JPEG),
    ({"resize": {**BOX, "background": [1, 2, 3]}}, 90, 90, JPEG),
    ({"resize": {**BOX, "background": {"r": -1, "g": 0, "b": 0, "alpha": 255}}}, 90, 90, JPEG),
    ({"resize": {"width": 90}, "flatten": {"background": {"r": 1, "g": 2, "b": 3, "alpha": None}}}, 90, 68, JPEG),
    ({"tint": {"r": 300, "g": 0, "b": 0}}, 640, 480, JPEG),
    ({"tint": {"r": "9", "g": "9", "b": "9"}}, 640, 480, JPEG),
    ({"lazyload": True, "resize": {"width": 64}}, 64, 48, JPEG),
    ({"dpr": 2, "resize": {"width": 64}}, 64, 48, JPEG),
    ({"strip": True}, 640, 480, JPEG),
    ({"compress": {"quality": 3}}, 640, 480, JPEG),
    ({"rotate": "90"}, 480, 640, JPEG),
    ({"rotate": None}, 640, 480, JPEG),
    ({"flip": "true", "flop": True}, 640, 480, JPEG),
    ({"grayscale": []}, 640, 480, JPEG),
    ({"normalise": True, "normalize": True}, 640, 480, JPEG),
    ({"blur": "3"}, 640, 480, JPEG),
    ({"sharpen": []}, 640, 480, JPEG),
    ({"pipelineColourspace": "rgb16"}, 640, 480, JPEG),
    ({"pipelineColourspace": "anything"}, 640, 480, JPEG),
    ({"jpeg": {"quality": "70"}}, 640, 480, JPEG),
    ({"jpeg": [], "toFormat": "jpeg"}, 640, 480, JPEG),
    ({"jpeg": {"quality": 70, "progression": True}}, 640, 480, JPEG),
    ({"toFormat": "webp", "webp": {"quality": 70, "effort": 9}}, 640, 480, WEBP),
    ({"toFormat": "webp", "webp": {"effort": "4"}}, 640, 480, WEBP),
    ({"toFormat": "png", "png": {"compression": 9}}, 640, 480, PNG),
    ({"roundCrop": [], "toFormat": "png"}, 480, 480, PNG),
    ({"overlayWith": {**LOGO, "alpha": "30", "wRatio": "20p", "hRatio": "20p"}}, 640, 480, JPEG),
    ({"overlayWith": {**LOGO, "alpha": "none", "wRatio": "20", "options": []}}, 640, 480, JPEG),
    ({"overlayWith": {**LOGO, "rotate": 3, "options": {"left": "-10p", "zIndex": 1}}}, 640, 480, JPEG),
)  # fmt: skip


EXTRAS: tuple[dict[str, object], ...] = (
    {"headers": []}, {"headers": {"X-Frame-Options": "DENY"}},
    {"headers": {"Cache-Control": "max-age=60", "Server": "x"}},
    {"version": 2}, {"cacheBuster": "5"}, {"width": 300}, {"effort": 12, "outputFormat": "webp"},
    {"effort": "high", "outputFormat": "webp"}, {"effort": -1}, {"outputFormat": "webp", "quality": 3},
)  # fmt: skip


def json_paths() -> Iterator[Site]:
    for edits, width, height, media_type in EDITS:
        yield Site(_json({"bucket": "p", "key": KEY, "edits": edits}), width, height, media_type)
    for extra in EXTRAS:
        media_type = WEBP if "outputFormat" in extra else JPEG
        address = {"bucket": "p", "key": KEY, "edits": {"resize": {"width": 64}}, **extra}
        yield Site(_json(address), 64, 48, media_type)
    resizes = '"edits":{"resize":{"width":10,"width":64}},"edits":{"resize":{"width":32}}'
    twice = f'{{"bucket":"p","key":"{KEY}",{resizes}}}'
    yield Site("/" + base64.b64encode(twice.encode()).decode(), 32, 24)


def queries() -> Iterator[Site]:
    for query, width, height in (
        ("width=33.9", 33, 25), ("width=412.5", 412, 309), ("width=300px", 300, 225), ("height=120.7", 160, 120),
        ("width=64&height=64&fit=cover", 64, 64), ("width=64.2&height=32px&fit=fill", 64, 32),
        ("width=0&height=48", 64, 48),
        ("width=64&height=", 64, 48), ("width=64&rotate=90deg", 48, 64), ("width=64&flip=yes-please", 64, 48),
        ("width=64&flop=1&grayscale=on-request", 64, 48), ("width=64&flip=0", 64, 48),
    ):  # fmt: skip
        yield Site(f"/{KEY}?{query}", width, height)
        for stranger in ("ver=5", "5028", "size=large", "page=2", "v=1.2.3", "f=user_large", "quality=high", "w=90"):
            yield Site(f"/{KEY}?{stranger}&{query}", width, height)
