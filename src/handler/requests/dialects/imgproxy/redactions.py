"""The options of imgproxy's paid edition that hide a part of an image: `redact` does it, before any other edit."""

from __future__ import annotations

from handler.requests.dialects.imgproxy.arguments import Arguments
from handler.requests.dialects.imgproxy.options import Collected

_FACE, _ALL = "face", "all"
_MAX_AREAS = 50


def blur_areas(arguments: Arguments, into: Collected) -> None:
    """Hide areas of the original: a sigma, then left, top, width and height of each in fractions."""
    count, rest = divmod(len(arguments) - 1, 4)
    if rest or count > _MAX_AREAS:
        arguments.refuse(f"four numbers for each of at most {_MAX_AREAS} areas")
    numbers = [arguments.given_number(at, 0, 1) for at in range(1, 1 + 4 * count)]
    areas = ",".join(f"{100 * number:.4f}p" for number in numbers)
    _set("areas", into, {"areas": areas} if count and _is_on(arguments) else None)


def blur_detections(arguments: Arguments, into: Collected) -> None:
    """Hide what detectors find: a sigma, then the classes that count."""
    _set("detections", into, _detected(arguments) if _is_on(arguments) else None)


def draw_detections(arguments: Arguments, into: Collected) -> None:
    """Draw the boxes of what detectors find: a boolean, then the classes that count."""
    is_on = arguments.given_boolean(0)
    _set("boxes", into, {**_detected(arguments), "draw": True} if is_on else None)


def _is_on(arguments: Arguments) -> bool:
    """Return whether the sigma, which decides nothing else here, is above 0."""
    return arguments.given_number(0) > 0


def _set(option: str, into: Collected, params: dict[str, object] | None) -> None:
    into.pipeline.redactions.pop(option, None)
    if params is not None:
        into.pipeline.redactions[option] = params


def _detected(arguments: Arguments) -> dict[str, object]:
    """Return what is to be found: faces, or objects by the names that Rekognition has for them."""
    classes = [text for text in arguments.texts[1:] if text]
    if not classes or _ALL in classes:
        return {"detect": "faces,objects"}
    objects = [text.replace("_", " ").title() for text in classes if text != _FACE]
    kinds = ["faces"] * (_FACE in classes) + ["objects"] * bool(objects)
    labels = {"labels": ",".join(objects)} if objects else {}
    return {"detect": ",".join(kinds), **labels}
