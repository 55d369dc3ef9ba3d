"""Decoding that prepares a forked process for its work; the fork server calls it by the name of this module."""

from __future__ import annotations

from importlib import import_module

from imaging.codecs.decode.header import measure_drawing
from imaging.codecs.decode.loaders import load
from imaging.context import Limits
from imaging.formats import NAMES, SVG, format_by_name

_DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0L1 1"/></svg>'

_MODULES = ("imaging.codecs.decode.bitmaps", "imaging.codecs.decode.chunks", "imaging.codecs.decode.tiff")
"""Modules that some formats need, so that the processes do not import them again after each fork."""


def before_forks() -> None:
    """Load all that measuring a drawing needs, in the fork server.

    No pixels are computed, because that would start threads of libvips, which do not survive a fork.
    """
    for name in NAMES:
        format_by_name(name)
    for module in _MODULES:
        import_module(module)
    measure_drawing(_DRAWING, Limits())


def after_fork() -> None:
    """Draw a small image, in a process that has no work yet.

    That starts libvips' threads, and copies the pages of memory that a fork shares until they are written to.
    """
    load(_DRAWING, SVG.name, scale=1.0).write_to_memory()
