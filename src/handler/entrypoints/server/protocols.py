"""uvicorn's HTTP/1.1 protocols as connections that are limited: each parser tells what it still awaits.

httptools parses in a third of h11's time, so it is used where it is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from handler.entrypoints.server.connections import Connection, Connections

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
except ImportError:  # httptools has no wheel for this platform
    HttpToolsProtocol = None  # type: ignore[misc,assignment]  # checked below, where it is a base class

_MAX_HEAD_BYTES = 65_536
"""Bytes of a request's head, and of the trailers of its body; h11 has the same limit."""
_HEAD_SLICE, _BODY_SLICE = 4_096, 16_384
"""Bytes that are parsed at once: so few that thousands of requests that arrive together do not fill the memory."""


class H11Connection(Connection, H11Protocol):
    """A connection whose requests h11 parses, in Python."""

    def awaits(self) -> tuple[bool, bool]:
        return bool(self.conn.trailing_data[0]), self.conn.their_state is h11.SEND_BODY


if not TYPE_CHECKING and HttpToolsProtocol is None:
    CONNECTION: type[Connection] = H11Connection
else:

    class HttpToolsConnection(Connection, HttpToolsProtocol):
        """A connection whose requests httptools parses, in C.

        uvicorn's class parses all that has arrived, and refuses what it cannot parse before earlier requests are
        answered. Here the rest of the bytes waits while a request waits for the one before it, a refusal waits for the
        answers before it, and what a parser holds back is bounded.
        """

        def __init__(self, opened: Connections, owner: str, config: uvicorn.Config, server: uvicorn.Server) -> None:
            super().__init__(opened, owner, config, server)
            self._held = b""
            """Bytes that wait until the pipelined requests before them are being answered."""
            self._in_head = self._in_body = self._has_ended = False
            self._unseen = 0
            """Bytes since the parser last passed something on."""
            self._refusal = ""
            self._previous: RequestResponseCycle | None = None
            """The request before the newest."""

        def awaits(self) -> tuple[bool, bool]:
            return self._in_head, self._in_body

        def connection_lost(self, exc: Exception | None) -> None:
            # uvicorn tells the newest request alone; the one before it may still be being answered.
            if self._previous is not None and not self._previous.response_complete:
                self._previous.disconnected = True
                self._previous.message_event.set()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            self._held += data
            self._parse()
            self.update_state()

        def _parse(self) -> None:
            """Parse what has arrived, as long as no request waits for the one before it."""
            data, self._held, position = self._held, b"", 0
            while position < len(data) and not (self.pipeline or self._has_ended or self.transport.is_closing()):
                part = data[position : position + (_BODY_SLICE if self._in_body else _HEAD_SLICE)]
                position += len(part)
                self._in_head = not self._in_body
                self._unseen += len(part)
                HttpToolsProtocol.data_received(self, part)
                if self._unseen > _MAX_HEAD_BYTES and not self._has_ended:
                    self.send_400_response(f"The head of a request must be at most {_MAX_HEAD_BYTES} bytes.")
            if not self._has_ended and position < len(data):
                self._held = data[position:]
                self.flow.pause_reading()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._in_head, self._unseen = True, 0

        def on_header(self, name: bytes, value: bytes) -> None:
            # Trailers of a body come here as well; they must not change the head that has been checked.
            if self._in_head:
                super().on_header(name, value)

        def on_headers_complete(self) -> None:
            self._previous = self.cycle
            super().on_headers_complete()
            self._in_head, self._in_body, self._unseen = False, True, 0

        def on_body(self, body: bytes) -> None:
            self._unseen = 0
            super().on_body(body)

        def on_message_complete(self) -> None:
            self._in_body, self._unseen = False, 0
            super().on_message_complete()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.transport.is_closing():
                return
            if self._refusal and self.is_waiting:
                super().send_400_response(self._refusal)
            self._parse()
            self.update_state()

        def send_400_response(self, msg: str) -> None:
            """Refuse what cannot be parsed, after the requests before it are answered."""
            self._has_ended = True
            if self.is_waiting or (self._in_body and not self.pipeline):
                super().send_400_response(msg)
                return
            if self._in_body:
                self.pipeline.popleft()  # the request whose body this is
                self.cycle = self._previous
            self._refusal = msg

        def _unsupported_upgrade_warning(self) -> None:
            """Answer a request for another protocol in HTTP/1.1, as the last one of the connection."""
            self._has_ended = True
            self.cycle.keep_alive = False

    CONNECTION = HttpToolsConnection
