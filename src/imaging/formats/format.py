"""The types that declare a file format: its entry in the index, and the record of how it is decoded and encoded.

Every cold start reads the index; a record is imported when a file of that format is first read or written. Functions
that need a codec's modules are named by `Lazy` references, which import the module at the first call.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Generic, TypeVar

import msgspec

from imaging.formats.content import Content, EncodingOptions

MEGA = 1_000_000
DPI = 96
"""Pixels per inch at which a drawing has the size in its header, as in CSS."""
ResultT = TypeVar("ResultT")
FormatName = str
"""The `name` of one of the records in FORMATS."""
Image = Any
"""A pyvips image; its stubs do not know the names of enumerations."""
SaverOptions = dict[str, Any]
"""Keyword arguments of one of libvips' savers."""


class Lazy(Generic[ResultT]):
    """A function in another module, which is imported when the function is first called."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self, *args: Any, **kwargs: Any) -> ResultT:
        result: ResultT = self.resolve()(*args, **kwargs)
        return result

    def resolve(self) -> Callable[..., ResultT]:
        """Import the module and return the function."""
        function: Callable[..., ResultT] = getattr(import_module(self.module), self.name)
        return function


class Loading(msgspec.Struct, frozen=True):
    """What a decoder outside libvips needs to read the pixels of one frame."""

    original: bytes
    size: tuple[int, int]
    """Width and height of the result."""
    scale: float
    """Factor by which a drawing is enlarged; 1 for every other format."""
    page: int | None
    context: Any
    """The `imaging.context.Context` of the run."""
    frames: int = 1
    """How many frames to return, one below the other, where no page is given."""


class Negotiation(msgspec.Struct, frozen=True):
    """How `format=auto` chooses a format for clients whose Accept header names it."""

    rank: int
    """The format with the lowest rank is tried first."""
    max_pixels: int | None = None
    """A larger image gets another format, so that encoding always ends before the deadline."""
    lossless: bool = True
    """Whether it is also chosen for `lossless=true`."""
    animation_factor: int = 1
    """How many times as many pixels all frames of an animation may have together."""


def _keep_reduction(_shrink: float, _frames: int, *, is_same_format: bool) -> float:  # noqa: ARG001 - the shape of all
    return 1.0


class FormatEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What requests, answers and limits need to know of a format before any file of it is read."""

    name: FormatName
    """The name in requests, answers and documentation."""
    media_type: str
    aliases: tuple[str, ...] = ()
    """Other names by which a request may ask for it."""
    writable: bool = True
    """Whether its record has an encoder."""
    is_slow: bool = False
    """Whether encoding takes so long that the result is stored even if nothing else was done to the image."""
    max_pixels: int | None = None
    """Default limit on the pixels of a result, for an encoder that nothing interrupts or that compresses nothing."""
    negotiation: Negotiation | None = None
    """Set if only some browsers show it, whose Accept header names its media type."""
    scripted: bool = False
    """Whether the file can run scripts in a browser, so that answers restrict it by a security policy."""


