"""What every sender of notices provides."""

from __future__ import annotations

from typing import Protocol

from handler.notifications.payload import Message

SECONDS = 10.0
"""Time for one attempt to send a notice."""


class SendError(Exception):
    """A notice was not accepted; the text is for the log and holds no secret."""


class Sender(Protocol):
    """Sends notices to one receiver."""

    @property
    def name(self) -> str:
        """The name under which the outbox remembers what this sender has sent."""
        ...

    def send(self, message: Message, seconds: float) -> None:
        """Send a notice within these seconds; return once the receiver has accepted it. Raise SendError."""
        ...
