"""How the finished picture is written: format, quality and what else the encoder is told."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from imaging.errors import InvalidParameter
from imaging.params.model import Params, hint
from imaging.params.types import Numbers

Format = Literal["jpeg", "png", "webp", "avif", "gif", "tiff"]
MEDIA_TYPES: dict[str, str] = {
    "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "avif": "image/avif", "gif": "image/gif",
    "tiff": "image/tiff", "svg": "image/svg+xml", "bmp": "image/bmp", "ico": "image/x-icon", "heif": "image/heic",
}  # fmt: skip
_LONGEST_DELAY = 65_535


class Output(Params):
    """How the picture is written."""

    format: Annotated[
        Literal["auto", "original", "jpeg", "png", "webp", "avif", "gif", "tiff"] | None,
        Meta(
            description="File format; auto: the best that the client accepts; original, or nothing: the source's",
            extra=hint(synonyms={"jpg": "jpeg", "tif": "tiff", "heif": "avif", "heic": "avif"}),
        ),
    ] = None
    auto_jpeg: Annotated[bool, Meta(description="An opaque PNG becomes a JPEG, where no format is asked")] = False
    quality: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=100,
                description="Quality of lossy formats; nothing: 80, for AVIF 50; a TIFF is lossless without it",
            ),
        ]
        | None
    ) = None
    effort: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=10,
                description="Time spent on smaller files: 0 fastest, 10 smallest; a large AVIF gets less than asked",
            ),
        ]
        | None
    ) = None
    progressive: Annotated[bool, Meta(description="Progressive JPEG, interlaced PNG")] = False
    lossless: Annotated[bool, Meta(description="Lose nothing: WebP, AVIF, PNG, TIFF; other formats refuse it")] = False
    chroma_subsampling: Annotated[
        Literal["auto", "4:2:0", "4:4:4"],
        Meta(
            description="Colour resolution; auto: JPEG 4:2:0 for photographs, 4:4:4 for graphics and text; AVIF 4:4:4"
        ),
    ] = "auto"
    palette: Annotated[bool, Meta(description="PNG of at most 256 colours")] = False
    colors: (
        Annotated[
            int,
            Meta(
                ge=2,
                le=256,
                description="Colours of a palette PNG (2, 4, 16, 256) or a GIF (a power of two), rounded down",
            ),
        ]
        | None
    ) = None
    max_bytes: (
        Annotated[
            int,
            Meta(
                ge=200,
                le=100_000_000,
                description="Largest size in bytes; quality, or colours of PNG and GIF, go down until it fits",
                extra=hint(unit="bytes", usual=(1_000, 500_000)),
            ),
        ]
        | None
    ) = None
    metadata: Annotated[
        Literal["strip", "keep", "copyright"],
        Meta(
            description="What of EXIF, IPTC and XMP stays: nothing, what is known to be harmless (a position only with "
            "ALLOW_GPS, previews never), or the credit; where moderation hides a picture at most a short credit"
        ),
    ] = "strip"
    animated: Annotated[bool | None, Meta(description="Keep all frames; nothing: where the format can")] = None
    loop: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=65_535,
                description="How often an animation plays, 0: for ever; nothing: as often as its original",
                extra=hint(usual=(0, 10)),
            ),
        ]
        | None
    ) = None
    delay: (
        Annotated[
            Numbers,
            Meta(
                description="Milliseconds that each frame of an animation stands, from 0 to 65535, the last number for "
                "all that follow; nothing: as long as in its original"
            ),
        ]
        | None
    ) = None
    page: (
        Annotated[
            int, Meta(ge=0, le=10_000, description="A single frame or page, counted from 0", extra=hint(usual=(0, 100)))
        ]
        | None
    ) = None
    download: (
        Annotated[str, Meta(min_length=1, max_length=200, description="Save under this file name instead of showing")]
        | None
    ) = None

    def check(self) -> None:
        """Delays are whole, and no longer than a GIF or WebP can say."""
        if any(not 0 <= pause <= _LONGEST_DELAY or pause % 1 for pause in self.delay or ()):
            raise InvalidParameter("delay", f"whole milliseconds from 0 to {_LONGEST_DELAY}", self.delay)
