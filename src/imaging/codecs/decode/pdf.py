"""Draw pages of PDF documents with PDFium, in a process that is limited and can be killed.

The library is built without JavaScript and XFA. Forms, attachments and actions are not opened: a page is drawn with its
annotations, and nothing else of the document is looked at. No file can be opened once the library is loaded, so the
fonts are those in the document and the fourteen in PDFium.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pyvips

from imaging.codecs.decode.drawing_process import measure_isolated, render_isolated
from imaging.codecs.decode.loaders import keep_alive
from imaging.context import Context, Deadline, Limits
from imaging.errors import DamagedSource, InvalidParameter, TooLarge, Unavailable, UnsupportedSource
from imaging.formats import PDF
from imaging.formats.format import DPI, Loading
from imaging.picture import ImageHeader

Document = Any
"""A document or a page of PDFium, by its pointer."""
_POINTS = 72
"""Points in an inch."""
_MAX_PAGES = 10_000
"""The numbers of pages that a request can name."""
_MIN_SIDE, _MAX_SIDE = 3.0, 14_400.0
"""The sides in points that a page may have (ISO 32000-1, annex C)."""
_PASSWORD, _SECURITY = 4, 5
"""PDFium's codes for a document that needs a password, and for an unknown kind of encryption."""
_ANNOTATIONS, _REVERSED = 0x01, 0x10
"""PDFium's flags: draw annotations, and store red before blue."""
_WHITE = 0xFFFFFFFF
_BGRX = 3
_WHAT = "a page of a PDF"


def read_pdf_header(original: bytes, page: int | None, limits: Limits, deadline: Deadline) -> ImageHeader:
    """Return the pages of a document and the size of one of them, in pixels at 96 dpi.

    Raises DamagedSource, TooLarge, TimeExceeded, UnsupportedSource for a document that needs a password.
    """
    return measure_isolated(original, limits, deadline, measure_page, page or 0, what=_WHAT)


def read_pdf_pixels(loading: Loading) -> pyvips.Image:
    """Return a page on white in RGB. Raises DamagedSource, TooLarge, TimeExceeded."""
    context: Context = loading.context
    page = loading.page or 0
    return render_isolated(
        loading.original, loading.size, context.limits, context.deadline, draw_page, loading.size, page, what=_WHAT
    )


def measure_page(original: bytes, _limits: Limits, page: int) -> ImageHeader:
    """Return the header; called in the isolated process."""
    with _opened(original) as (pdfium, document):
        pages = pdfium.FPDF_GetPageCount(document)
        if pages < 1:
            raise DamagedSource("the PDF is damaged: it has no page")
        if pages > _MAX_PAGES:
            raise TooLarge(f"a PDF may have {_MAX_PAGES} pages, this one has {pages}")
        if page >= pages:
            raise InvalidParameter("page", f"0 to {pages - 1}", page)
        size = pdfium.FS_SIZEF()
        if not pdfium.FPDF_GetPageSizeByIndexF(document, page, size):
            raise DamagedSource(f"page {page} of the PDF is damaged")
    sides = size.width, size.height
    if not all(math.isfinite(side) and _MIN_SIDE <= side <= _MAX_SIDE for side in sides):
        raise TooLarge(
            f"the sides of a page must have {_MIN_SIDE:.0f} to {_MAX_SIDE:.0f} points, got {sides[0]:g} × {sides[1]:g}"
        )
    width, height = (max(1, round(side * DPI / _POINTS)) for side in sides)
    return ImageHeader(PDF.name, width, height, len(original), frames=pages)


def draw_page(original: bytes, size: tuple[int, int], number: int) -> pyvips.Image:
    """Return a page at exactly this size; called in the isolated process."""
    with _opened(original) as (pdfium, document):
        page = pdfium.FPDF_LoadPage(document, number)
        if not page:
            raise DamagedSource(f"page {number} of the PDF is damaged")
        pixels = bytearray(4 * size[0] * size[1])
        place = (ctypes.c_char * len(pixels)).from_buffer(pixels)
        bitmap = pdfium.FPDFBitmap_CreateEx(*size, _BGRX, place, 4 * size[0])
        if not bitmap:
            raise MemoryError("PDFium has no memory for the page")
        pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, *size, _WHITE)
        pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, *size, 0, _ANNOTATIONS | _REVERSED)
        pdfium.FPDFBitmap_Destroy(bitmap)
        pdfium.FPDF_ClosePage(page)
    rows = pyvips.Image.new_from_memory(pixels, *size, 4, "uchar")
    return keep_alive(rows, pixels)[:3].copy(interpretation="srgb")


@cache
def _library() -> Any:
    """Load PDFium, after which this process opens no more files."""
    try:
        # Not `pypdfium2`, which imports helpers that nothing here needs.
        import pypdfium2_raw as pdfium  # noqa: PLC0415 - of PDF alone
    except ImportError as error:
        raise Unavailable("PDF documents are not set up here", detail=f"pip install pypdfium2: {error}") from None
    from imaging.deadlines.killable_process import open_no_more_files  # noqa: PLC0415 - of the isolated process

    # Without folders of fonts; those of the machine would make a page look different on each.
    folders = (ctypes.POINTER(ctypes.c_char) * 1)()
    pdfium.FPDF_InitLibraryWithConfig(pdfium.FPDF_LIBRARY_CONFIG(version=2, m_pUserFontPaths=folders))
    open_no_more_files()
    return pdfium


@contextmanager
def _opened(original: bytes) -> Iterator[tuple[Any, Document]]:
    """Open a document without a password. Raises DamagedSource, UnsupportedSource."""
    pdfium = _library()
    document = pdfium.FPDF_LoadMemDocument64(original, len(original), None)
    if not document:
        code = pdfium.FPDF_GetLastError()
        if code in (_PASSWORD, _SECURITY):
            raise UnsupportedSource("the PDF must open without a password, this one is encrypted")
        raise DamagedSource("the PDF is damaged or cut off", detail=f"PDFium's error {code}")
    try:
        yield pdfium, document
    finally:
        pdfium.FPDF_CloseDocument(document)
