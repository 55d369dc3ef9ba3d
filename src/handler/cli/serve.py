"""`image-handler serve`: the pictures of a folder, or of the configured sources, over HTTP on this machine."""

from __future__ import annotations

import ipaddress
import logging
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import click
import uvicorn

from handler import pages
from handler.app import answer_call
from handler.composition import wiring
from handler.config import Settings
from handler.entrypoints.connections import ConnectionLimits, ConnectionServer
from handler.entrypoints.health import Health, exit_process
from handler.entrypoints.server import HEALTH, PictureServer, access
from handler.entrypoints.workers import Bounds
from handler.observability import set_log_level

# How long requests under way may take once the server is told to stop; Kubernetes waits 30 s by default.
_GRACE_SECONDS = 29
_CONNECTIONS = 1000
_DESCRIPTORS, _DESCRIPTORS_OF_A_WORKER = 64, 16
"""What else is open: libraries, logs, pools of connections to stores; pictures, pipes and sockets of a worker."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1"))
"""Where a proxy on this machine has its address."""


def _networks(_: click.Context, __: click.Parameter, said: tuple[str, ...]) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(each) for each in said)
    except ValueError as error:
        raise click.BadParameter(f"must be an IP address or a network: {error}") from None


@click.command()
@click.option(
    "--images", type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="Serve this folder; without it the sources that SOURCE_BUCKETS lists.",
)  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port; 0: any free one.")
@click.option(
    "--workers", type=click.IntRange(1, 256), default=lambda: os.cpu_count() or 1, show_default="processors",
    help="Pictures made at the same time.",
)  # fmt: skip
@click.option("--queue", default=32, show_default=True, type=click.IntRange(0, 10_000), help="Requests that may wait.")
@click.option(
    "--connections", type=click.IntRange(1, 100_000), show_default="1000, or fewer as file descriptors allow",
    help="Open connections.",
)  # fmt: skip
@click.option(
    "--connections-per-address", default=100, show_default=True, type=click.IntRange(0, 100_000),
    help="Open connections of one client's address; 0: no limit.",
)  # fmt: skip
@click.option(
    "--trusted-proxy", "trusted_proxies", multiple=True, callback=_networks, metavar="NETWORK",
    help="A proxy's address or network, such as 10.0.0.0/8, which has no such limit; may be repeated. With "
    "--behind-proxy the loopback addresses are proxies.",
)  # fmt: skip
@click.option(
    "--header-timeout", default=10, show_default=True, type=click.IntRange(1, 3600),
    help="Seconds in which the head of a request must arrive.",
)  # fmt: skip
@click.option(
    "--stall-timeout", default=10, show_default=True, type=click.IntRange(1, 3600),
    help="Seconds for which a body may pause, or a client may read nothing of an answer.",
)  # fmt: skip
@click.option("--behind-proxy", is_flag=True, help="A proxy on this machine brings requests of others.")
def serve(
    images: Path | None, host: str, port: int, workers: int, queue: int, *, behind_proxy: bool, **options: Any
) -> None:
    """Serve pictures over HTTP.

    Settings come from the environment, as in Lambda; an option wins over it. On a loopback address the operator API
    and every feature are open, unless --behind-proxy is given; on any other, what the settings say.
    """
    settings = Settings.from_environment()
    if images is not None:
        settings = settings.replace(source_buckets=f"images={images.as_uri()}")
    if not settings.storage.source_buckets:
        raise click.UsageError("what to serve must be said: --images DIR, or SOURCE_BUCKETS in the environment")
    listener = _listen(host, port)
    on_loopback = ipaddress.ip_address(listener.getsockname()[0]).is_loopback and not behind_proxy
    if on_loopback:
        settings = settings.replace(operator_open=True, public_features=settings.access.public_features or ("*",))
    application = wiring.build(settings)
    wiring.use(application)
    if behind_proxy:
        options["trusted_proxies"] += _LOOPBACK
    limits = _limits(workers, **options)
    seconds = settings.limits.max_seconds + 0.5
    bounds = Bounds(workers, queue, settings.limits.max_source_bytes * 14 // 10, seconds, limits.stall_seconds)
    server = PictureServer(
        answer_call, bounds, {**pages.demo(), HEALTH: application.health.page},
        admit=application.http.admit, loopback_only=on_loopback,
    )  # fmt: skip
    _log_to_standard_output()
    click.echo(f"Serving {images or settings.storage.source_buckets} at {_address(listener)} (Ctrl-C to stop)")
    _run(server, listener, application.health, limits)


def _limits(
    workers: int,
    connections: int | None,
    connections_per_address: int,
    trusted_proxies: tuple[Network, ...],
    header_timeout: int,
    stall_timeout: int,
) -> ConnectionLimits:
    return ConnectionLimits(
        _connections(connections, workers),
        connections_per_address,
        header_timeout,
        stall_timeout,
        trusted_proxies=trusted_proxies,
    )


def _connections(requested: int | None, workers: int) -> int:
    """How many connections may be open, so that descriptors remain for what the workers open."""
    import resource  # noqa: PLC0415 - Windows has none

    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = descriptors - _DESCRIPTORS - workers * _DESCRIPTORS_OF_A_WORKER
    if room < (requested or 1):
        raise click.UsageError(
            f"{requested or 1} connections and {workers} workers need {(requested or 1) + descriptors - room} file "
            f"descriptors, and this process may open {descriptors} (ulimit -n)"
        )
    return requested or min(_CONNECTIONS, room)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}, port {port}: {error.strerror or error}") from None
    # Connections inherit it; asyncio would not set it, and each answer on a kept connection would wait 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _log_to_standard_output() -> None:
    """One line a request. The handler's own line for each says less, so it is left to Lambda."""
    access.addHandler(logging.StreamHandler(sys.stdout))
    access.setLevel(logging.INFO)
    access.propagate = False
    # A client that sends no HTTP, or leaves while it is answered, has a line here each time.
    for name in ("uvicorn.error", "asyncio"):
        logging.getLogger(name).addFilter(_Throttle())
    set_log_level("WARNING")


class _Throttle(logging.Filter):
    """Lets so many records through in ten seconds; the next one after them says how many were left out."""

    def __init__(self, most: int = 20) -> None:
        super().__init__()
        self._most = most
        self._since = self._seen = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if now - self._since >= 10:
            left_out, self._since, self._seen = self._seen - self._most, now, 0
            if left_out > 0:
                record.msg = f"{record.msg} ({left_out:g} more lines like this were left out)"
        self._seen += 1
        return self._seen <= self._most


def _run(
    server: PictureServer, listener: socket.socket, health: Health, limits: ConnectionLimits | None = None
) -> None:
    """Serve until SIGINT or SIGTERM; requests under way are finished, then the process ends with status 0.

    A process that can no longer draw ends in the same way with status 1, for whoever started it to replace it.
    """
    config = uvicorn.Config(
        server,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    running = ConnectionServer(config, limits or ConnectionLimits(), server.measures)
    # uvicorn's own handler, also before it is installed; and after the end, when uvicorn raises the signal once more.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, running.handle_exit)
    health.replace = lambda: setattr(running, "should_exit", True)
    running.run(sockets=[listener])
    if not server.close():
        exit_process()  # a thread that does not end would keep the process from ending
    if not health.works:
        sys.exit(1)
