"""The image that features work on: its pixels, and the header of the file that they came from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pyvips

from imaging.errors import TooLarge
from imaging.formats import format_by_name
from imaging.formats.format import FormatName

if TYPE_CHECKING:
    from imaging.gain_map import GainMap

SAMPLE_BYTES = {"uchar": 1, "char": 1, "ushort": 2, "short": 2, "uint": 4, "int": 4, "float": 4, "double": 8}
"""Bytes of one sample, by the names of libvips' formats."""


class ImageHeader(msgspec.Struct, frozen=True):
    """What the header of a file says, read before any pixel is decoded."""

    format: FormatName
    width: int
    """Pixels of one frame as stored, before the orientation is applied."""
    height: int
    size: int
    """Bytes of the file."""
    frames: int = 1
    orientation: int = 1
    """EXIF orientation, 1 to 8."""
    alpha: bool = False
    bands: int = 3
    bits: int = 8
    """Bits of one sample."""
    profile: bool = False
    """Whether an ICC profile is embedded."""
    delays: tuple[int, ...] = ()
    """Milliseconds each frame is shown."""
    loop: int = 0
    """How often an animation plays; 0 means for ever."""
    has_source_type: bool = False
    """Whether the XMP metadata may name a digital source type, by which a file says that its image is generated."""
    decoder_memory: int = 0
    """Bytes that the decoder holds for one frame, even where it shrinks on load."""
    decoder_seconds: float = 0.0
    """Upper estimate of the seconds for which the decoder cannot be interrupted."""

    @property
    def is_animation(self) -> bool:
        """Whether the frames are those of an animation, not the pages of a document."""
        decoder = format_by_name(self.format).decoder
        return decoder.animated and self.frames > 1 and (bool(self.delays) or decoder.read_animation is None)

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height once the orientation is applied."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)

    def preshrink(self, factor: float) -> float:
        """Return the factor by which the decoder may reduce what will be reduced by `factor` later.

        Below 1 the image will be enlarged: a drawing is then drawn larger, anything else is decoded in its own size.
        """
        return factor if format_by_name(self.format).decoder.scalable else max(1.0, factor)


class PalettePixels(msgspec.Struct, frozen=True):
    """Pixels as indexes into a palette."""

    plane: pyvips.Image
    """One band: the index of each pixel's colour."""
    colours: bytes
    """Red, green and blue of each colour, of which there are at most 256."""


