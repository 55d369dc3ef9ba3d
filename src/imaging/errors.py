"""Errors that the image engine and the features raise.

FeatureError
├── InvalidParameter    a value is out of range, unknown or of the wrong type
├── UnsupportedSource   the file has no image format that can be decoded
├── DamagedSource       the file is truncated or corrupt
├── TooLarge            bytes, pixels, frames or memory are above a limit
├── TimeExceeded        the deadline has passed, or would pass
├── Unavailable         a model or a service that the feature needs is not configured
└── Rejected            the operator's moderation rules refuse the image

Each error carries two texts: `message`, which is safe to show to the client, and `detail`, which is for the log alone.
`handler.core.errors` maps the types to HTTP statuses; no code compares the texts of messages.
"""

from __future__ import annotations


class FeatureError(Exception):
    """Base of all errors of the engine and the features; `code` is stable and public."""

    code = "ProcessingFailure"

    def __init__(self, message: str, *, detail: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        if code is not None:
            self.code = code


class InvalidParameter(FeatureError):
    """A parameter has a value that is not allowed; the message names it, what was expected and what was given."""

    code = "BadRequest"

    def __init__(self, name: str, expected: str, got: object, *, code: str | None = None) -> None:
        super().__init__(f"`{name}` must be {expected}, got {format_value(got)}", code=code)
        self.name = name
        self.expected = expected
        self.got = got


class UnsupportedSource(FeatureError):
    """The file has a format that cannot be decoded."""

    code = "UnsupportedMediaType"


class DamagedSource(FeatureError):
    """The file is truncated or corrupt."""

    code = "DamagedImage"

    @classmethod
    def from_decoder(cls, error: Exception) -> DamagedSource:
        """Return the error for a client, with the decoder's own message as the detail for the log."""
        return cls("the picture is damaged or cut off", detail=f"{type(error).__name__}: {error}")


class UnreadableByDetector(DamagedSource):
    """A detector cannot read the image. Repairing the file would not help, and a detector may bill each call."""


class TooLarge(FeatureError):
    """Bytes, pixels, frames or memory are above a limit."""

    code = "TooLargeImageException"


class TimeExceeded(FeatureError):
    """Processing takes longer than one request may take."""

    code = "TimeExceeded"


class Unavailable(FeatureError):
    """A model or a service that the feature needs is not configured."""

    code = "NotImplemented"


class Rejected(FeatureError):
    """The operator's moderation rules refuse the image."""

    code = "Rejected"


def format_value(value: object, max_length: int = 60) -> str:
    """Return a value as messages quote it: spelled as in a request, in at most `max_length` characters."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= max_length else text[: max_length - 1] + "…"
