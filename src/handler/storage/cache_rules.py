"""Decide from a request and the size of its inputs whether the result cache saves work for it."""

from __future__ import annotations

from handler.requests.image_request import ImageRequest
from imaging import SLOW, Output

LARGE_ORIGINAL = 2_000_000
"""Bytes. From a smaller original, formats other than AVIF take at most 0.17 s of a processor (docs/caching.md)."""
_SLOW = frozenset({"clahe", "median", "quantize", "waveletSharpen"})
"""Features that take more than writing an object costs, which is 0.2 s of a processor, at 1200 pixels."""
_STILL = (".jpg", ".jpeg", ".png", ".heic", ".avif", ".tif", ".tiff", ".bmp")
"""Suffixes of keys whose originals have one frame, as far as a name can tell; any other may be an animation."""


def saves_work(request: ImageRequest, size: int) -> bool:
    """Whether the result is cheaper to fetch than to render again; `size`: bytes of all inputs."""
    output, steps = request.output, request.all_steps
    if any(step.is_expensive or step.is_billed or step.feature.name in _SLOW for step in steps):
        return True
    if output.searches or output.max_bytes or output.format in SLOW or (output.negotiates and SLOW & request.accepts):
        return True
    return size > LARGE_ORIGINAL and bool(steps or output != Output())


def is_public_and_restricted(request: ImageRequest) -> bool:
    """Return whether anyone may request this, although it is expensive or billed (PUBLIC_FEATURES)."""
    is_restricted = request.output.searches or any(step.is_restricted for step in request.all_steps)
    return not request.signed and is_restricted


def may_be_large(request: ImageRequest, size: int, max_bytes: int) -> bool:
    """Whether the result may have more than `max_bytes` (0: no limit), and so have been offloaded.

    It is a guess. Where it is wrong, the result is rendered again.
    """
    return 0 < max_bytes < size * 4 and not 0 < _raw_bytes(request) < max_bytes


def _raw_bytes(request: ImageRequest) -> float:
    """Return the uncompressed bytes of a still image of the requested size, as a square where one side is free.

    0 if they are not known.
    """
    resize = next((step.params for step in request.steps if step.feature.name == "resize"), None)
    if isinstance(request.source, bytes) or not request.source.key.lower().endswith(_STILL):
        return 0
    width, height = getattr(resize, "width", 0), getattr(resize, "height", 0)
    return float(4 * (width or height or 0) * (height or width or 0) * getattr(resize, "dpr", 1.0) ** 2)
