"""Trim, crop, size and signs of a path: what Thumbor does before any filter."""

from __future__ import annotations

import math
from typing import NamedTuple

from handler.requests.dialects.thumbor.grammar import Path, Size
from handler.requests.dialects.thumbor.step_builder import StepBuilder
from imaging import InvalidParameter

# Thumbor measures how far apart two colours are in space, libvips channel by channel; for greys this is the same.
EUCLIDEAN = math.sqrt(3)


class Box(NamedTuple):
    """A part of the original, in pixels."""

    left: int
    top: int
    right: int
    bottom: int


class Geometry:
    """What the segments and the filters that come before everything else say of size and place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.focal: list[Box] = []
        self.is_stretched = False
        self.may_enlarge = True
        self.is_upscaled = False

    @property
    def size(self) -> Size:
        """The size that is asked for."""
        return self._path.size or Size(0, 0)

    def put(self, builder: StepBuilder) -> None:
        """Add the steps. InvalidParameter."""
        if self._path.trim:
            corner, tolerance = self._path.trim
            threshold = min(255.0, round(tolerance / EUCLIDEAN, 3))
            builder.add("trim", "trim", threshold=threshold, corner=corner, lineArt=True)
        self._crop(builder)
        if self.size.width or self.size.height:
            builder.add("size", "resize", **self._resize())
        if self.size.flop:
            builder.add("size", "flop")
        if self.size.flip:
            builder.add("size", "flip")

    def _crop(self, builder: StepBuilder) -> None:
        crop = self._path.crop
        if not crop:
            return
        left, top, right, bottom, shares = crop
        if left >= right or top >= bottom:
            raise InvalidParameter("crop", "left x top : right x bottom", f"{left:g}x{top:g}:{right:g}x{bottom:g}")
        edges = {"left": left, "top": top, "width": right - left, "height": bottom - top}
        params: dict[str, object] = {
            name: f"{100 * edge:.6f}p" if shares else int(edge) for name, edge in edges.items()
        }
        builder.add("crop", "crop", **params, clamp=True)

    def _resize(self) -> dict[str, object]:
        width, height = self.size.width, self.size.height
        params: dict[str, object] = {name: side for name, side in (("width", width), ("height", height)) if side}
        if width is None or height is None:
            params["keep"] = "width" if width is None else "height"
        fit = self._path.fit_in
        if fit is not None:
            params["fit"] = "outside" if fit.full else "inside"
            params["adaptive"] = fit.adaptive
            params["withoutEnlargement"] = not (fit.full or self.is_upscaled) or not self.may_enlarge
            params["centred"] = not params["withoutEnlargement"]
            return params
        if self.is_stretched and width and height:
            params["fit"] = "fill"
        params["withoutEnlargement"] = not self.may_enlarge
        params["centred"] = self.may_enlarge
        return params | self._kept()

    def _kept(self) -> dict[str, object]:
        """What a crop to the asked proportions keeps."""
        if self.focal:
            return self._focal_point()
        if self._path.smart:
            return {"position": "attention"}
        across = self._path.across.replace("center", "")
        down = self._path.down.replace("middle", "")
        return {"position": "-".join(filter(None, (down, across))) or "center"}

    def _focal_point(self) -> dict[str, object]:
        """The middle of all focal areas, weighed by their sizes, in pixels of what the crop leaves."""
        left = top = 0
        boxes = self.focal
        crop = self._path.crop
        if crop:
            if crop.shares:
                raise InvalidParameter("filters:focal", "left out with a crop in shares", "both")
            left, top = int(crop.left), int(crop.top)
            boxes = [box for box in boxes if _is_within(box, crop.left, crop.top, crop.right, crop.bottom)]
        weight = sum(_area(box) for box in boxes)
        if not weight:
            return {}
        x = sum((box.left + (box.right - box.left) // 2) * _area(box) for box in boxes) // weight
        y = sum((box.top + (box.bottom - box.top) // 2) * _area(box) for box in boxes) // weight
        return {"focalX": x - left, "focalY": y - top}


def _area(box: Box) -> int:
    return (box.right - box.left) * (box.bottom - box.top)


def _is_within(box: Box, left: float, top: float, right: float, bottom: float) -> bool:
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return left <= x <= right and top <= y <= bottom
