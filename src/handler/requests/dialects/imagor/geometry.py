"""What the segments of a path, and the filters that change them, do before all other filters.

The rules are those of processor/vipsprocessor/processor.go: turn, crop and trim, resize, mirror.
"""

from __future__ import annotations

import re

from handler.requests.dialects.dialect import Faults
from handler.requests.dialects.imagor.collector import ImagorSteps
from handler.requests.dialects.imagor.path import ImagorPath
from handler.requests.dialects.thumbor.arguments import Arguments, Usage
from imaging import InvalidParameter

_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,12})?|\.[0-9]{1,12}")
_MAX_SIDE = 65_535
MAGENTA = "ff00ff"
"""What a transparent image is laid on before its edges are compared."""
USAGES = {
    "focal": Usage(1, 4, "focal(LEFTxTOP:RIGHTxBOTTOM) or focal(X,Y)"),
    "no_upscale": Usage(0, 0, "no_upscale()"),
    "orient": Usage(1, 1, "orient(0, 90, 180 or 270)"),
    "stretch": Usage(0, 0, "stretch()"),
    "upscale": Usage(0, 0, "upscale()"),
}


class Geometry:
    """Collects the filters that change the geometry wherever they are written, and adds its steps at once."""

    def __init__(self, path: ImagorPath, faults: Faults) -> None:
        self.path = path
        self._faults = faults
        self._angle = 0
        self._stretches = path.stretch
        self._enlarges = not path.fit_in or path.full
        self._focal: list[tuple[float, float, float, float]] = []

    def apply(self, name: str, arguments: Arguments) -> None:
        """Apply one of the filters in USAGES. Raise InvalidParameter."""
        if name == "orient":
            self._angle = right_angle(arguments)
        elif name == "stretch":
            self._stretches = True
        elif name == "focal":
            self._add_focal(arguments)
        else:
            self._enlarges = name == "upscale"

    def add_steps(self, steps: ImagorSteps) -> None:
        """Add turn, crop, trim, resize and mirroring. Raise InvalidParameter."""
        if self._angle:
            steps.add("filters:orient", "rotate", angle=self._angle)
        self._add_crop(steps)
        if self.path.trim is not None:
            corner, tolerance = self.path.trim
            steps.add("trim", "trim", **trim_params(tolerance, corner))
        if self.path.width or self.path.height:
            steps.add("size", "resize", **self._resize_params())
        for name in ("flop", "flip"):
            if getattr(self.path, name):
                steps.add("size", name)

    def _add_crop(self, steps: ImagorSteps) -> None:
        crop = self.path.crop
        if not any(crop):
            return
        if (crop.right and crop.right <= crop.left) or (crop.bottom and crop.bottom <= crop.top):
            expected = "LEFTxTOP:RIGHTxBOTTOM with left below right and top below bottom"
            self._faults.tolerate(InvalidParameter("crop", expected, "x".join(f"{edge:g}" for edge in crop)))
            self.path.crop = type(crop)()
            return
        sides = {"left": crop.left, "top": crop.top}
        sides |= {"width": crop.right - crop.left} if crop.right else {}
        sides |= {"height": crop.bottom - crop.top} if crop.bottom else {}
        params = {name: f"{100 * side:.6f}p" if crop.is_relative else int(side) for name, side in sides.items()}
        steps.add("crop", "crop", **params, clamp=True, optional=True)

    def _resize_params(self) -> dict[str, object]:
        path = self.path
        sides = {"width": path.width, "height": path.height}
        params: dict[str, object] = {name: min(side, _MAX_SIDE) for name, side in sides.items() if side}
        if path.fit_in:
            params["fit"] = "outside" if path.full else "inside"
            params["adaptive"] = path.adaptive
        elif self._stretches and path.width and path.height:
            params["fit"] = "fill"
            return params
        else:
            params |= self._kept_part()
        params["withoutEnlargement"] = not self._enlarges
        return params

    def _kept_part(self) -> dict[str, object]:
        """Return the parameters that say which part is kept: focal areas, then `smart`, then the alignments."""
        if self._focal and (point := self._focal_point()):
            return point
        if self.path.smart:
            return {"position": "attention"}
        words = (self.path.valign.replace("middle", ""), self.path.halign.replace("center", ""))
        return {"position": "-".join(filter(None, words)) or "center"}

    def _add_focal(self, arguments: Arguments) -> None:
        """Add an area `AxB:CxD` or a point `X,Y`, in pixels or in fractions of the original."""
        texts = [text for at in range(len(arguments)) for text in re.split("[x:]", arguments.text(at)) if text]
        if len(texts) not in (2, 4) or not all(_NUMBER.fullmatch(text) for text in texts):
            arguments.refuse("four numbers of an area, or two of a point")
        left, top, right, bottom = (*map(float, texts), 0.0, 0.0)[:4]
        if len(texts) == 2:
            # A point is an area of one pixel; a fraction has hardly any weight beside areas.
            size = 1e-6 if left < 1 and top < 1 else 1.0
            right, bottom = left + size, top + size
        if right > left and bottom > top:
            self._focal.append((left, top, right, bottom))

    def _focal_point(self) -> dict[str, object]:
        """Return the centre of all focal areas, weighted by their size, in what the crop leaves."""
        relative = [max(area[:2]) < 1 and max(area[2:]) <= 1 + 1e-5 for area in self._focal]
        crop = self.path.crop
        if any(relative) != all(relative) or (any(crop) and crop.is_relative != relative[0]):
            error = InvalidParameter("filters:focal", "all in pixels or all in fractions, as the crop is", "both")
            self._faults.tolerate(error)
            return {}
        weights = [(right - left) * (bottom - top) for left, top, right, bottom in self._focal]
        total = sum(weights)
        x, y = (
            sum((area[axis] + area[axis + 2]) / 2 * weight for area, weight in zip(self._focal, weights, strict=True))
            / total
            for axis in (0, 1)
        )
        if relative[0]:
            share = (max(crop.right - crop.left, 1e-9), max(crop.bottom - crop.top, 1e-9)) if any(crop) else (1.0, 1.0)
            x, y = (x - crop.left) / share[0], (y - crop.top) / share[1]
            return {"focalPoint": f"{min(1.0, max(0.0, x)):.6f},{min(1.0, max(0.0, y)):.6f}"}
        return {"focalX": _pixel(x - crop.left), "focalY": _pixel(y - crop.top)}


def _pixel(distance: float) -> int:
    return min(1_000_000, max(0, int(distance)))


def right_angle(arguments: Arguments) -> int:
    """Return the angle, clockwise; imagor turns by nothing else than right angles. Raise InvalidParameter."""
    angle = arguments.integer(0)
    if angle not in (0, 90, 180, 270):
        arguments.refuse("0, 90, 180 or 270")
    return angle


def trim_params(tolerance: int, corner: str) -> dict[str, object]:
    """Return the parameters of a trim with that tolerance, for which 0 means 1."""
    return {"threshold": float(min(255, tolerance or 1)), "corner": corner, "matte": MAGENTA}
