"""Put a frame around the image: a nine-patch, whose middle parts are stretched to the image's size."""

from __future__ import annotations

from itertools import groupby
from typing import Annotated, NamedTuple

import pyvips
from msgspec import Meta

from imaging.context import Context, ObjectRef
from imaging.cost import each_pixel
from imaging.errors import InvalidParameter
from imaging.ops.geometry import embed_in_canvas, refuse_larger, round_half_up
from imaging.ops.overlay import load_overlay, stretch
from imaging.params.model import Params, hint
from imaging.params.types import Color
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Frame(Params):
    """Put a frame around the image: a nine-patch, whose middle parts are stretched to the image's size.

    The outermost pixels of a nine-patch are markers. Opaque black pixels in the top row and the left column mark
    the columns and rows that may be stretched. Opaque black pixels in the bottom row and the right column mark the
    area for the image; the length that is not marked at either end is added to the image's size as white padding.
    """

    key: Annotated[str, Meta(min_length=1, max_length=1024, description="Key of the nine-patch", extra=hint(main=True))]
    bucket: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=255,
                description="Source that the nine-patch is read from. Default: the first source",
            ),
        ]
        | None
    ) = None

    @property
    def ref(self) -> ObjectRef:
        """The object that holds the nine-patch."""
        return ObjectRef(self.bucket or "", self.key)


class _Run(NamedTuple):
    """Adjacent columns or rows that are all stretched or all kept."""

    stretches: bool
    length: int


@feature(
    Frame,
    group="overlay",
    cost=each_pixel(0.09, 12),
    size=lambda _requested, size, overlay: (size[0] + overlay[0], size[1] + overlay[1]),
    overlay_size=lambda _requested, _room, full: full,
    objects=lambda requested: (requested.ref,),
)
def frame(picture: Picture, requested: Frame, context: Context) -> Picture:
    patch = _patch(requested, context)
    width, height = patch.width, patch.height
    inner = patch.crop(1, 1, width - 2, height - 2)
    left, right = _padding(_marks(patch.crop(1, height - 1, width - 2, 1)))
    top, bottom = _padding(_marks(patch.crop(width - 1, 1, 1, height - 2)))
    size = (left + picture.width + right, top + picture.height + bottom)
    refuse_larger("frame.key", size, picture.frames, context)
    stretched = _stretched(
        inner, _runs(_marks(patch.crop(1, 0, width - 2, 1))), _runs(_marks(patch.crop(0, 1, 1, height - 2))), size
    )

    def put_frame(one: pyvips.Image) -> pyvips.Image:
        padded = (
            embed_in_canvas(one, (left, top), size, Color(255, 255, 255)) if size != (one.width, one.height) else one
        )
        composite = padded.composite2(stretched, "over")
        return composite if padded.hasalpha() else composite[: composite.bands - 1]

    return picture.each_frame(put_frame)


def _patch(requested: Frame, context: Context) -> pyvips.Image:
    """Return the nine-patch in sRGB with alpha, 8 bits per channel."""
    image = load_overlay(requested.ref, "frame", context, lambda full: full)
    if image.width < 3 or image.height < 3:
        expected = f"a nine-patch of at least 3 x 3 pixels, not {image.width} x {image.height}"
        raise InvalidParameter("frame.key", expected, requested.key, code="OverlayImageException")
    image = image.colourspace("srgb")
    return image if image.hasalpha() else image.addalpha()


def _marks(edge: pyvips.Image) -> list[bool]:
    """Return for each pixel of a row or column whether it is opaque black."""
    levels = bytes(edge.write_to_memory())
    return [levels[at : at + 4] == b"\0\0\0\xff" for at in range(0, len(levels), 4)]


def _runs(marks: list[bool]) -> list[_Run]:
    return [_Run(stretches, len(list(group))) for stretches, group in groupby(marks)]


def _padding(marks: list[bool]) -> tuple[int, int]:
    """Return the number of pixels before the first and after the last mark; 0 and 0 if there is no mark."""
    return (marks.index(True), marks[::-1].index(True)) if any(marks) else (0, 0)


def _lengths(runs: list[_Run], total: int) -> list[int]:
    """Return the length of each run in a result whose side has `total` pixels."""
    elastic = sum(run.length for run in runs if run.stretches)
    free = max(0, total - sum(run.length for run in runs if not run.stretches))
    return [round_half_up(run.length / elastic * free) if run.stretches else run.length for run in runs]


def _stretched(inner: pyvips.Image, columns: list[_Run], rows: list[_Run], size: tuple[int, int]) -> pyvips.Image:
    """Return the nine-patch stretched to a size; parts that do not fit are cropped."""
    across, down = _lengths(columns, size[0]), _lengths(rows, size[1])
    bands = []
    top = 0
    for row, high in zip(rows, down, strict=True):
        left = 0
        cells = []
        for column, wide in zip(columns, across, strict=True):
            if wide and high:
                cells.append(stretch(inner.crop(left, top, column.length, row.length), (wide, high)))
            left += column.length
        top += row.length
        if cells:
            bands.append(_joined(cells, "horizontal"))
    return _joined(bands, "vertical").gravity("north-west", *size).copy_memory()


def _joined(images: list[pyvips.Image], direction: str) -> pyvips.Image:
    whole = images[0]
    for image in images[1:]:
        whole = whole.join(image, direction)
    return whole
