"""A picture on its way through the features: pixels, and what is known of where they came from."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pyvips

from imaging.errors import TooLarge
from imaging.formats import format_by_name
from imaging.formats.format import FormatName

_SAMPLE_BYTES = {"uchar": 1, "char": 1, "ushort": 2, "short": 2, "uint": 4, "int": 4, "float": 4, "double": 8}


class ImageHeader(msgspec.Struct, frozen=True):
    """What the header of the stored bytes says, before any pixel is decoded."""

    format: FormatName
    width: int
    """Pixels of one frame as stored, before orientation."""
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
    """An ICC profile is embedded."""
    delays: tuple[int, ...] = ()
    """Milliseconds each frame is shown."""
    loop: int = 0
    """How often an animation plays; 0: for ever."""
    decoder_memory: int = 0
    """Bytes that the decoder holds for one frame, however much it shrinks on load."""
    decoder_seconds: float = 0.0
    """Generous estimate of the time in which the decoder cannot be told to stop."""

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
    """Pixels as numbers in a palette."""

    plane: pyvips.Image
    """One band: the number of each pixel's colour."""
    colours: bytes
    """Red, green and blue of each, of at most 256."""


class Picture(msgspec.Struct, frozen=True):
    """Upright pixels in sRGB or grey, with or without alpha, 8 bits a band.

    The frames of an animation lie one below the other in `image`, all of one height. `image` may be readable only once,
    from top to bottom: whatever reads rows twice, out of order or bottom up calls `materialized` first.
    """

    image: pyvips.Image
    source: ImageHeader
    frames: int = 1
    delays: tuple[int, ...] = ()
    loop: int = 0
    shrunk_from: tuple[int, int] | None = None
    """Width and height of a frame, had the decoder not shrunk on load (or drawn an SVG at another size)."""
    room: float = float("inf")
    """Bytes that are left of the memory budget to hold pixels in."""
    held: pyvips.Image | None = None
    """Pixels in memory that these are computed from, or are; its memory is free again once others are held instead."""
    view: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    """What is shown of the upright original: left, top, width and height as shares of it; negative sides are mirrored.

    Rotations are not followed.
    """
    indexed: PalettePixels | None = None
    """The same pixels once more, where their colours were made few."""

    @property
    def full(self) -> tuple[int, int]:
        """Width and height of a frame that the pixels stand for; what a resize reckons from."""
        return self.shrunk_from or (self.width, self.height)

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.image.width)

    @property
    def height(self) -> int:
        """Pixels down, of one frame."""
        return int(self.image.height) // self.frames

    @property
    def has_alpha(self) -> bool:
        """Whether the last band is an alpha channel."""
        return bool(self.image.hasalpha())

    def with_image(self, image: pyvips.Image) -> Picture:
        """The same picture with other pixels; as many frames as before."""
        same_size = (image.width, image.height) == (self.image.width, self.image.height)
        shrunk_from = self.shrunk_from if same_size else None
        return msgspec.structs.replace(self, image=image, shrunk_from=shrunk_from, indexed=None)

    def showing(self, box: tuple[int, int, int, int], whole: tuple[int, int]) -> Picture:
        """The same pixels, known to be this box (left, top, width, height) of what was `whole` pixels wide and high."""
        left, top, width, height = self.view
        across, down = width / whole[0], height / whole[1]
        view = (left + box[0] * across, top + box[1] * down, box[2] * across, box[3] * down)
        return msgspec.structs.replace(self, view=view)

    def materialized(self) -> Picture:
        """The same picture held in memory where it could be read only once, from top to bottom; TooLarge."""
        if not self.image.get_typeof("vips-sequential"):
            return self
        return self.in_memory()

    def in_memory(self) -> Picture:
        """The same picture with its pixels computed and held in memory, instead of what they are made of; TooLarge."""
        if self.image is self.held:
            return self
        size = _bytes_of(self.image)
        # Until the last pixel is computed, what they are computed from is in memory too.
        room = self.taking(size).room + (_bytes_of(self.held) if self.held is not None else 0)
        image = self.image.copy_memory().copy()
        image.remove("vips-sequential")
        return msgspec.structs.replace(self, image=image, room=room, held=image)

    def taking(self, size: int) -> Picture:
        """The same picture with so many bytes less of room; TooLarge where there are not as many."""
        if size > self.room:
            most = max(0, round(self.room / 1e6))
            raise TooLarge(f"the pixels must fit into {most} MB of memory, got {size // 1_000_000} MB")
        return msgspec.structs.replace(self, room=self.room - size)

    def each_frame(self, work: Callable[[pyvips.Image], pyvips.Image]) -> Picture:
        """Apply `work` to each frame on its own, for whatever looks at neighbours or changes the size."""
        if self.frames == 1:
            return self.with_image(work(self.image))
        picture = self.in_memory()
        frames = [work(frame) for frame in picture.split()]
        size = sum(map(_bytes_of, frames))
        room = picture.taking(size).room + (_bytes_of(picture.held) if picture.held is not None else 0)
        # One after the other: side by side, each would take the memory that computing a whole picture takes.
        joined = pyvips.Image.arrayjoin([frame.copy_memory() for frame in frames], across=1)
        return msgspec.structs.replace(picture.with_image(joined), room=room, held=joined)

    def split(self) -> list[pyvips.Image]:
        """The frames, in order."""
        height = self.height
        is_lazy = self.frames > 1 and self.image is not self.held
        image = self.image.copy_memory() if is_lazy else self.image
        return [image.crop(0, index * height, self.width, height) for index in range(self.frames)]


def _bytes_of(image: pyvips.Image) -> int:
    return int(image.width * image.height * image.bands) * _SAMPLE_BYTES[str(image.format)]


class Report(msgspec.Struct, frozen=True):
    """What a feature says instead of a picture: JSON."""

    content: dict[str, object]
