"""The output options: the format, its quality and the other options of the encoders."""

# There is no `from __future__ import annotations` here: with it, a cold start would compile each annotation twice.

from typing import TYPE_CHECKING, Annotated, Literal, Self

from msgspec import Meta, structs

from imaging.errors import InvalidParameter
from imaging.formats import INDEX, NAMES, WRITTEN
from imaging.params.model import Params, hint
from imaging.params.types import Color, FormatQuality, Names, Numbers, QualityTarget
from imaging.params.validation import suggest

if TYPE_CHECKING:
    FormatChoice = str
else:
    FormatChoice = Literal["auto", "best", "original", *WRITTEN]
_LONGEST_DELAY = 65_535


class Output(Params):
    """How the result is encoded."""

    format: Annotated[
        FormatChoice | None,
        Meta(
            description="File format. Default: that of the original. auto: AVIF, WebP or that of the original, "
            "depending on what the browser accepts; best: the smallest of these at equal quality, for signed URLs "
            "like quality=auto",
            extra=hint(synonyms={alias: entry.name for entry in INDEX for alias in entry.aliases}),
        ),
    ] = None
    auto_jpeg: Annotated[bool, Meta(description="Convert an opaque PNG to JPEG if no format is given")] = False
    quality: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=100,
                description="Quality of lossy formats. Default: 80, for AVIF 50; without it a TIFF is lossless. auto: "
                "the lowest that reaches qualityTarget; it takes many times as long and needs a signature, unless "
                "PUBLIC_FEATURES lists `autoQuality`",
            ),
        ]
        | Literal["auto"]
        | None
    ) = None
    quality_target: Annotated[
        QualityTarget | None,
        Meta(
            description="Similarity that quality=auto and format=best have to reach, as a score of SSIMULACRA 2: 50 is "
            "medium, 70 high, 90 looks the same; also by format. Default: AUTO_QUALITY_TARGET"
        ),
    ] = None
    quality_min: (
        Annotated[int, Meta(ge=1, le=100, description="Lowest quality of quality=auto. Default: 20")] | None
    ) = None
    quality_max: (
        Annotated[int, Meta(ge=1, le=100, description="Highest quality of quality=auto. Default: 95")] | None
    ) = None
    format_quality: Annotated[
        FormatQuality | None, Meta(description="Quality by format, where no quality is given")
    ] = None
    preferred: Annotated[
        Names | None,
        Meta(
            description="Formats to choose from if none is given: the original's if it is among them, else the first "
            "one that can hold the animation and the transparency"
        ),
    ] = None
    unchanged: Annotated[
        Names | None,
        Meta(
            description="Formats of originals that are not edited, unless another format is requested; metadata is "
            "removed from them all the same"
        ),
    ] = None
    effort: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=10,
                description="Processor time to spend on a smaller file; 0: fastest, 10: smallest file; limited for "
                "large AVIF images and WebP images with transparency",
            ),
        ]
        | None
    ) = None
    matte: (
        Annotated[
            Color,
            Meta(description="Colour behind transparent parts where the format has no transparency. Default: white"),
        ]
        | None
    ) = None
    progressive: Annotated[bool, Meta(description="Encode a progressive JPEG or an interlaced PNG")] = False
    lossless: Annotated[
        bool, Meta(description="Encode without loss: WebP, AVIF, PNG or TIFF; other formats are refused with 400")
    ] = False
    chroma_subsampling: Annotated[
        Literal["auto", "4:2:0", "4:4:4"],
        Meta(
            description="Chroma subsampling. auto: for JPEG 4:2:0 for photographs and 4:4:4 for graphics and "
            "text, for AVIF 4:4:4"
        ),
    ] = "auto"
    palette: Annotated[bool, Meta(description="Encode a PNG with a palette of at most 256 colours")] = False
    colors: (
        Annotated[
            int,
            Meta(
                ge=2,
                le=256,
                description="Number of colours of a PNG with a palette (2, 4, 16 or 256) or of a GIF (a power of "
                "two); other numbers are rounded down",
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
                description="Target file size; the quality, or the colours where palette or colors is set, is reduced "
                "until it fits; if nothing does, the smallest file is the answer",
                extra=hint(unit="bytes", usual=(1_000, 500_000)),
            ),
        ]
        | None
    ) = None
    metadata: Annotated[
        Literal["strip", "keep", "copyright"],
        Meta(
            description="Which EXIF, IPTC and XMP fields are kept. strip: none but IPTC's digital source type, which "
            "marks generated images; keep: those known to be harmless, a GPS position only with ALLOW_GPS, never "
            "previews; copyright: the credit. If moderation hides the image, only a short credit is kept"
        ),
    ] = "strip"
    hdr: Annotated[
        Literal["sdr", "keep"],
        Meta(
            description="What becomes of the gain map of an HDR photograph (Ultra HDR). sdr: it is removed; keep: a "
            "JPEG of a JPEG keeps it, unless an edit changes colours or draws on the image"
        ),
    ] = "sdr"
    animated: Annotated[
        bool | None, Meta(description="Keep all frames. Default: true if the format supports animations")
    ] = None
    loop: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=65_535,
                description="How many times an animation plays; 0: for ever. Default: as in the original",
                extra=hint(usual=(0, 10)),
            ),
        ]
        | None
    ) = None
    delay: (
        Annotated[
            Numbers,
            Meta(
                description="Duration of each frame in milliseconds, from 0 to 65535; the last number holds for all "
                "further frames. Default: as in the original"
            ),
        ]
        | None
    ) = None
    page: (
        Annotated[
            int,
            Meta(
                ge=0, le=10_000, description="Return a single frame or page, counted from 0", extra=hint(usual=(0, 100))
            ),
        ]
        | None
    ) = None
    dpi: (
        Annotated[
            int,
            Meta(
                ge=10,
                le=1200,
                description="Resolution in dots per inch at which a page of a PDF or an SVG is drawn, before any other "
                "edit; other originals have pixels of their own. Default: 96",
                extra=hint(usual=(72, 300)),
            ),
        ]
        | None
    ) = None
    download: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=200,
                description="File name; the browser saves the image under it instead of showing it",
            ),
        ]
        | None
    ) = None
    filename: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=200,
                description="File name without its extension, for when a user saves the image that the browser shows",
            ),
        ]
        | None
    ) = None

    attachment: Annotated[
        bool, Meta(description="Have the browser save the image under filename instead of showing it")
    ] = False

    def check(self) -> None:
        """Raise InvalidParameter for delays that are not whole milliseconds, or too long for GIF and WebP."""
        if any(not 0 <= pause <= _LONGEST_DELAY or pause % 1 for pause in self.delay or ()):
            raise InvalidParameter("delay", f"whole milliseconds from 0 to {_LONGEST_DELAY}", self.delay)
        if (self.quality_min or 1) > (self.quality_max or 100):
            raise InvalidParameter("qualityMin", "at most qualityMax", self.quality_min)
        if self.attachment and not self.filename:
            raise InvalidParameter("attachment", "left out without filename", got=True)
        for name in self.preferred or ():
            if name not in WRITTEN:
                raise InvalidParameter("preferred", "some of " + ", ".join(WRITTEN) + suggest(name, WRITTEN), name)
        for name in self.unchanged or ():
            if name not in NAMES:
                raise InvalidParameter("unchanged", "some of " + ", ".join(NAMES) + suggest(name, NAMES), name)

    @property
    def fixed_quality(self) -> int | None:
        """The quality that is given as a number."""
        return self.quality if isinstance(self.quality, int) else None

    @property
    def searches(self) -> bool:
        """Whether the quality or the format is found by encoding the image many times."""
        return self.quality == "auto" or self.format == "best"

    @property
    def negotiates(self) -> bool:
        """Whether the format depends on what the client accepts, whatever the original is."""
        return self.format in ("auto", "best")

    def for_format(self, name: str) -> Self:
        """Return the options for a result of a format: with its quality, if it has one of its own."""
        quality = self.format_quality.of(name) if self.format_quality and self.quality is None else None
        return structs.replace(self, quality=quality, format_quality=None) if quality else self

    def leaves_unchanged(self, name: str) -> bool:
        """Return whether an original of this format is not edited."""
        return (
            bool(self.unchanged)
            and name in (self.unchanged or ())
            and self.format in (None, "auto", "best", "original", name)
        )
