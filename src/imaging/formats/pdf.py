"""PDF, which is read only where PDF_SOURCES switches it on: a page is drawn by PDFium."""

from __future__ import annotations

import math

from imaging.formats.format import MEGA, Decoder, Format, Lazy

_PAGE = 30 * MEGA
"""Bytes of the library, with what it holds of a page."""
_PIXEL_BYTES = 12
"""Of the bitmap, of what transparency groups need beside it, and of the answer."""

FORMAT = Format(
    name="pdf",
    extensions=("pdf",),
    signatures=(b"%PDF-",),
    decoder=Decoder(
        # A page has limits of its own: the process that draws it ends at the limit of its memory or time.
        seconds=0.0,
        loaded_memory=lambda _decoder, pixels, _stored: _PAGE + pixels * _PIXEL_BYTES,
        switch="PDF_SOURCES",
        isolated=True,
        scalable=True,
        reduction=lambda shrink, frames, is_same_format: shrink,  # noqa: ARG005 - the shape of all
        read_header=Lazy("imaging.codecs.decode.pdf", "read_pdf_header"),
        read_pixels=Lazy("imaging.codecs.decode.pdf", "read_pdf_pixels"),
    ),
    converted_to="png",
    photo_density=math.inf,
)
