"""URLs for Wagtail's images, by the words of its filters (`fill-300x200`, `width-300`, `format-webp`):

rendition_url(images, page.photo.file.name, "fill-300x200|format-webp")
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from image_handler_client.handler import ImageHandler

_SIZE = re.compile(r"(max|min|fill)-([0-9]+)x([0-9]+)(?:-c[0-9]+)?")
_VALUE = re.compile(r"([a-z]+)-([0-9A-Za-z]+)")
_FITS = {"max": "inside", "min": "outside", "fill": "cover"}
_SMALLER_ONLY = {"resize.withoutEnlargement": True}
_OPTIONS: Mapping[str, Callable[[str], dict[str, object]]] = {
    "width": lambda value: {"width": int(value), **_SMALLER_ONLY},
    "height": lambda value: {"height": int(value), **_SMALLER_ONLY},
    "scale": lambda value: {"resize.ratio": int(value) / 100},
    "format": lambda value: {"format": value},
    "bgcolor": lambda value: {"flatten.background": value},
    "jpegquality": lambda value: {"quality": int(value)},
    "webpquality": lambda value: {"quality": int(value)},
    "avifquality": lambda value: {"quality": int(value)},
}


def rendition_url(images: ImageHandler, key: str, spec: str, *, focal_point: tuple[int, int] | None = None) -> str:
    """Return the URL for a filter of Wagtail, whose parts are separated by `|` or a space.

    `focal_point` is that of the image, in pixels from its top left; `fill` keeps it inside. The closeness of `fill`
    (`-c100`) has no equivalent and is left out. Raises ValueError for an unknown part.
    """
    options: dict[str, object] = {}
    for part in re.split(r"[|\s]+", spec.strip()):
        options.update(_options_of(part, focal_point))
    return images.url(key, **options)


def _options_of(part: str, focal_point: tuple[int, int] | None) -> dict[str, object]:
    if part == "original":
        return {}
    if size := _SIZE.fullmatch(part):
        word, width, height = size.groups()
        options: dict[str, object] = {"width": int(width), "height": int(height), "fit": _FITS[word]}
        if word != "fill":
            return {**options, **_SMALLER_ONLY}
        if focal_point is not None:
            options["resize.focalX"], options["resize.focalY"] = focal_point
        return options
    value = _VALUE.fullmatch(part)
    if value is None or value[1] not in _OPTIONS:
        known = ", ".join((*_FITS, *_OPTIONS, "original"))
        raise ValueError(f"each part of a filter must begin with one of {known}, got {part!r}")
    return _OPTIONS[value[1]](value[2])
