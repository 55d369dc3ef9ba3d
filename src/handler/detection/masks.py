"""Keep the masks of subjects by original, so that a model runs once for all variants of an image."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

import msgspec

from handler.core.ports import DetectionInput, ObjectStore
from handler.detection.stored_cache import PREFIX, Codec, StoredCache
from imaging import Deadline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.uint8]

_MAX_BYTES = 32_000_000
"""Masks in memory; U²-Net's have 102,400 bytes. The least recently used ones are dropped."""


class MaskCache:
    """Masks by original, in memory and as PNG files in a store if there is one."""

    def __init__(self, store: ObjectStore | None = None) -> None:
        codec: Codec[Mask] = Codec("image/png", _encode, _decode, lambda mask: int(mask.nbytes))
        self._kept = StoredCache(store, codec, _MAX_BYTES)

    def of(self, original: DetectionInput, version: str, deadline: Deadline) -> OriginalMasks:
        """Return the masks of an original, for one request. `version` is that of the code that edits images."""
        return OriginalMasks(self._kept, original, version, deadline)


class OriginalMasks(msgspec.Struct, frozen=True):
    """The `imaging.SubjectMasks` of one request."""

    kept: StoredCache[Mask]
    original: DetectionInput
    version: str
    deadline: Deadline

    def get(self, name: str, compute: Callable[[], Mask], *, is_edited: bool) -> Mask:
        """Return the mask that is kept under this name, or compute it."""
        parts = [self.original.etag, name, self.version if is_edited else ""]
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
        key = f"{PREFIX}{self.original.tag}/mask-{digest}.png"
        return self.kept.get(key, compute, self.deadline, is_stored=not self.original.is_inline)


def _encode(mask: Mask) -> bytes:
    from PIL import Image  # noqa: PLC0415 - 40 ms, and the model has imported it

    buffer = BytesIO()
    Image.fromarray(mask).save(buffer, "PNG")
    return buffer.getvalue()


def _decode(body: bytes) -> Mask:
    import numpy as np  # noqa: PLC0415 - 55 ms
    from PIL import Image  # noqa: PLC0415 - 40 ms

    try:
        return np.asarray(Image.open(BytesIO(body), formats=["PNG"]).convert("L"))
    except (OSError, SyntaxError) as error:
        raise ValueError(f"not a PNG: {error}") from None
