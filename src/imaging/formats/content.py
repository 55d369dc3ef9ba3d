"""What an encoder knows of a request and of the pixels when it chooses its options."""

from __future__ import annotations

from typing import Protocol

import msgspec


class EncodingOptions(Protocol):
    """The output parameters that an encoder reads; `imaging.params.output.Output` has them."""

    @property
    def fixed_quality(self) -> int | None: ...
    @property
    def effort(self) -> int | None: ...
    @property
    def progressive(self) -> bool: ...
    @property
    def lossless(self) -> bool: ...
    @property
    def chroma_subsampling(self) -> str: ...
    @property
    def palette(self) -> bool: ...
    @property
    def colors(self) -> int | None: ...
    @property
    def max_bytes(self) -> int | None: ...


class Content(msgspec.Struct, frozen=True):
    """What an encoder has to know about the pixels."""

    graphic: bool
    """They are a drawing, text or a screenshot, not a photograph."""
    alpha: bool
    size: int
    """Number of bytes."""
    pixels: int
    """Number of pixels of all frames."""
    colours: int = 0
    """Number of colours in the palette that the pixels are indexes into; 0 if they are not indexes."""
    frames: int = 1


def keeps_color(output: EncodingOptions, *, graphic: bool) -> bool:
    """Return whether the colour keeps its full resolution: by the request, or else in text and drawings alone.

    At their edges half the resolution shows. In a photograph it does not, and takes fewer bytes.
    """
    return output.chroma_subsampling == "4:4:4" or (output.chroma_subsampling == "auto" and graphic)