class Decoder(msgspec.Struct, frozen=True, kw_only=True):
    """How files of a format are decoded, and what that takes."""

    loader: str = ""
    """libvips' loader; empty if `read_header` and `read_pixels` do the work."""
    seconds: float = 0.02
    """Seconds of one processor per megapixel."""
    memory: Callable[[Image, bytes], float] = lambda _header, _original: 0
    """Bytes that the decoder holds for one frame whatever it reduces on load, from the opened header and the file."""
    loaded_memory: Callable[[int, int, int], int] | None = None
    """The same once the reduction is known: from `memory`, the pixels after the reduction and the stored pixels."""
    uninterruptible_seconds: Callable[[Image], float] = lambda _header: 0.0
    """Seconds for one frame in which libvips cannot stop the decoder, at about half the speed of one core."""
    switch: str = ""
    """The setting without which no file of the format is read; empty where all are read."""
    isolated: bool = False
    """Whether it always runs in a process of its own, which can be killed."""
    scalable: bool = False
    """Whether the file is a drawing, which can be rendered at any size."""
    animated: bool = False
    """Whether the pages are the frames of an animation."""
    reduction: Callable[..., float] = _keep_reduction
    """The factor by which the decoder reduces, from the requested factor, the frames, and `is_same_format`."""
    load_options: Callable[[float], dict[str, object]] = lambda _reduction: {}
    """The loader's options for that reduction."""
    prepare: Callable[[bytes], bytes] | None = None
    """Returns the file without what the loader must not read."""
    amend: Callable[..., Image] | None = None
    """Corrects an opened image, from it, the file, a function that opens another file so, and the loader's options."""
    open_stream: Callable[[bytes, Any], Any] | None = None
    """Returns a pyvips source that another thread unpacks, or None, from the file and the deadline."""
    check_parts: Callable[[bytes, Any], bool] | None = None
    """Raises TooLarge for too many parts, from the file and the limits; returns whether the file is complete."""
    is_head: Callable[[bytes], bool] | None = None
    """Returns whether the first bytes of a file hold all that is read before its pixels. Set where these can be decoded
    while the rest of the file arrives."""
    read_head: Callable[[bytes, int], Any] | None = None
    """Returns the `ImageHeader` from such first bytes and the size of the file, or None, where libvips' loader needs
    the whole file for it."""
    read_stream: Callable[..., Image] | None = None
    """Returns the pixels from an `OriginalStream`, its head, the factor and the deadline, before the file's end."""
    read_still: Callable[[bytes, float, Any], Image | None] | None = None
    """Returns the pixels faster than libvips' loader, or None: from the file, the factor, and the deadline."""
    identify: Callable[[Image], FormatName] | None = None
    """Returns the real format of an opened header, where the signature alone cannot tell."""
    repair: Callable[[bytes, Any], bytes | None] | None = None
    """Returns the file with the end mark or the checksums that it lacks, or None, from it and the `Context`."""
    read_color_space: Callable[..., Any] | None = None
    """Returns the `ColorSpace` that the file states beside or instead of a profile, or None, from the file and
    `has_profile`."""
    read_gain_map: Callable[[bytes], Any] | None = None
    """Returns the gain map of an HDR image that the file holds beside its pixels, or None."""
    read_header: Callable[[bytes, int | None, Any, Any], Any] | None = None
    """Returns the `Source` without libvips, from the file, the page, the limits and the deadline."""
    read_pixels: Callable[[Loading], Image] | None = None
    """Returns the pixels without libvips' loader."""
    read_animation: Callable[[bytes], Any] | None = None
    """Returns the `Animation` of a file that libvips' loader opens as a still image, or None if it is one."""
    read_frames: Callable[[Loading], Image] | None = None
    """Returns the frames of such an animation."""


