"""Replaces the functions by which pyvips reads texts of libvips, so that bytes that are not UTF-8 never raise.

pyvips 3.2.0 decodes libvips' error buffer as strict UTF-8 before it clears it. A decoder's message may quote bytes of
the file (libheif quotes the four bytes of a property's name), and libvips cuts a long message in the middle of a
character. The decoding then raises UnicodeDecodeError, the buffer is never cleared, and every later error of the
process raises again. pyvips makes an error on ordinary paths too (`Image.__getattr__` looks an operation's name up as a
property first), so one file of 701 bytes makes every later image of the process fail.

What pyvips should do: in `Error.__init__`, read the buffer, clear it in any case, and decode with
`errors="replace"`; in `_to_string` and `_to_bytes`, use `errors="surrogateescape"`, since names and values of metadata
come from files. Once a release does both, this module can go.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import pyvips

_logger = logging.getLogger("pyvips.error")


def take_error() -> str:
    """Return the text of libvips' error buffer and clear the buffer."""
    try:
        return bytes(pyvips.ffi.string(pyvips.vips_lib.vips_error_buffer())).decode("utf-8", "replace")
    finally:
        pyvips.vips_lib.vips_error_clear()


def _initialize_error(self: Any, message: str, detail: str | None = None) -> None:
    """Replace `pyvips.Error.__init__`: set the same attributes, from a buffer that is cleared in any case."""
    self.message = message
    self.detail = detail or take_error()
    _logger.debug("Error %s %s", self.message, self.detail)


def _to_string(pointer: Any) -> str:
    """Replace `pyvips.error._to_string`: decode bytes that are not UTF-8 as surrogates."""
    if pointer == pyvips.ffi.NULL:
        return "NULL"
    content = pyvips.ffi.string(pointer)
    return content.decode("utf-8", "surrogateescape") if isinstance(content, bytes) else str(content)


def _to_bytes(text: Any) -> Any:
    """Replace `pyvips.error._to_bytes`: encode surrogates as the bytes that they stand for."""
    return str(text).encode("utf-8", "surrogateescape") if isinstance(text, (str, Path)) else text


def _install() -> None:
    pyvips.Error.__init__ = _initialize_error  # type: ignore[method-assign]  # until a release does it
    # Each module of pyvips has imported these two by name.
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "pyvips":
            for replacement in (_to_string, _to_bytes):
                if hasattr(module, replacement.__name__):
                    setattr(module, replacement.__name__, replacement)


_install()
