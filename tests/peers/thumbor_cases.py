"""Requests for the comparison with Thumbor, and how far apart the pictures may be."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

SOURCES = ("wide.png", "tall.png")


class Limit(NamedTuple):
    """Levels of 255: over the whole picture, and in any 16 x 16 block; and by how many pixels a side may differ."""

    mean: float = 2.0
    block: float = 12.0
    pixels: int = 0


class Case(NamedTuple):
    """A path behind `unsafe`, and its limit."""

    path: str
    limit: Limit = Limit()


# Thumbor rounds the box that it cuts out to whole pixels of the original and then scales it: up to half of such a
# pixel away from the exact place, which shows at hard edges, and the more the picture is enlarged.
CUT = Limit(mean=4.0, block=24.0)
CUT_AND_ENLARGED = Limit(mean=9.0, block=64.0)
# Pillow enlarges by Lanczos, libvips by a bicubic spline: they differ beside hard edges.
HARD_EDGES = Limit(mean=4.0, block=40.0)
# Thumbor cuts fractions of a side off where libvips rounds them; the comparison brings both to one size.
ROUNDED = Limit(mean=4.0, block=24.0, pixels=1)
# What is a level apart after the resize is many apart after these filters.
AMPLIFIED = Limit(mean=4.0, block=24.0)
# Thumbor smooths the rim of a corner by a rule of its own, libvips by the share of a pixel that is covered.
RIM = Limit(block=26.0)
# The overlay's own size is rounded another way.
SCALED_MARK = Limit(block=18.0)
# Thumbor takes 2.55 levels off the overlay's alpha for each percent, everything else takes a share of it.
FAINT_MARK = Limit(block=30.0)

_SAME_SHAPE = ("", "-0x-0/", "0x-0/", "300x0/", "0x150/", "-200x0/", "fit-in/200x200/", "fit-in/300x0/",
               "fit-in/800x800/", "fit-in/-200x-150/", "fit-in/origx100/", "full-fit-in/200x200/",
               "full-fit-in/240x90/", "adaptive-fit-in/200x300/", "adaptive-full-fit-in/200x300/")  # fmt: skip
_CUTS = ("200x200/", "200x300/", "300x100/", "-150x100/", "origx100/", "100xorig/")
_PLACES = ("", "left/", "right/", "top/", "bottom/", "left/top/", "right/bottom/", "center/middle/")
_CROPS = ("10x20:200x220/", "0x0:100x100/100x0/", "50x50:250x250/fit-in/90x90/", "100x60:9000x9000/")
_TRIMS = ("trim/", "trim:bottom-right/", "trim:top-left:20/", "trim/fit-in/60x60/", "trim/-0x0/")
_FOCAL = ("focal(0x0:40x40)", "focal(150x100:250x200)", "focal(0x0:40x40):focal(150x100:250x200)")
_FILTERS = (
    "blur(3)", "blur(7)", "blur(20)", "blur(9,2)", "blur(60)", "brightness(40)", "brightness(-30)", "brightness(100)",
    "contrast(40)", "contrast(-40)", "contrast(-100)", "rgb(20,-30,40)", "rgb(-100,0,100)", "saturation(0)",
    "saturation(0.3)", "saturation(2)", "grayscale()", "equalize()", "colorize(40,50,60,ff8800)",
    "colorize(0,100,0,00ff00)", "convolution(1;2;1;2;4;2;1;2;1,3,true)",
    "convolution(-1;-1;-1;-1;8;-1;-1;-1;-1,3,false)", "convolution(0;-1;0;-1;5;-1;0;-1;0,3,true)",
    "curve([(0,0),(40,59),(255,255)],[(32,59),(64,80),(224,215)],[(34,41),(255,255)],[(40,46),(255,198)])",
    "sharpen(2,1.0,true)", "sharpen(2,0.5,false)", "sharpen(4,3,true)", "noise(0)", "rotate(90)", "rotate(180)",
    "rotate(270)", "rotate(-90)", "proportion(1)", "strip_exif():strip_icc()", "autojpg(false)",
    "background_color(ff8800)", "no_upscale()", "upscale()", "grayscale():brightness(20):rotate(90)",
    "rotate(90):contrast(20):rgb(10,0,-10)",
)  # fmt: skip
_FILLS = ("fill(ff0000)", "fill(auto)", "fill(blur)", "fill(transparent)", "fill(00ff00,true)", "blur(3):fill(white)")
_ROUND = ("round_corner(20,255,0,0)", "round_corner(60|30,0,255,0)", "round_corner(40,0,0,0,true)")
_MARKS = ("watermark(logo.png,10,20,0)", "watermark(logo.png,-10,-20,0)", "watermark(logo.png,center,center,0,30)",
          "watermark(logo.png,10p,-20p,0,none,30)", "watermark(logo.png,-0,0,0,25)")  # fmt: skip
_FAINT = ("watermark(logo.png,10,20,50)", "watermark(logo.png,center,-5,80)")
_ENLARGING = ("300x0/", "0x150/", "-200x0/", "full-fit-in/")
_AMPLIFYING = ("convolution(-1", "convolution(0", "sharpen(", "saturation(2")


def cases() -> Iterator[Case]:
    """A few hundred; the paths are all different."""
    for shape, source in product(_SAME_SHAPE, (*SOURCES, "logo.png")):
        is_enlarged = source == "logo.png" and shape.startswith(_ENLARGING)
        yield Case(shape + source, HARD_EDGES if is_enlarged else Limit())
    for shape in (*_SAME_SHAPE, *_CROPS):
        yield Case(f"{shape}filters:format(png)/wide.jpg")
    for cut, place, source in product(_CUTS, _PLACES, ("wide.png", "tall.png")):
        yield Case(cut + place + source, CUT)
    for crop, source in product(_CROPS, SOURCES):
        yield Case(crop + source)
    for trim in _TRIMS:
        yield Case(trim + "framed.png")
    for focal, size in product(_FOCAL, ("200x200", "100x200", "300x100")):
        yield Case(f"{size}/filters:{focal}/wide.png", CUT)
    yield from _enlarged()
    yield from _filtered()


def _enlarged() -> Iterator[Case]:
    for shape in ("200x0/", "0x200/", "full-fit-in/150x150/", "180x120/"):
        yield Case(shape + "small.png")
    for shape in ("fit-in/200x200/filters:upscale()/", "fit-in/150x150/filters:grayscale():upscale()/"):
        yield Case(shape + "small.png", ROUNDED)
    for shape in ("200x200/", "300x100/", "150x100/left/"):
        yield Case(shape + "small.png", CUT_AND_ENLARGED)
        yield Case(f"{shape}filters:no_upscale()/small.png")
        yield Case(f"{shape}filters:stretch()/small.png")


def _filtered() -> Iterator[Case]:
    for shape, effect in product(("", "fit-in/160x160/"), _FILTERS):
        limit = AMPLIFIED if shape and effect.startswith(_AMPLIFYING) else Limit()
        yield Case(f"{shape}filters:{effect}/wide.png", limit)
    for effect in ("blur(3)", "rotate(90)", "brightness(40)"):
        yield Case(f"300x0/filters:{effect}/tall.png")
    yield Case("filters:proportion(0.5)/wide.png")
    for share in ("0.33", "0.71"):
        yield Case(f"filters:proportion({share})/wide.png", ROUNDED)
    for fill, source in product(_FILLS, SOURCES):
        yield Case(f"fit-in/301x300/filters:{fill}/{source}")
    for color in ("ff0000", "transparent", "00ff00,true"):
        yield Case(f"fit-in/301x300/filters:fill({color})/logo.png")
    for effect in _ROUND:
        yield Case(f"filters:{effect}/wide.png", RIM)
    for effect in _MARKS:
        yield Case(f"filters:{effect}/wide.png", SCALED_MARK)
    for effect in _FAINT:
        yield Case(f"filters:{effect}/wide.png", FAINT_MARK)
