"""What the options of a path set: one struct for each pipeline, and one for the request as a whole."""

from __future__ import annotations

import msgspec

from handler.requests.dialects.dialect import STRICT, Faults

Anchor = tuple[str, float, float]
"""A gravity: its word, and its offsets or its point."""


class Extension(msgspec.Struct):
    """`extend` or `extend_aspect_ratio`."""

    enabled: bool = False
    gravity: Anchor = ("ce", 0.0, 0.0)


class Mark(msgspec.Struct):
    """`watermark` and the options that belong to it."""

    opacity: float = 0.0
    position: Anchor = ("ce", 0.0, 0.0)
    scale: float = 0.0
    url: str = ""
    text: str = ""
    size: tuple[int, int] = (0, 0)
    """The box of the overlay in pixels, which counts where there is no scale; 0 leaves a side open."""
    rotate: float = 0.0
    shadow: float = 0.0
    """The sigma of a shadow; 0: none."""


class Pipeline(msgspec.Struct):
    """The options of one pipeline, with imgproxy's defaults."""

    resizing_type: str = "fit"
    algorithm: str = "lanczos3"
    width: int = 0
    height: int = 0
    min_width: int = 0
    min_height: int = 0
    zoom: tuple[float, float] = (1.0, 1.0)
    dpr: float = 1.0
    enlarge: bool = False
    extend: Extension = msgspec.field(default_factory=Extension)
    extend_ratio: Extension = msgspec.field(default_factory=Extension)
    gravity: Anchor = ("ce", 0.0, 0.0)
    crop: tuple[float, float] | None = None
    crop_gravity: Anchor | None = None
    crop_ratio: tuple[float, bool] = (0.0, False)
    """An aspect ratio, and whether the area is enlarged to it."""
    objects: tuple[str, ...] | None = None
    """The classes of objects that a gravity follows; None if it follows none."""
    objects_place: tuple[float, float] | None = None
    """Where these objects stand in the result, in percent."""
    crop_objects: tuple[float, tuple[str, ...]] | None = None
    """The classes of objects that the image is cropped to, and the factor by which the area is larger than they are."""
    trim: float | None = None
    trim_color: str = ""
    trim_equal: tuple[bool, bool] = (False, False)
    padding: tuple[int | None, int | None, int | None, int | None] = (None, None, None, None)
    """Top, right, bottom and left; None is not set."""
    rotate: int = 0
    flip: tuple[bool, bool] = (False, False)
    """Horizontally and vertically."""
    background: str = ""
    background_alpha: float = 1.0
    blur: float = 0.0
    sharpen: float = 0.0
    pixelate: int = 0
    adjust: tuple[int, float, float] = (0, 1.0, 1.0)
    """Brightness, contrast and saturation."""
    tone: tuple[float, str, str, int] | None = None
    """How much of the colours is replaced; the colours of black and of the level that is the last number."""
    colorize: tuple[float, str] = (0.0, "000000")
    gradient: dict[str, object] | None = None
    mark: Mark = msgspec.field(default_factory=Mark)
    redactions: dict[str, dict[str, object]] = msgspec.field(default_factory=dict)
    """What is hidden or drawn, as parameters of `redact`, by the option that asks for it."""


class Saving(msgspec.Struct):
    """The options of the request as a whole."""

    format: str = ""
    quality: int = 0
    format_quality: dict[str, int] = msgspec.field(default_factory=dict)
    max_bytes: int = 0
    search: dict[str, object] = msgspec.field(default_factory=dict)
    """What `autoquality` sets, as output options; they replace the quality that is given otherwise."""
    strip_metadata: bool | None = None
    keep_copyright: bool | None = None
    skipped: list[str] = msgspec.field(default_factory=list)
    raw: bool = False
    expires: int = 0
    filename: str = ""
    attachment: bool = False
    page: int | None = None
    disable_animation: bool = False
    webp_lossless: bool = False
    output: dict[str, object] = msgspec.field(default_factory=dict)
    """Options of the encoders, as the output options have them."""


class Collected(msgspec.Struct):
    """All options of a path."""

    saving: Saving = msgspec.field(default_factory=Saving)
    pipelines: list[Pipeline] = msgspec.field(default_factory=lambda: [Pipeline()])
    at: int = 0
    """The pipeline that options belong to."""
    faults: Faults = STRICT
    """Collects what lenient mode tolerates."""
    count: int = 0
    """How many options were applied, those of presets among them."""
    service_preset: str = ""
    """A preset of the service that is written in another dialect."""

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline that options belong to."""
        return self.pipelines[self.at]

    def next_pipeline(self) -> None:
        """Make the following pipeline the one that options belong to."""
        self.at += 1
        if self.at == len(self.pipelines):
            self.pipelines.append(Pipeline())
