"""Why a picture, or what is asked of it, can be refused.

FeatureError
├── InvalidParameter    a value is out of range, unknown or of the wrong type
├── UnsupportedSource   the bytes are no picture that can be read
├── DamagedSource       the bytes are a picture, but cut off or broken
├── TooLarge            bytes, pixels, frames or memory are above a limit
├── TimeExceeded        the deadline would pass, or has passed
├── Unavailable         a model or a service that the feature needs is not set up
└── Rejected            the operator's rules keep this picture back

Each carries two texts: `message`, safe to show to the client, and `detail`, for the log alone.
`handler.errors` turns the types into HTTP statuses; nothing ever matches on message text.
"""

from __future__ import annotations


class FeatureError(Exception):
    """Base of every refusal; `code` is stable and public."""

    code = "ProcessingFailure"

    def __init__(self, message: str, *, detail: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        if code is not None:
            self.code = code


class InvalidParameter(FeatureError):
    """A value that a feature does not take; says which, what was expected and what came."""

    code = "BadRequest"

    def __init__(self, name: str, expected: str, got: object, *, code: str | None = None) -> None:
        super().__init__(f"`{name}` must be {expected}, got {format_value(got)}", code=code)
        self.name = name
        self.expected = expected
        self.got = got


class UnsupportedSource(FeatureError):
    """Bytes that no decoder here reads."""

    code = "UnsupportedMediaType"


class DamagedSource(FeatureError):
    """An image file that is truncated or corrupt."""

    code = "DamagedImage"

    @classmethod
    def from_decoder(cls, error: Exception) -> DamagedSource:
        """Return the error for a client, with the decoder's own message as the detail for the log."""
        return cls("the picture is damaged or cut off", detail=f"{type(error).__name__}: {error}")


class TooLarge(FeatureError):
    """A limit on bytes, pixels, frames or memory."""

    code = "TooLargeImageException"


class TimeExceeded(FeatureError):
    """The time for one picture is used up."""

    code = "TimeExceeded"


class Unavailable(FeatureError):
    """Something that the feature needs is not installed or not set up."""

    code = "NotImplemented"


class Rejected(FeatureError):
    """The operator's rules keep this picture back."""

    code = "Rejected"


def format_value(value: object, most: int = 60) -> str:
    """A value as it may stand in a message: short, on one line, and spelled as in a request."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= most else text[: most - 1] + "…"
