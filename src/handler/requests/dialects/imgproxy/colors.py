"""The steps that change colours: brightness, contrast, saturation, shades of one or two colours, a colour over all."""

from __future__ import annotations

from collections.abc import Iterator

from features import by_name
from handler.requests.dialects.imgproxy.options import Pipeline
from imaging import Step, check

_LIGHTNESS = (0.2126, 0.7152, 0.0722)
"""The shares of red, green and blue in the lightness of a colour in sRGB."""


def make_step(feature: str, **params: object) -> Step:
    """Return a step with checked parameters. Raise InvalidParameter."""
    known = by_name(feature)
    return Step(known, check(known.params, params, where=feature))


def adjust_colors(pipeline: Pipeline) -> Iterator[Step]:
    """Yield the steps that change colours. Raise InvalidParameter."""
    light, contrast, saturation = pipeline.adjust
    if light or contrast != 1:
        # The middle level keeps its place.
        yield make_step("linear", a=[contrast], b=[light + 127.5 * (1 - contrast)])
    if saturation != 1:
        yield make_step("modulate", saturation=saturation)
    if pipeline.tone is not None:
        yield from _tone(*pipeline.tone)
    opacity, color = pipeline.colorize
    if opacity:
        yield make_step("linear", a=[1 - opacity], b=[opacity * level for level in _levels(color)])


def _tone(share: float, dark: str, light: str, white: int) -> Iterator[Step]:
    """Yield steps that replace a share of each colour by a shade: `dark` for black, `light` for the level `white`."""
    matrix: list[float] = []
    for channel, (low, high) in enumerate(zip(_levels(dark), _levels(light), strict=True)):
        kept = [1 - share if channel == other else 0.0 for other in range(3)]
        matrix += [same + share * (high - low) / white * part for same, part in zip(kept, _LIGHTNESS, strict=True)]
    yield make_step("recomb", matrix=matrix)
    if any(_levels(dark)):
        yield make_step("linear", b=[share * level for level in _levels(dark)])


def _levels(color: str) -> list[int]:
    """Return red, green and blue of six hexadecimal digits."""
    return [*bytes.fromhex(color)]
