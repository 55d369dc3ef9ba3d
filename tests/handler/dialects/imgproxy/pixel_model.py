"""What imgproxy makes of a picture, in libvips' calls, from its rules of size and position (processing/*.go).

It is no part of the service and shares no code with it. The files are lossless, so that pixels can be compared.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

Image = Any
"""A pyvips image."""
Place = tuple[str, float, float]
"""A gravity and its offsets."""
CENTER: Place = ("ce", 0.0, 0.0)
_SIDES = {"no": (0, -1), "so": (0, 1), "we": (-1, 0), "ea": (1, 0), "nowe": (-1, -1), "noea": (1, -1), "sowe": (-1, 1),
          "soea": (1, 1), "ce": (0, 0)}  # fmt: skip


class PixelRequest(NamedTuple):
    """The options of one request."""

    kind: str = "fit"
    width: int = 0
    height: int = 0
    enlarge: bool = False
    gravity: Place = CENTER
    crop: tuple[float, float] | None = None
    crop_gravity: Place | None = None
    extend: Place | None = None
    extend_ratio: Place | None = None
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    background: tuple[int, int, int] | None = None
    rotate: int = 0
    flip: tuple[int, int] = (0, 0)
    dpr: float = 1.0
    zoom: float = 1.0
    blur: float = 0.0
    sharpen: float = 0.0
    pixelate: int = 0
    mark: Place | None = None
    opacity: float = 1.0

    def path(self, source: str) -> str:
        """Return the path behind the signature."""
        sizes = (("w", self.width), ("h", self.height), ("rot", self.rotate), ("pix", self.pixelate))
        factors = (("dpr", self.dpr), ("z", self.zoom))
        options = [f"rt:{self.kind}"] if self.kind != "fit" else []
        options += [f"{name}:{value}" for name, value in sizes if value]
        options += [f"{name}:{value:g}" for name, value in factors if value != 1]
        options += [f"{name}:{sigma:g}" for name, sigma in (("bl", self.blur), ("sh", self.sharpen)) if sigma]
        options += ["el:1"] if self.enlarge else []
        options += [f"g:{_written(self.gravity)}"] if self.gravity != CENTER else []
        if self.crop:
            tail = f":{_written(self.crop_gravity)}" if self.crop_gravity else ""
            options.append(f"c:{self.crop[0]:g}:{self.crop[1]:g}{tail}")
        options += [f"ex:1:{_written(self.extend)}"] if self.extend else []
        options += [f"exar:1:{_written(self.extend_ratio)}"] if self.extend_ratio else []
        options += ["pd:" + ":".join(map(str, self.padding))] if any(self.padding) else []
        options += ["bg:" + ":".join(map(str, self.background))] if self.background else []
        options += [f"fl:{self.flip[0]}:{self.flip[1]}"] if any(self.flip) else []
        options += [f"wm:{self.opacity:g}:{_written(self.mark)}"] if self.mark else []
        return "/".join([*options, f"plain/local:///{source}"])


def _written(place: Place) -> str:
    kind, x, y = place
    return f"{kind}:{x:g}:{y:g}" if x or y or kind == "fp" else kind


def half_up(number: float) -> int:
    return math.floor(number + 0.5)


class Sizes(NamedTuple):
    """How a picture is scaled: the factors, the box that it is cut to, and the device pixel ratio that applies."""

    shrink: tuple[float, float]
    box: tuple[int, int]
    dpr: float


def sizes(requested: PixelRequest, source: tuple[int, int]) -> Sizes:
    """Return imgproxy's scale (processing/prepare.go)."""
    asked = (requested.width, requested.height)
    shrinks = [own / side if side else 0.0 for own, side in zip(source, asked, strict=True)]
    kind = requested.kind
    if kind == "auto":
        width, height = (side or own for side, own in zip(asked, source, strict=True))
        kind = "fill" if (source[0] >= source[1]) == (width >= height) else "fit"
    if kind == "force":
        shrinks = [shrink or 1.0 for shrink in shrinks]
    else:
        known = [shrink for shrink in shrinks if shrink] or [1.0]
        shrinks = [max(known) if kind == "fit" else min(known)] * 2
    shrinks = [shrink / requested.zoom for shrink in shrinks]
    dpr, smallest = requested.dpr, min(shrinks)
    if not requested.enlarge:
        if smallest < 1:
            shrinks = [shrink / smallest for shrink in shrinks]
            dpr = dpr if requested.extend else dpr / smallest
        dpr = min(dpr, *shrinks)
    box = tuple(half_up(side * dpr * requested.zoom) for side in asked)
    across, down = (min(shrink / dpr, float(own)) for shrink, own in zip(shrinks, source, strict=True))
    return Sizes((across, down), (box[0], box[1]), dpr)


