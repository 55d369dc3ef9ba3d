"""HEIC (HEVC in the HEIF container), which is read only: its encoders are under the GPL."""

from __future__ import annotations

from imaging.formats.avif import brands, identify
from imaging.formats.format import MEGA, Decoder, Format, Lazy, MetadataCarrier

_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
_PROCESS = 40 * MEGA
"""Bytes of the process of its own, which loads libheif."""

FORMAT = Format(
    name="heif",
    extensions=("heic", "heif"),
    matches=lambda original: not _BRANDS.isdisjoint(brands(original)),
    decoder=Decoder(
        loader="heifload_source",
        seconds=0.08,
        memory=lambda header, _original: (12 if header.hasalpha() else 9) * header.width * header.height + _PROCESS,
        isolated=True,
        check_parts=Lazy("imaging.codecs.decode.parts", "check_boxes"),
        read_color_space=Lazy("imaging.codecs.decode.heif_color", "read_color_space"),
        identify=identify,
        read_pixels=Lazy("imaging.codecs.decode.heif", "read_heif_pixels"),
    ),
    metadata=MetadataCarrier(),
    converted_to="jpeg",
    negotiated_by_default=True,
    photo_density=0.0,
)
