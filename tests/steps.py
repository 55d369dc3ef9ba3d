"""Single features on pictures made for the test."""

from __future__ import annotations

from typing import Any

from features.catalogue import by_name
from imaging.context import Context
from imaging.params.validation import check
from imaging.picture import ImageHeader, Picture

Image = Any
"""A pyvips image; pyvips has no types of its own."""


def picture(image: Image, frames: int = 1, shrunk_from: tuple[int, int] | None = None) -> Picture:
    """The image (its frames one below the other) as a decoder hands it on."""
    width, height = shrunk_from or (image.width, image.height // frames)
    source = ImageHeader("png", width, height, 1000, frames=frames, alpha=bool(image.hasalpha()), bands=image.bands)
    return Picture(image, source, frames=frames, delays=(100,) * frames, shrunk_from=shrunk_from)


def sequential(image: Image) -> Picture:
    """The image as one that can be read only once, from top to bottom."""
    return picture(image.new_from_buffer(image.pngsave_buffer(), "", access="sequential"))


def apply(name: str, given: Picture, *, context: Context | None = None, **said: Any) -> Picture:
    """The feature of that name, with its parameters as JSON says them."""
    feature = by_name(name)
    outcome = feature.apply(given, check(feature.params, said, where=name), context or Context())
    assert isinstance(outcome, Picture)
    return outcome


def pixel(given: Picture | Image, x: int, y: int) -> list[float]:
    """The bands of a pixel; negative numbers count from the right and the bottom."""
    image = given.image if isinstance(given, Picture) else given
    return [float(level) for level in image(x % image.width, y % image.height)]
