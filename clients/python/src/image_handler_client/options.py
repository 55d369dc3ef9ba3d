"""Options as templates write them, where a keyword can hold no dot and no mapping."""

from __future__ import annotations

from collections.abc import Mapping


def nested(options: Mapping[str, object]) -> dict[str, object]:
    """Return the options with `watermark__key` as `{"watermark": {"key": …}}`."""
    return {name.replace("__", ".", 1): value for name, value in options.items()}


def widths_of(text: str) -> list[int]:
    """Return the numbers of a text such as `320,640`. Raises ValueError."""
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise ValueError(f"widths must be numbers such as 320,640, got {text!r}") from None