class Encoder(msgspec.Struct, frozen=True, kw_only=True):
    """How images are encoded in a format, and what that takes."""

    save: str | Callable[..., bytes]
    """libvips' saver, or a function that takes the image, `keep` ("all" or "none" of the metadata) and the options."""
    options: Callable[[EncodingOptions, Content], SaverOptions]
    """Returns the saver's options."""
    seconds: Callable[[EncodingOptions], float]
    """Seconds of one processor per megapixel of a detailed photograph."""
    alpha_seconds: Callable[[EncodingOptions, int], float] = lambda _output, _pixels: 0.0
    """The same that an alpha channel of noise takes beside the colours, from the options and the pixels."""
    memory: Callable[[EncodingOptions, int, bool], int]
    """Bytes that the encoder holds beside the image, from the options, the pixels and whether there is alpha."""
    uninterruptible_seconds: Callable[[EncodingOptions, int, bool], float] = lambda _output, _frames, _graphic: 0.0
    """Seconds per megapixel in which libvips cannot stop it, from the options, the frames, and `Content.graphic`."""
    max_effort: Callable[[int, float], int] | None = None
    """Returns the effort that an image of so many megapixels gets instead of the requested one, where it is slow."""
    default_quality: int = 80
    """0 for a format that has no quality."""
    palette_sizes: tuple[int, ...] = ()
    """Numbers of colours that `maxBytes` tries, for a format whose quality cannot be reduced."""
    lossless: bool = False
    """Whether it can encode without loss (`lossless=true`)."""
    scored: bool = False
    """Whether `quality=auto` looks for its quality, by scores of what it loses."""
    lossless_frames: bool = True
    """Whether that holds for animations as well."""
    alpha: bool = True
    deep: bool = False
    """Whether it stores more than 8 bits per sample."""
    animated: bool = False
    still: bool = True
    """Whether a single frame is worth a file of this format, beside the other formats."""
    pages: bool = False
    """Whether it stores several frames as pages, without animating them."""
    max_side: int | None = None
    """The longest side in pixels that the format can store."""
    subsamples: Callable[[EncodingOptions], bool] | None = None
    """Whether the colour resolution depends on the pixels, so that they are looked at before encoding."""
    save_still: Callable[[Image, SaverOptions, Any], bytes | None] | None = None
    """Writes one frame without metadata faster than `save`, or returns None: from it, the options and the deadline."""
    finish: Callable[[bytes, SaverOptions], bytes] | None = None
    """Changes the saver's file, given its options."""
    add_gain_map: Callable[[bytes, Any], bytes] | None = None
    """Adds a `StoredGainMap` to an encoded file, which an HDR screen then shows brighter."""
    add_palette: Callable[[bytes, bytes], bytes] | None = None
    """Turns a grey file whose levels are indexes into one with that palette (red, green, blue of each colour)."""

    @property
    def has_frames(self) -> bool:
        """Whether it stores more than one frame."""
        return self.animated or self.pages


class MetadataCarrier(msgspec.Struct, frozen=True, kw_only=True):
    """Where a format stores EXIF, XMP and IPTC; the defaults are the fields that libvips reads and writes."""

    is_exif_block: bool = False
    """Whether the whole file is laid out as an EXIF block."""
    writes_iptc: bool = False
    read_xmp: Callable[[bytes], bytes] | None = None
    """Returns the XMP packet, where libvips may not read it."""
    xmp_mark: bytes = b""
    """With `read_xmp`: what a file holds that has a packet."""
    add_metadata: Callable[[bytes, Any], bytes] | None = None
    """Adds to an encoded file what libvips does not write of a `Metadata`."""


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """How files of a format are recognised, read and written."""

    name: FormatName
    """The name of the entry in the index."""
    extensions: tuple[str, ...]
    """Without the dot; files are written with the first one."""
    signatures: tuple[bytes, ...] = ()
    """The file begins with one of these."""
    matches: Callable[[bytes], bool] | None = None
    """What else must be true of the file, or all of it if there are no signatures."""
    decoder: Decoder
    encoder: Encoder | None = None
    """None if nothing here writes the format."""
    metadata: MetadataCarrier | None = None
    """None if an original of this format has no metadata that an answer could keep."""
    strip: Callable[[bytes, Any, Any], bytes] | None = None
    """Removes metadata without decoding, from the file, a `Kept`, and a `Walk`; None: it is re-encoded."""
    shown: bool = False
    """Whether every browser shows it."""
    converted_to: FormatName = ""
    """The format of the answer where no other is requested; empty if it is this one."""
    opaque_as: FormatName = ""
    """The format to which `autoJpeg` changes an image without alpha."""
    negotiated_by_default: bool = False
    """Whether the answer's format is negotiated, as for `format=auto`, where no other is requested."""
    photo_density: float = 0.2
    """Bytes of the file for each byte of pixels from which on an original counts as a photograph."""
    embeddable: bool = False
    """Whether a drawing may embed it as a data URI."""

    def is_signed(self, original: bytes) -> bool:
        """Return whether the file's first bytes are those of this format."""
        if self.signatures and not original.startswith(self.signatures):
            return False
        return self.matches(original) if self.matches else bool(self.signatures)
