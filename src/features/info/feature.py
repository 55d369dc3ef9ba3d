"""Return facts about the file (format, size, frames, …), its dominant colours and placeholders for it, as JSON."""

from __future__ import annotations

import hashlib
from typing import Annotated

import pyvips
from msgspec import Meta

from features.info import hashes
from features.info.colours import find_palette
from features.info.hdr import report_hdr
from features.info.imgproxy_report import FACTS, Known, report_facts
from imaging.context import Context
from imaging.cost import each_pixel
from imaging.errors import InvalidParameter
from imaging.formats import MEDIA_TYPES
from imaging.params.model import Params
from imaging.params.validation import suggest
from imaging.picture import ImageHeader, Picture, Report
from imaging.pipeline.feature import feature

_SIDE = 100
"""Longer side in pixels of the thumbnail that colours and hashes are computed from."""


class Info(Params):
    """Return facts about the file (format, size, frames, …), its dominant colours and placeholders for it, as JSON."""

    details: Annotated[
        bool,
        Meta(
            description="Add the SHA-256 of the file, a perceptual hash, and camera, dates, title, credit, licence and "
            "digital source type from its metadata. Needs a signature or the operator's token, unless "
            "PUBLIC_FEATURES lists `info`"
        ),
    ] = False
    exif: Annotated[
        bool,
        Meta(
            description="Add the EXIF tags of the image and of how it was taken, by name; never a position, a serial "
            "number or a comment. Restricted like `details`"
        ),
    ] = False
    result: Annotated[
        bool,
        Meta(
            description="Add width, height, frames and transparency of the edited image. Colours, hashes and the "
            "preview are always those of the edited image"
        ),
    ] = False
    facts: (
        Annotated[
            str,
            Meta(
                max_length=200,
                description="Return only these facts, separated by commas, under the names of imgproxy's info "
                "endpoint: size, format, mime_type, width, height, orientation, colorspace, bands, sample_format, "
                "pages_number, alpha, palette, average, blurhash, thumb_hash, perceptual_hash",
            ),
        ]
        | None
    ) = None
    faces: Annotated[
        bool,
        Meta(
            description="Add the boxes of detected faces, in pixels of the upright original. Restricted like `details`"
        ),
    ] = False
    moderation: Annotated[
        bool, Meta(description="Add the moderation labels, with their confidence in percent. Restricted like `details`")
    ] = False

    def check(self) -> None:
        """Raise InvalidParameter for a fact that is not known."""
        for name in self.facts.split(",") if self.facts is not None else ():
            if name not in FACTS:
                raise InvalidParameter("info.facts", "some of " + ", ".join(FACTS) + suggest(name, FACTS), name)


@feature(
    Info,
    group="report",
    cost=each_pixel(0.007, 2),
    reads="neighbours",
    preshrink=lambda _requested, size: max(size) / _SIDE,
    is_private=lambda requested: requested.details or requested.exif or requested.faces or requested.moderation,
)
def info(picture: Picture, requested: Info, context: Context) -> Report:
    small = _thumbnail(picture)
    if requested.facts is not None:
        return Report(report_facts(requested.facts.split(","), Known(picture.source, small)))
    palette = find_palette(small)
    content = {
        **_facts(picture.source),
        "hdr": report_hdr(context.original, picture.source),
        "dominantColor": palette[0][0] if palette else None,
        "palette": [colour for colour, _ in palette],
        "paletteShares": [share for _, share in palette],
        "blurHash": hashes.blur_hash(small),
        "thumbHash": hashes.thumb_hash(small),
        "preview": hashes.preview(small),
    }
    if requested.result:
        content["result"] = _result(picture)
    if requested.exif:
        content["exif"] = _exif(picture.source, context)
    if requested.details:
        content |= _details(small, picture.source, context)
    if requested.faces:
        content["faces"] = _faces(picture.source, context)
    if requested.moderation:
        content["moderationLabels"] = _labels(context)
    return Report(content)


def _facts(source: ImageHeader) -> dict[str, object]:
    """Return facts about the file, but none of its metadata, which can contain a position."""
    width, height = source.upright
    return {
        "format": source.format,
        "mediaType": MEDIA_TYPES[source.format],
        "bytes": source.size,
        "width": width,
        "height": height,
        "storedWidth": source.width,
        "storedHeight": source.height,
        "orientation": source.orientation,
        "frames": source.frames if source.delays else 1,
        "pages": source.frames,
        "alpha": source.alpha,
        "bits": source.bits,
        "profile": source.profile,
    }


def _result(picture: Picture) -> dict[str, object]:
    """Return what the steps before have made of the image, as an answer would show it."""
    width, height = picture.full
    return {"width": width, "height": height, "frames": picture.frames, "alpha": picture.has_alpha}


def _exif(source: ImageHeader, context: Context) -> dict[str, dict[str, object]]:
    from imaging.codecs.metadata.exif_report import read_groups  # noqa: PLC0415 - most requests never need it

    return read_groups(context.original, source)


def _details(small: pyvips.Image, source: ImageHeader, context: Context) -> dict[str, object]:
    """Return hashes, and what the metadata says; a position only where the operator allows it."""
    from imaging.codecs.metadata.origin import read_origin  # noqa: PLC0415 - most requests never need it

    return {
        "sha256": hashlib.sha256(context.original).hexdigest(),
        "perceptualHash": hashes.perceptual_hash(small),
        "origin": read_origin(context.original, source, position=context.limits.allow_gps),
    }


def _faces(source: ImageHeader, context: Context) -> list[dict[str, int]]:
    width, height = source.upright
    return [
        {
            "left": round(face.left * width),
            "top": round(face.top * height),
            "width": round(face.width * width),
            "height": round(face.height * height),
        }
        for face in context.vision.faces()
    ]


def _labels(context: Context) -> list[dict[str, object]] | None:
    """Return the labels; None if moderation is not available now and the operator lets such images pass."""
    labels = context.vision.labels()
    if labels is None:
        return None
    return [{"name": label.name, "confidence": label.confidence, "above": list(label.above)} for label in labels]


def _thumbnail(picture: Picture) -> pyvips.Image:
    """Return the first frame in sRGB, 8 bits per band, at most `_SIDE` pixels wide and high, in memory."""
    frame = picture.image.crop(0, 0, picture.width, picture.height)
    return frame.thumbnail_image(_SIDE, height=_SIDE, size="down").colourspace("srgb").copy_memory()
