"""`image-handler serve`: serve the images of a folder, or of the configured sources, over HTTP."""

from __future__ import annotations

import errno
import ipaddress
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import click
import uvicorn

from handler.app import answer_call
from handler.cli.local_uploads import add_gallery, add_uploads
from handler.cli.server_log import log_to_standard_output
from handler.composition import wiring
from handler.composition.server import GALLERY_HOME, adapt_to_server, list_pages
from handler.config import Settings
from handler.entrypoints.health import Health, exit_process
from handler.entrypoints.server.accepting import ConnectionServer
from handler.entrypoints.server.at_once import build_at_once
from handler.entrypoints.server.connections import ConnectionLimits
from handler.entrypoints.server.processes import Member, fork_members
from handler.entrypoints.server.server import PictureServer
from handler.entrypoints.server.workers import Bounds
from handler.entrypoints.uploads.background import BackgroundUploads

_GRACE_SECONDS = 29
"""Time for running requests after a signal to stop; Kubernetes waits 30 s by default."""
_UPLOAD_SECONDS = 5.0
"""Time for the upload that is being processed, after the requests have ended."""
_CONNECTIONS = 1000
_DESCRIPTORS, _DESCRIPTORS_OF_A_WORKER = 64, 16
"""File descriptors that the process and each worker need beside connections: libraries, logs, stores, images, pipes."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1"))
"""Addresses of a proxy on this machine."""


def _parse_networks(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(each) for each in values)
    except ValueError as error:
        raise click.BadParameter(f"must be an IP address or a network: {error}") from None


@click.command()
@click.option(
    "--images", type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="Folder to serve; by default the sources in SOURCE_BUCKETS.",
)  # fmt: skip
@click.option(
    "--uploads", type=click.Path(file_okay=False, resolve_path=True, path_type=Path),
    help="Folder for uploads, their variants and records, created if needed; by default the settings decide.",
)  # fmt: skip
@click.option(
    "--gallery", is_flag=True,
    help="Serve the gallery at /_gallery/, with its pictures in the folder of --uploads.",
)  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 means any free port."
)
@click.option(
    "--processes", default=1, show_default=True, type=click.IntRange(1, 64),
    help="Processes that serve together. Workers, queue and connections are those of each.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(1, 256), show_default="processors, divided among the processes",
    help="Images rendered at the same time.",
)  # fmt: skip
@click.option(
    "--queue",
    default=32,
    show_default=True,
    type=click.IntRange(0, 10_000),
    help="Requests that may wait for a worker.",
)
@click.option(
    "--connections", type=click.IntRange(1, 100_000), show_default="1000, or fewer as file descriptors allow",
    help="Largest number of open connections.",
)  # fmt: skip
@click.option(
    "--connections-per-address", default=100, show_default=True, type=click.IntRange(0, 100_000),
    help="Largest number of open connections of one client address; 0 means no limit.",
)  # fmt: skip
@click.option(
    "--trusted-proxy", "trusted_proxies", multiple=True, callback=_parse_networks, metavar="NETWORK",
    help="Address or network of a proxy, such as 10.0.0.0/8, to which --connections-per-address does not apply, and "
    "whose X-Forwarded-For names the client; may be repeated. --behind-proxy adds the loopback addresses.",
)  # fmt: skip
@click.option(
    "--header-timeout", default=10, show_default=True, type=click.IntRange(1, 3600),
    help="Seconds in which the head of a request must arrive.",
)  # fmt: skip
@click.option(
    "--stall-timeout", default=10, show_default=True, type=click.IntRange(1, 3600),
    help="Seconds for which a client may send nothing of a body, or read nothing of an answer.",
)  # fmt: skip
@click.option("--behind-proxy", is_flag=True, help="A proxy on this machine forwards requests from the network.")
def serve(
    images: Path | None,
    uploads: Path | None,
    host: str,
    port: int,
    workers: int | None,
    queue: int,
    *,
    gallery: bool,
    behind_proxy: bool,
    **options: Any,
) -> None:
    """Serve images over HTTP.

    Settings are read from the environment, as in Lambda; options take precedence. On a loopback address, and without
    --behind-proxy, the operator API and every feature are open. Otherwise the settings decide.

    \b
    Examples:
      image-handler serve --images photos
      image-handler serve --images photos --uploads .local --gallery
      SOURCE_BUCKETS=my-photos image-handler serve --host 0.0.0.0 --port 80
    """
    settings = _read_settings(images, uploads, gallery=gallery)
    listener = _listen(host, port)
    on_loopback = ipaddress.ip_address(listener.getsockname()[0]).is_loopback and not behind_proxy
    if on_loopback:
        settings = settings.replace(operator_open=True, public_features=settings.access.public_features or ("*",))
    if behind_proxy:
        options["trusted_proxies"] += _LOOPBACK
    processes: int = options.pop("processes")
    workers = workers or max(1, -(-(os.cpu_count() or 1) // processes))
    limits = _build_limits(workers, **options)
    bounds = Bounds(
        workers, queue, settings.limits.max_source_bytes * 14 // 10, settings.limits.max_seconds + 0.5,
        limits.stall_seconds,
    )  # fmt: skip
    what = f"{images or settings.storage.source_buckets} at {_address(listener)}"
    member = _fork(processes) if processes > 1 else None
    _serve_here(settings, listener, bounds, limits, what, member, loopback_only=on_loopback)


def _fork(processes: int) -> Member:
    """Fork the processes that serve together. Nothing that threads or connections belong to may be open yet."""
    if not hasattr(os, "fork"):
        raise click.UsageError("--processes must be 1 on this platform, because it cannot fork")
    from handler.uploads.ingest.form_policy import ProcessSecret  # noqa: PLC0415 - of servers with several processes alone

    ProcessSecret.share()
    log_to_standard_output()
    return fork_members(processes)


def _serve_here(
    settings: Settings, listener: socket.socket, bounds: Bounds, limits: ConnectionLimits, what: str,
    member: Member | None, *, loopback_only: bool,
) -> None:  # fmt: skip
    """Serve in this process, which is one of several or the only one."""
    application = adapt_to_server(wiring.build(settings))
    wiring.use(application)
    server = PictureServer(
        answer_call, bounds, list_pages(application), admit=application.http.admit,
        at_once=build_at_once(application.http), with_cors=application.http.with_cors, loopback_only=loopback_only,
        trusted_proxies=limits.trusted_proxies,
    )  # fmt: skip
    if member is None:
        log_to_standard_output()
    else:
        server.measures.share(member.board, member.number)
    if application.http.render_context.pixels is not None:
        server.measures.observe_pixels(application.http.render_context.pixels.totals)
    if application.background is not None and application.uploads is not None:
        server.measures.observe_notices(application.uploads().notice_totals)
        application.background.start(sweeps=member is None or member.number == 0, is_alone=member is None)
    if member is None or (member.number == 0 and not member.is_replacement):
        click.echo(f"Serving {what} (Ctrl-C to stop)")
        if application.http.services.gallery is not None:
            click.echo(f"The gallery is at {_address(listener).rstrip('/')}{GALLERY_HOME}")
    _run(server, listener, application.health, limits, application.background, member)


def _read_settings(images: Path | None, uploads: Path | None, *, gallery: bool) -> Settings:
    """Return the settings of the environment, with what the options say."""
    settings = Settings.from_environment()
    if images is not None:
        settings = settings.replace(source_buckets=f"images={images.as_uri()}")
    if uploads is not None:
        settings = add_uploads(settings, uploads)
    if gallery:
        settings = add_gallery(settings, uploads)
    if not settings.storage.source_buckets:
        raise click.UsageError("nothing to serve: pass --images DIR, or set SOURCE_BUCKETS in the environment")
    return settings


def _build_limits(
    workers: int,
    connections: int | None,
    connections_per_address: int,
    trusted_proxies: tuple[Network, ...],
    header_timeout: int,
    stall_timeout: int,
) -> ConnectionLimits:
    return ConnectionLimits(
        _choose_connections(connections, workers),
        connections_per_address,
        header_timeout,
        stall_timeout,
        trusted_proxies=trusted_proxies,
    )


def _choose_connections(requested: int | None, workers: int) -> int:
    """Return how many connections may be open, so that enough file descriptors remain for the workers."""
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
        # create_server appends the address to the text of the system, which this message has already.
        reason = (error.strerror or str(error)).partition(" (while")[0]
        hint = ". Stop the other program, or choose another port by --port" if error.errno == errno.EADDRINUSE else ""
        raise click.ClickException(f"cannot listen on {host}, port {port}: {reason}{hint}") from None
    # Connections inherit it. asyncio does not set it here, and each answer on a kept-alive connection would wait 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _run(
    server: PictureServer,
    listener: socket.socket,
    health: Health,
    limits: ConnectionLimits | None = None,
    background: BackgroundUploads | None = None,
    member: Member | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, finish running requests, and end with status 0.

    A process that can no longer render ends in the same way with status 1, so that its supervisor replaces it.
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
    running = ConnectionServer(config, limits or ConnectionLimits(), server.measures, member)
    # Set uvicorn's handler before uvicorn does, and keep it until the end, when uvicorn raises the signal once more.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, running.handle_exit)
    health.replace = lambda: setattr(running, "should_exit", True)
    running.run(sockets=[listener])
    # What is not processed until then is found by the sweep of the next start.
    if background is not None:
        background.close(_UPLOAD_SECONDS)
    if not server.close():
        exit_process()  # a thread that does not end would keep the process alive
    if not health.works:
        sys.exit(1)