class Picture(msgspec.Struct, frozen=True):
    """Upright pixels in sRGB or grey, with or without alpha, of 8 bits a band, or 16 after some features.

    Before the first step that needs sRGB, the image may be in the color space of an ICC profile that it still has.

    The frames of an animation are stacked in `image` from top to bottom, all of one height. `image` may be sequential,
    which means readable only once, from top to bottom: a feature that reads rows twice or out of order calls
    `materialized` first.
    """

    image: pyvips.Image
    source: ImageHeader
    frames: int = 1
    delays: tuple[int, ...] = ()
    loop: int = 0
    shrunk_from: tuple[int, int] | None = None
    """Width and height of a frame before the decoder shrank it on load or drew an SVG at another size, if it did."""
    room: float = float("inf")
    """Bytes of the memory budget that are left for holding pixels."""
    held: pyvips.Image | None = None
    """The pixels in memory that `image` is computed from, if any; it may be `image` itself.

    They are released as soon as other pixels are held instead.
    """
    view: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    """The part of the upright original that is shown: left, top, width and height as fractions of it.

    A negative width or height means that it is mirrored. Rotations are not tracked.
    """
    indexed: PalettePixels | None = None
    """The same pixels with a palette, where their colours were quantised."""
    uncut: pyvips.Image | None = None
    """The first frame before its background was removed, for the step right after that."""
    dpr: float | None = None
    """The device pixel ratio that a resize by imgproxy's rules has applied; it multiplies lengths of later steps."""
    gain_map: GainMap | None = None
    """What an HDR screen adds to the pixels, if the result keeps that; it moves with `with_view` and `rotated`."""

    @property
    def full(self) -> tuple[int, int]:
        """Width and height of a frame before any shrink-on-load, which a resize starts from."""
        return self.shrunk_from or (self.width, self.height)

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.image.width)

    @property
    def height(self) -> int:
        """Height of one frame in pixels."""
        return int(self.image.height) // self.frames

    @property
    def has_alpha(self) -> bool:
        """Whether the last band is an alpha channel."""
        return bool(self.image.hasalpha())

    def with_image(self, image: pyvips.Image) -> Picture:
        """Return the picture with other pixels, of as many frames."""
        same_size = (image.width, image.height) == (self.image.width, self.image.height)
        shrunk_from = self.shrunk_from if same_size else None
        return msgspec.structs.replace(self, image=image, shrunk_from=shrunk_from, indexed=None, uncut=None)

    def with_view(self, box: tuple[int, int, int, int], whole: tuple[int, int]) -> Picture:
        """Return the picture with its `view` narrowed to a box (left, top, width, height) of `whole` pixels.

        `whole` is the width and height that the picture had before it was cropped to the box.
        """
        left, top, width, height = self.view
        across, down = width / whole[0], height / whole[1]
        view = (left + box[0] * across, top + box[1] * down, box[2] * across, box[3] * down)
        gain_map = self.gain_map and self.gain_map.with_view(box, whole)
        return msgspec.structs.replace(self, view=view, gain_map=gain_map)

    def rotated(self, quarters: int) -> Picture:
        """Return the picture with each frame rotated clockwise by so many quarters; it must be in memory."""
        rotated = self.each_frame(lambda frame: frame.rot(f"d{90 * quarters}"))
        return msgspec.structs.replace(rotated, gain_map=self.gain_map and self.gain_map.rotated(quarters))

    def materialized(self) -> Picture:
        """Return the picture with pixels that can be read in any order: in memory where they were sequential.

        Raises TooLarge where they do not fit into the memory budget.
        """
        if not self.image.get_typeof("vips-sequential"):
            return self
        return self.in_memory()

    def in_memory(self) -> Picture:
        """Return the picture with its pixels computed and held in memory.

        Raises TooLarge where they do not fit into the memory budget.
        """
        if self.image is self.held:
            return self
        size = _bytes_of(self.image)
        # The pixels that were held before are in memory until the last new pixel is computed, and are free after that.
        room = self.reserve(size).room + (_bytes_of(self.held) if self.held is not None else 0)
        image = self.image.copy_memory().copy()
        image.remove("vips-sequential")
        return msgspec.structs.replace(self, image=image, room=room, held=image)

    def reserve(self, size: int) -> Picture:
        """Return the picture with so many bytes less of room; TooLarge where fewer are left."""
        if size > self.room:
            megabytes = max(0, round(self.room / 1e6))
            raise TooLarge(f"the pixels must fit into {megabytes} MB of memory, got {size // 1_000_000} MB")
        return msgspec.structs.replace(self, room=self.room - size)

    def each_frame(self, work: Callable[[pyvips.Image], pyvips.Image]) -> Picture:
        """Apply `work` to each frame by itself, as a step must that reads neighbours or changes the size."""
        if self.frames == 1:
            return self.with_image(work(self.image))
        picture = self.in_memory()
        frames = [work(frame) for frame in picture.split()]
        size = sum(map(_bytes_of, frames))
        room = picture.reserve(size).room + (_bytes_of(picture.held) if picture.held is not None else 0)
        # The frames are computed one after the other: in parallel, each would take the memory of a computation.
        joined = pyvips.Image.arrayjoin([frame.copy_memory() for frame in frames], across=1)
        return msgspec.structs.replace(picture.with_image(joined), room=room, held=joined)

    def split(self) -> list[pyvips.Image]:
        """Return the frames in their order."""
        height = self.height
        is_lazy = self.frames > 1 and self.image is not self.held
        image = self.image.copy_memory() if is_lazy else self.image
        return [image.crop(0, index * height, self.width, height) for index in range(self.frames)]


def _bytes_of(image: pyvips.Image) -> int:
    return int(image.width * image.height * image.bands) * SAMPLE_BYTES[str(image.format)]


class Report(msgspec.Struct, frozen=True):
    """The answer of a feature that describes the image instead of changing it: a JSON object."""

    content: dict[str, object]