def position(
    place: Place, outer: tuple[int, int], inner: tuple[int, int], dpr: float, *, inside: bool = True
) -> list[int]:
    """Return left and top (processing/calc_position.go)."""
    kind, *offsets = place
    if kind == "fp":
        found = [round(o * share) - i // 2 for o, i, share in zip(outer, inner, offsets, strict=True)]
    else:
        found = []
        for side, o, i, offset in zip(_SIDES[kind], outer, inner, offsets, strict=True):
            moved = round(offset * dpr) if abs(offset) >= 1 else round(o * offset)
            found.append(moved if side < 0 else o - i - moved if side > 0 else round((o - i + 1) / 2) + moved)
    limits = [(0, o - i) if inside else (1 - i, o - 1) for o, i in zip(outer, inner, strict=True)]
    return [max(low, min(at, high)) for at, (low, high) in zip(found, limits, strict=True)]


def cut(image: Image, box: tuple[int, int], place: Place, dpr: float) -> Image:
    size = (min(box[0] or image.width, image.width), min(box[1] or image.height, image.height))
    left, top = position(place, (image.width, image.height), size, dpr)
    return image.crop(left, top, *size)


def scaled(image: Image, factors: tuple[float, float]) -> Image:
    across, down = factors
    if across == down == 1:
        return image
    if not image.hasalpha():
        return image.resize(1 / across, vscale=1 / down)
    colors = image.premultiply().cast(image.format).resize(1 / across, vscale=1 / down)
    return colors.unpremultiply().cast(image.format).copy(interpretation=image.interpretation)


def filtered(image: Image, requested: PixelRequest) -> Image:
    if requested.blur:
        image = image.gaussblur(requested.blur)
    if requested.sharpen:
        image = image.sharpen(sigma=requested.sharpen)
    if requested.pixelate > 1:
        side, size = requested.pixelate, (image.width, image.height)
        whole = [-(-length // side) * side for length in size]
        image = image.embed(0, 0, *whole, extend="mirror").shrink(side, side).zoom(side, side).crop(0, 0, *size)
    return image


def on_canvas(image: Image, canvas: tuple[int, int], left: int, top: int) -> Image:
    image = image if image.hasalpha() else image.addalpha()
    return image.embed(left, top, *canvas, extend="background", background=[0] * image.bands)


def extended(image: Image, requested: PixelRequest, found: Sizes) -> Image:
    own = (image.width, image.height)
    if requested.extend:
        own = (max(image.width, found.box[0]), max(image.height, found.box[1]))
        if own != (image.width, image.height):
            image = on_canvas(image, own, *position(requested.extend, own, (image.width, image.height), found.dpr))
    if requested.extend_ratio and all(found.box):
        width, height = own = (image.width, image.height)
        if found.box[0] / width > found.box[1] / height:
            own = (half_up(height * found.box[0] / found.box[1]), height)
        else:
            own = (width, half_up(width * found.box[1] / found.box[0]))
        if own != (width, height):
            image = on_canvas(image, own, *position(requested.extend_ratio, own, (width, height), found.dpr))
    if any(requested.padding):
        top, right, bottom, left = (round(side * found.dpr) for side in requested.padding)
        image = on_canvas(image, (image.width + left + right, image.height + top + bottom), left, top)
    return image


def made(image: Image, requested: PixelRequest, mark: Image) -> Image:
    """Return the picture that imgproxy answers."""
    image = image.rot(f"d{requested.rotate}") if requested.rotate else image
    image = image.fliphor() if requested.flip[0] else image
    image = image.flipver() if requested.flip[1] else image
    if requested.crop:
        parts = zip(requested.crop, (image.width, image.height), strict=True)
        sides = [side if not part else int(part) if part >= 1 else max(1, half_up(part * side)) for part, side in parts]
        image = cut(image, (sides[0], sides[1]), requested.crop_gravity or requested.gravity, 1.0)
    found = sizes(requested, (image.width, image.height))
    image = scaled(image, found.shrink)
    box = found.box
    if requested.kind == "fill-down" and not requested.enlarge and all(box):
        lack = max(box[0] / image.width, box[1] / image.height)
        if lack > 1:
            by_width = box[0] / image.width > box[1] / image.height
            box = (image.width, half_up(image.width * box[1] / box[0])) if by_width else (
                half_up(image.height * box[0] / box[1]), image.height)  # fmt: skip
    image = filtered(cut(image, box, requested.gravity, found.dpr), requested)
    image = extended(image, requested, found)
    if requested.background:
        image = image.flatten(background=list(requested.background)) if image.hasalpha() else image
    if requested.mark:
        image = marked(image, requested, mark, found.dpr)
    return image


def marked(image: Image, requested: PixelRequest, mark: Image, dpr: float) -> Image:
    place = requested.mark or CENTER
    mark = mark.linear([1, 1, 1, requested.opacity], [0] * 4, uchar=True).copy(interpretation="srgb")
    left, top = position(place, (image.width, image.height), (mark.width, mark.height), dpr, inside=False)
    both = image.composite2(mark, "over", x=left, y=top).cast("uchar")
    return both if image.hasalpha() else both[:3]
