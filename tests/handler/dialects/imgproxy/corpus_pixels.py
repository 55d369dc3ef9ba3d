"""Requests whose answers are compared pixel by pixel, in the groups of imgproxy's own tests of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from tests.handler.dialects.imgproxy.corpus import RESIZES
from tests.handler.dialects.imgproxy.pixel_model import CENTER, PixelRequest, Place

COMPASS = ("ce", "no", "so", "ea", "we", "noea", "nowe", "soea", "sowe")
_OFFSETS = ((0.0, 0.0), (10.0, 0.0), (0.0, 10.0), (5.0, 7.0), (0.1, 0.2), (-3.0, 4.0))
_POINTS: tuple[Place, ...] = (("fp", 0.0, 0.0), ("fp", 0.25, 0.75), ("fp", 0.5, 0.5), ("fp", 1.0, 1.0))


def transparent() -> Iterator[tuple[str, PixelRequest]]:
    """Yield requests for an original with transparent parts."""
    for _, requested in _resizes():
        yield "pixels: transparency", requested
    for color in ((255, 128, 0), (0, 0, 0)):
        yield "pixels: transparency", PixelRequest(width=80, background=color)


def pixel_requests() -> Iterator[tuple[str, PixelRequest]]:
    """Yield each request for an opaque original with the group that it belongs to."""
    yield from _resizes()
    for place in _places():
        for box in ((100, 26), (26, 100)):
            yield "pixels: fill", PixelRequest("fill", *box, gravity=place)
        yield "pixels: crop", PixelRequest(crop=(50, 50), crop_gravity=place)
        yield "pixels: crop", PixelRequest(width=40, crop=(0.5, 0.7), gravity=place)
        yield "pixels: extend", PixelRequest(width=60, height=80, extend=place)
        yield "pixels: extend_aspect_ratio", PixelRequest(width=60, height=90, extend_ratio=place)
        for opacity in (1.0, 0.5) if place[0] != "fp" else ():
            yield "pixels: watermark", PixelRequest(width=120, mark=place, opacity=opacity)
    for place, dpr in product(_places(("no", "ea", "soea")), (0.5, 2.0)):
        yield "pixels: dpr", PixelRequest("fill", 80, 20, gravity=place, dpr=dpr)
        yield "pixels: dpr", PixelRequest(width=60, height=80, extend=place, dpr=dpr)
        yield "pixels: dpr", PixelRequest(width=90, mark=place, dpr=dpr)
    yield from _shapes()


def _places(kinds: tuple[str, ...] = COMPASS) -> Iterator[Place]:
    for kind, (x, y) in product(kinds, _OFFSETS):
        yield kind, x, y
    if kinds is COMPASS:
        yield from _POINTS


def _resizes() -> Iterator[tuple[str, PixelRequest]]:
    for options, rows in RESIZES.items():
        kind = options.partition("/")[0].removeprefix("rt:")
        for (width, height), _ in rows:
            more = {
                "enlarge": "el:1" in options,
                "extend": CENTER if "ex:1" in options else None,
                "extend_ratio": CENTER if "exar:1" in options else None,
            }
            yield f"pixels: {kind}", PixelRequest(kind, width, height, **more)  # type: ignore[arg-type]  # three options
    for kind, zoom in product(("fit", "fill", "force"), (0.5, 1.5, 2.0)):
        yield "pixels: zoom", PixelRequest(kind, 60, 40, zoom=zoom)


def _shapes() -> Iterator[tuple[str, PixelRequest]]:
    for angle, across, down, width in product((0, 90, 180, 270), (0, 1), (0, 1), (0, 50)):
        yield "pixels: rotate and flip", PixelRequest(width=width, rotate=angle, flip=(across, down))
    for sides, dpr, color in product(
        ((10, 10, 10, 10), (20, 30, 40, 10), (0, 5, 0, 0)), (0.5, 1.0, 2.0), (None, (255, 128, 0))
    ):
        yield "pixels: padding", PixelRequest(width=80, padding=sides, dpr=dpr, background=color, enlarge=True)
    for width, sigma in product((0, 80), (0.5, 1.0, 2.0, 5.0)):
        yield "pixels: effects", PixelRequest(width=width, blur=sigma)
        yield "pixels: effects", PixelRequest(width=width, sharpen=sigma)
    for width, side in product((0, 80), (2, 5, 10, 33)):
        yield "pixels: effects", PixelRequest(width=width, pixelate=side)
