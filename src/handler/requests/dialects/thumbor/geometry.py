"""The geometry of a Thumbor path: trim, crop, size and mirroring, which Thumbor does before any other filter."""

from __future__ import annotations

import math
from typing import NamedTuple

from handler.requests.dialects.dialect import Faults
from handler.requests.dialects.thumbor.grammar import Size, ThumborPath
from handler.requests.dialects.thumbor.step_builder import StepBuilder
from imaging import InvalidParameter

# Thumbor compares two colours by their Euclidean distance over three channels (`color_distance` in
# thumbor/ext/filters/_bounding_box.c), libvips by the largest difference in one channel. Two greys that differ by d in
# each channel are d·√3 apart for Thumbor and d for libvips, so for greys the conversion is exact.
EUCLIDEAN = math.sqrt(3)


class Box(NamedTuple):
    """A part of the original, in pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        """Return the number of pixels in it."""
        return (self.right - self.left) * (self.bottom - self.top)


class Geometry:
    """Collects what the segments and the filters of Thumbor's phase `pre-load` decide, and adds its steps at once.

    These filters (`focal`, `stretch` and the like) change how the size segment is applied, wherever they are written.
    """

    def __init__(self, path: ThumborPath, faults: Faults) -> None:
        self.path = path
        self._faults = faults
        self.focal_areas: list[Box] = []
        """The areas of `focal` and `extract_focal`, of which a crop keeps the weighted centre."""
        self.is_stretched = False
        """Whether `stretch` gives the image the exact size instead of cropping it."""
        self.may_enlarge = True
        """Whether `no_upscale` is absent."""
        self.is_upscaled = False
        """Whether `fit-in` enlarges a smaller image, which it does with `upscale` only."""

    @property
    def size(self) -> Size:
        """Return the size of the path; both sides are 0 where it has none."""
        return self.path.size or Size(0, 0)

    def add_steps(self, builder: StepBuilder) -> None:
        """Add trim, crop, resize, flop and flip, in this order, to the builder. Raise InvalidParameter."""
        if self.path.trim:
            corner, tolerance = self.path.trim
            threshold = min(255.0, round(tolerance / EUCLIDEAN, 3))
            builder.add("trim", "trim", threshold=threshold, corner=corner, lineArt=True)
        self._add_crop(builder)
        if self.size.width or self.size.height:
            builder.add("size", "resize", **self._resize_params())
        if self.size.flop:
            builder.add("size", "flop")
        if self.size.flip:
            builder.add("size", "flip")

    def _add_crop(self, builder: StepBuilder) -> None:
        crop = self.path.crop
        if not crop:
            return
        left, top, right, bottom, relative = crop
        if left >= right or top >= bottom:
            expected = "LEFTxTOP:RIGHTxBOTTOM with left below right and top below bottom"
            self._faults.tolerate(InvalidParameter("crop", expected, f"{left:g}x{top:g}:{right:g}x{bottom:g}"))
            self.path.crop = None
            return
        edges = {"left": left, "top": top, "width": right - left, "height": bottom - top}
        params: dict[str, object] = {
            name: f"{100 * edge:.6f}p" if relative else int(edge) for name, edge in edges.items()
        }
        # `clamp`: Thumbor limits a crop to the image instead of refusing it, and leaves one out that lies beside it
        # (transformer.py, manual_crop).
        optional = {"optional": True} if self._faults.is_lenient else {}
        builder.add("crop", "crop", **params, clamp=True, **optional)

    def _resize_params(self) -> dict[str, object]:
        width, height = self.size.width, self.size.height
        params: dict[str, object] = {name: side for name, side in (("width", width), ("height", height)) if side}
        if width is None or height is None:
            params["keep"] = "width" if width is None else "height"
        fit = self.path.fit_in
        if fit is not None:
            # `fit-in` leaves a smaller image as it is; `full-fit-in` and the filter `upscale` enlarge it
            # (transformer.py, fit_in_resize). Enlargements place pixels as Pillow does: `centred`.
            params["fit"] = "outside" if fit.full else "inside"
            params["adaptive"] = fit.adaptive
            params["withoutEnlargement"] = not (fit.full or self.is_upscaled) or not self.may_enlarge
            params["centred"] = not params["withoutEnlargement"]
            return params
        if self.is_stretched and width and height:
            params["fit"] = "fill"
        params["withoutEnlargement"] = not self.may_enlarge
        params["centred"] = self.may_enlarge
        return params | self._kept_part()

    def _kept_part(self) -> dict[str, object]:
        """Return the parameters of `resize` that say which part is kept: focal areas, then `smart`, then alignment."""
        # If the crop leaves no focal area, Thumbor falls back to the alignment (transformer.py, adjust_focal_points).
        if self.focal_areas and (point := self._focal_point()):
            return point
        if self.path.smart:
            return {"position": "attention"}
        halign = self.path.halign.replace("center", "")
        valign = self.path.valign.replace("middle", "")
        return {"position": "-".join(filter(None, (valign, halign))) or "center"}

    def _focal_point(self) -> dict[str, object]:
        """Return the weighted centre of all focal areas, in pixels of the cropped image.

        The formula is Thumbor's (transformer.py, adjust_focal_points and get_center_of_mass; point.py, from_square):
        each area counts with its centre c and with its size in pixels as weight w, and the focal point is
        Σ(c·w) / Σw. Every division is rounded down.
        """
        left = top = 0
        areas = self.focal_areas
        crop = self.path.crop
        if crop:
            # Pixels of the original become pixels of what the crop leaves. Fractions cannot be subtracted from them
            # before the size of the original is known.
            if crop.relative:
                error = InvalidParameter("filters:focal", "left out where the crop is given in fractions", "both")
                self._faults.tolerate(error)
                return {}
            left, top = int(crop.left), int(crop.top)
            # An area whose centre was cut off does not count.
            areas = [
                area
                for area in areas
                if crop.left <= (area.left + area.right) / 2 <= crop.right
                and crop.top <= (area.top + area.bottom) / 2 <= crop.bottom
            ]
        weight = sum(area.area for area in areas)
        if not weight:
            return {}
        x = sum((area.left + (area.right - area.left) // 2) * area.area for area in areas) // weight
        y = sum((area.top + (area.bottom - area.top) // 2) * area.area for area in areas) // weight
        return {"focalX": x - left, "focalY": y - top}
