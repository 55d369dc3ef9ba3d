"""A proxy before a server, which loses what it is told to: a request, or the answer to it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

Loss = Literal["request", "answer"]


@dataclass
class LossyProxy:
    """Listens on loopback; `lose` says what of which requests it loses."""

    port: int
    _losses: list[tuple[bytes, Loss]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def lose(self, pattern: bytes, *losses: Loss) -> None:
        """Lose this of the next requests that contain a pattern, one after the other; each loses its connection."""
        with self._lock:
            self._losses += [(pattern, loss) for loss in losses]

    @property
    def has_lost_all(self) -> bool:
        return not self._losses

    def _loss_of(self, request: bytes) -> Loss | None:
        with self._lock:
            if self._losses and self._losses[0][0] in request:
                return self._losses.pop(0)[1]
        return None

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        muted = threading.Event()
        back = threading.Thread(target=self._answer, args=(server, client, muted), daemon=True)
        back.start()
        with client, server:
            while data := _receive(client):
                loss = self._loss_of(data)
                if loss == "request":
                    break
                if loss == "answer":
                    muted.set()
                with suppress(OSError):
                    server.sendall(data)
            for end in (client, server):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            back.join()

    @staticmethod
    def _answer(server: socket.socket, client: socket.socket, muted: threading.Event) -> None:
        while data := _receive(server):
            if muted.is_set():
                break
            with suppress(OSError):
                client.sendall(data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


def _receive(end: socket.socket) -> bytes:
    try:
        return end.recv(1 << 16)
    except OSError:
        return b""


@contextmanager
def lossy_proxy(connect: Callable[[], socket.socket]) -> Iterator[LossyProxy]:
    """Run a proxy before the server to which `connect` opens a connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = LossyProxy(listener.getsockname()[1])

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=proxy._serve, args=(client, connect()), daemon=True).start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
