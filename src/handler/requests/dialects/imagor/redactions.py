"""The filters of imagor that hide or mark what a detector finds, by `redact`: it comes before any other edit."""

from __future__ import annotations

from handler.requests.dialects.imagor.collector import Filter, ImagorSteps
from handler.requests.dialects.imagor.colors import read_color
from handler.requests.dialects.thumbor.arguments import Arguments, Usage

_MODES = ("blur", "pixelate")


def _redact(steps: ImagorSteps, arguments: Arguments) -> None:
    """Hide faces; the strength has no effect, since less would show them."""
    mode = arguments.text(0, "blur")
    filled = {"mode": "fill", "color": read_color(arguments, 0)} if mode not in _MODES else {"mode": mode}
    shape = {"shape": "ellipse"} if arguments.where.endswith("_oval") else {}
    steps.add(arguments.where, "redact", detect="faces", **filled, **shape)


def _draw(steps: ImagorSteps, arguments: Arguments) -> None:
    steps.add(arguments.where, "redact", detect="faces", draw=True)


FILTERS = {
    "draw_detections": Filter(Usage(0, 0, "draw_detections()"), _draw),
    "redact": Filter(Usage(0, 2, "redact([blur, pixelate or COLOUR[,STRENGTH]])"), _redact),
    "redact_oval": Filter(Usage(0, 2, "redact_oval([blur, pixelate or COLOUR[,STRENGTH]])"), _redact),
}
