"""Paths of imagor's own tests in Thumbor's language, each with the size and the format that imagor answers with.

The paths are those of `processor/vipsprocessor/processor_test.go` and `imagorpath/params_test.go` of
https://github.com/cshum/imagor. The sizes follow from its `process.go` and from the sizes of the originals: its gopher
has 1634 x 2224 pixels, the one from the front 167 x 169. What imagor adds to the language is left out: labels, texts,
images as filters, padding, `stretch` as a segment, points as focus, colours as originals and escaped slashes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Expected(NamedTuple):
    """A path behind `/unsafe/` and what imagor answers to it."""

    path: str
    width: int
    height: int
    format: str


GOPHER, FRONT, BANANA, CANON = "gopher.png", "gopher-front.png", "dancing-banana.gif", "Canon_40D.jpg"
FOCUS = "filters:fill(white):format(jpeg):focal"
NO_PROPORTION = "proportion():proportion(9999):proportion(0.0000000001):proportion(-10)"
ALIGNED = ("200x100/right/top", "200x100/bottom", "200x100/left/bottom", "100x200/left", "100x200/left/bottom",
           "100x200/right", "100x200/right/top")  # fmt: skip


def expectations() -> Iterator[Expected]:
    """Yield every path."""
    yield from formats()
    yield from stills()
    yield from trims_and_watermarks()
    yield from animations()
    for path in ("fit-in/100x100/demo1.jpg", f"fit-in/100x100/{BANANA}", "gopher.tiff", CANON,
                 f"fit-in/100x100/filters:format(jpg)/{BANANA}", f"filters:strip_exif()/{CANON}"):  # fmt: skip
        yield Expected(f"meta/{path}", 0, 0, "json")


def formats() -> Iterator[Expected]:
    yield Expected(FRONT, 167, 169, "png")
    sources = {"demo1.jpg": "jpeg", "demo3.webp": "webp", "gopher.tiff": "tiff", "gopher-front.avif": "avif"}
    for name, kind in sources.items():
        yield Expected(f"fit-in/100x100/{name}", 100, 75, kind)
        yield Expected(f"fit-in/67x67/{name}", 67, 50, kind)
    yield Expected(f"fit-in/67x67/{FRONT}", 66, 67, "png")
    yield Expected(f"fit-in/67x67/{BANANA}", 67, 50, "gif")
    for kind in ("gif", "webp", "tiff", "jxl", "avif", "heif"):
        yield Expected(f"filters:format({kind}):quality(70)/{FRONT}", 167, 169, kind)
    yield Expected(f"filters:strip_exif()/{CANON}", 100, 68, "jpeg")
    yield Expected("100x100/bmp_24.bmp", 100, 100, "")
    yield Expected("100x100/lena_gray.bmp", 100, 100, "")


def stills() -> Iterator[Expected]:
    nothing = f"background_color():round_corner():padding():rotate():{NO_PROPORTION}"
    yield Expected(f"filters:{nothing}/{FRONT}", 167, 169, "png")
    yield Expected(f"filters:{NO_PROPORTION}:sharpen(-1)/{FRONT}", 167, 169, "png")
    yield Expected(f"100x100/filters:quality(70):format(jpeg)/{GOPHER}", 100, 100, "jpeg")
    yield Expected(f"100x100/smart/filters:autojpg()/{GOPHER}", 100, 100, "")
    for head, focus in (
        ("300x100", "(589x401:1000x814)"), ("100x300", "(589x401:1000x814)"), ("300x100", "(0.35x0.25:0.6x0.3)"),
        ("300x100", "(589x401):focal(1000x814)"), ("300x100", "(9999x9999)"),
    ):  # fmt: skip
        width, height = map(int, head.split("x"))
        yield Expected(f"{head}/{FOCUS}{focus}/{GOPHER}", width, height, "jpeg")
    yield Expected(f"0x100:9999x9999/300x100/{FOCUS}(589x401:1000x814)/{GOPHER}", 300, 100, "jpeg")
    yield Expected(f"200x100/top/filters:quality(70):format(tiff)/{GOPHER}", 200, 100, "tiff")
    for head in ALIGNED:
        width, height = map(int, head.partition("/")[0].split("x"))
        yield Expected(f"{head}/{GOPHER}", width, height, "png")
    yield Expected(f"filters:proportion(10)/{GOPHER}", 163, 222, "png")
    yield Expected(f"filters:proportion(0.1)/{GOPHER}", 163, 222, "png")
    for head, width, height in (("50x0", 50, 34), ("0x50", 74, 50)):
        yield Expected(f"fit-in/{head}/filters:fill(white):format(jpg)/{CANON}", width, height, "jpeg")
        yield Expected(f"{head}/filters:fill(white):format(jpg)/{CANON}", width, height, "jpeg")
    yield Expected(f"500x400/filters:no_upscale()/{FRONT}", 167, 169, "png")
    yield Expected(f"500x0/filters:no_upscale()/{FRONT}", 167, 169, "png")
    yield Expected(f"adaptive-fit-in/100x200/{GOPHER}", 100, 136, "png")
    yield Expected(f"adaptive-fit-in/200x100/{FRONT}", 100, 101, "png")
    yield Expected(f"adaptive-fit-in/200x100/{GOPHER}", 100, 136, "png")
    yield Expected(f"adaptive-fit-in/200x100/filters:fill(white):format(jpeg)/{FRONT}", 100, 200, "jpeg")
    yield Expected(f"full-fit-in/300x200/{GOPHER}", 300, 408, "png")
    yield Expected(f"full-fit-in/300x200/smart/{GOPHER}", 300, 408, "png")
    yield Expected(f"full-fit-in/74x11/{FRONT}", 74, 75, "png")
    yield Expected(f"full-fit-in/30x39/{FRONT}", 39, 39, "png")
    yield Expected(f"adaptive-full-fit-in/100x200/{GOPHER}", 147, 200, "png")
    yield Expected(f"fit-in/-200x0/filters:hue(290):saturation(100):fill(FFO):upscale()/{GOPHER}", 200, 272, "png")
    yield Expected(f"filters:max_bytes(60000):format(jpg):fill(white)/{GOPHER}", 1634, 2224, "jpeg")
    yield Expected(f"filters:max_bytes(6000):format(jpg):fill(white)/{GOPHER}", 1634, 2224, "jpeg")
    end = f"background_color({{}}):format(jpeg):quality(70)/{GOPHER}"
    yield Expected(f"200x-210/top/filters:blur(5):sharpen(5):{end.format('ffff00')}", 200, 210, "jpeg")
    yield Expected(f"200x-210/top/filters:blur(1,2):sharpen(1,2):{end.format('ff0')}", 200, 210, "jpeg")
    yield Expected(f"fit-in/0x210/filters:fill(yellow):round_corner(40,60,green)/{GOPHER}", 154, 210, "png")
    yield Expected("filters:background_color(yellow)/demo1.jpg", 640, 480, "jpeg")
    yield Expected(f"-167x-169/{FRONT}", 167, 169, "png")


def trims_and_watermarks() -> Iterator[Expected]:
    """Yield paths of an image of 500 x 400 pixels, of which 200 x 100 are not its ground, and of overlays."""
    trim = "find_trim.png"
    yield Expected(f"fit-in/400x400/filters:fill(auto)/{trim}", 400, 400, "png")
    yield Expected(f"trim:bottom-right/50x50:0x0/{trim}", 200, 100, "png")
    yield Expected(f"trim:bottom-right/500x500/filters:strip_exif():upscale():no_upscale()/{trim}", 200, 100, "png")
    yield Expected(f"trim/fit-in/1000x1000/filters:upscale():strip_icc()/{trim}", 1000, 500, "png")
    yield Expected(f"trim:50/500x500/filters:stretch()/{trim}", 500, 500, "png")
    yield Expected("filters:watermark(demo1.jpg,repeat,repeat,40,25,50)/demo1.jpg", 640, 480, "jpeg")
    for first, middle, last in (
        ("10p,repeat,30,20,20", "repeat,bottom,30,30,30", "center,-10p"),
        ("0.1,repeat,30,20,20", "repeat,bottom,30,30,30", "center,-0.1"),
        ("left,top,30,20,20", "right,center,30,30,30", "-20,-10"),
    ):
        marks = f"watermark({GOPHER},{first}):watermark({GOPHER},{middle}):watermark({FRONT},{last})"
        yield Expected(f"fit-in/500x500/filters:fill(white):{marks}/{GOPHER}", 500, 500, "png")


def animations() -> Iterator[Expected]:
    """Yield paths of an animation of 160 x 120 pixels."""
    nothing = "watermark():blur(2):sharpen(2):brightness():contrast():hue():saturation():rgb():modulate()"
    yield Expected(f"trim/filters:{nothing}/{BANANA}", 160, 120, "gif")
    yield Expected(f"trim/{BANANA}", 160, 120, "gif")
    yield Expected(f"filters:fill(white):format(jpeg)/{BANANA}", 160, 120, "jpeg")
    for head in ("", "filters:quality(60)/", "filters:strip_exif()/", "filters:fill(cyan):round_corner(60)/"):
        yield Expected(f"{head}{BANANA}", 160, 120, "gif")
    yield Expected(f"30x20:100x150/{BANANA}", 70, 100, "gif")
    yield Expected(f"0.1x0.2:0.89x0.72/{BANANA}", 126, 62, "gif")
    yield Expected(f"100x30/filters:focal(0.1x0:0.89x0.72)/{BANANA}", 100, 30, "gif")
    yield Expected(f"100x30/filters:focal(0.89x0.72)/{BANANA}", 100, 30, "gif")
    for head in ("100x100", "200x100/top", *ALIGNED):
        width, height = map(int, head.partition("/")[0].split("x"))
        yield Expected(f"{head}/{BANANA}", width, height, "gif")
    for marks in (
        f"fill(yellow):watermark({FRONT},repeat,bottom,0,30,30)", f"fill(yellow):watermark({FRONT},-20,-10,0,30,30)",
        f"fill(cyan):watermark({BANANA},repeat,bottom,0,50,50)",
        f"fill(yellow):watermark({BANANA},-20,-10,0,30,30):watermark(nyan-cat.gif,0,10,0,40,30)",
    ):  # fmt: skip
        yield Expected(f"fit-in/200x150/filters:{marks}/{BANANA}", 200, 150, "gif")
