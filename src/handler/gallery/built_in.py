"""The built-in recipes, as edits of the JSON dialect. A cold start may check their names, so nothing is imported."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any

BUILT_IN: Mapping[str, Mapping[str, Any]] = {
    "cutout": {"removeBackground": True, "toFormat": "png"},
    "product-square": {"removeBackground": True, "cutout": "product", "toFormat": "jpeg", "quality": 90},
    "smart-square": {"resize": {"width": 1080, "height": 1080, "position": "attention"}},
    "smaller": {"toFormat": "webp", "quality": 75},
    "fewer-colours": {"quantize": {"colors": 16}, "toFormat": "png", "palette": True},
    "blur-faces": {"redact": {"detect": "faces", "shape": "ellipse"}},
}
"""In the order in which the page shows them."""
VIEWED: Mapping[str, Any] = {"toFormat": "webp"}
"""The format in which the page shows originals, which not every browser can show."""


def find_unknown_recipe(names: Iterable[str], presets: Container[str]) -> str | None:
    """Return the first name that is neither a preset nor a built-in recipe."""
    return next((name for name in names if name not in presets and name not in BUILT_IN), None)
