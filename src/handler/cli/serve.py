"""`image-handler serve`: the pictures of a folder, or of the configured sources, over HTTP on this machine."""

from __future__ import annotations

import ipaddress
import logging
import os
import signal
import socket
import sys
from pathlib import Path

import click
import uvicorn

from handler import pages, wiring
from handler.app import lambda_handler
from handler.config import Settings
from handler.doors.server import HEALTH, PictureServer, access
from handler.doors.workers import Bounds
from handler.health import Health
from handler.observability import log_from

# How long requests under way may take once the server is told to stop; Kubernetes waits 30 s by default.
_GRACE_SECONDS = 29


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
def serve(images: Path | None, host: str, port: int, workers: int, queue: int) -> None:
    """Serve pictures over HTTP.

    Settings come from the environment, as in Lambda; an option wins over it. On a loopback address the
    operator's doors and every feature are open; on any other, what the settings say.
    """
    settings = Settings.from_environment()
    if images is not None:
        settings = settings.replace(source_buckets=f"images={images.as_uri()}")
    if not settings.storage.source_buckets:
        raise click.UsageError("what to serve must be said: --images DIR, or SOURCE_BUCKETS in the environment")
    listener = _listen(host, port)
    on_loopback = ipaddress.ip_address(listener.getsockname()[0]).is_loopback
    if on_loopback:
        settings = settings.replace(operator_open=True, public_features=settings.access.public_features or ("*",))
    application = wiring.build(settings)
    wiring.use(application)
    bounds = Bounds(workers, queue, settings.limits.max_source_bytes * 14 // 10, settings.limits.max_seconds + 0.5)
    health = application.health
    server = PictureServer(lambda_handler, bounds, {**pages.demo(), HEALTH: health.page}, loopback_only=on_loopback)
    _log_to_standard_output()
    click.echo(f"Serving {images or settings.storage.source_buckets} at {_address(listener)} (Ctrl-C to stop)")
    _run(server, listener, health)


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
    log_from("WARNING")


def _run(server: PictureServer, listener: socket.socket, health: Health) -> None:
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
    running = uvicorn.Server(config)
    # uvicorn's own handler, also before it is installed; and after the end, when uvicorn raises the signal once more.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, running.handle_exit)
    health.replace = lambda: setattr(running, "should_exit", True)
    running.run(sockets=[listener])
    server.close()
    if not health.works:
        sys.exit(1)
