"""`image-handler mcp`: give an assistant the tools of a service, over the Model Context Protocol."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import click

from handler.cli.service_url import parse_service_url
from handler.composition import wiring
from handler.config import Settings

_INSTALL = "the Model Context Protocol's SDK is missing: pip install '.[mcp]' in a checkout"


@click.command()
@click.option("--url", callback=parse_service_url, help="Use a running service, such as https://images.example.com.")
@click.option(
    "--images", type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="Use the images of a folder, without a server; by default the sources in SOURCE_BUCKETS.",
)  # fmt: skip
@click.option(
    "--upload-from", type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="With --url: let the assistant upload images from this folder. Without it there is no tool for uploads.",
)  # fmt: skip
@click.option(
    "--token-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the operator token; by default it is read from IMAGE_HANDLER_TOKEN.",
)  # fmt: skip
@click.option("--token", envvar="IMAGE_HANDLER_TOKEN", hidden=True, default="")
@click.option(
    "--max-image-bytes", default=1_000_000, show_default=True, type=click.IntRange(1_000, 20_000_000),
    help="Size of the largest image that the assistant is shown; larger ones have a URL alone.",
)  # fmt: skip
@click.option(
    "--max-upload-bytes", default=50_000_000, show_default=True, type=click.IntRange(1_000, 5_000_000_000),
    help="Size of the largest file that the assistant may upload.",
)  # fmt: skip
def mcp(
    url: str | None, images: Path | None, upload_from: Path | None, token_file: Path | None, token: str,
    max_image_bytes: int, max_upload_bytes: int,
) -> None:  # fmt: skip
    """Give an assistant tools to edit images, over the Model Context Protocol on standard input and output.

    An assistant starts this command itself; add it to the assistant's configuration. URLs are signed with the secret
    that the environment names (SIGNATURE_SECRET_FILE or SECRETS_MANAGER). The assistant reads no file outside
    --images and --upload-from.

    \b
    Examples:
      image-handler mcp --images photos
      image-handler mcp --url https://images.example.com
      image-handler mcp --url http://127.0.0.1:8000 --upload-from inbox
    """
    if find_spec("mcp") is None:
        raise click.UsageError(_INSTALL)
    from handler.cli.mcp_server.protocol import serve_stdio  # noqa: PLC0415 - the SDK is an extra, and takes long
    from handler.cli.mcp_server.services import LocalService, RemoteService, Service  # noqa: PLC0415 - as above
    from handler.cli.mcp_server.tools import Tools, UploadFolder  # noqa: PLC0415 - as above

    if url and images:
        raise click.UsageError("--url and --images exclude each other")
    if upload_from and not url:
        raise click.UsageError("--upload-from needs --url, the service that takes the uploads")
    token = token_file.read_text("utf-8").partition("\n")[0].strip() if token_file else token
    application = wiring.build(_read_settings(images, is_remote=url is not None))
    service: Service = LocalService()
    if url:
        service = RemoteService(url, token)
    else:
        wiring.use(application)
    uploads = UploadFolder(upload_from, max_upload_bytes, f"{url}/", token) if upload_from else None
    if sys.stdin.isatty():
        click.echo("waiting for requests of an assistant on standard input (Ctrl-C to stop)", err=True)
    serve_stdio(Tools(service, application.http.ignored, application.http.signatures, max_image_bytes, uploads))


def _read_settings(images: Path | None, *, is_remote: bool) -> Settings:
    """Return the settings of the environment; of a folder or a service, with what concerns them."""
    settings = Settings.from_environment()
    if settings.access.signature_secret_file or settings.access.secrets_manager:
        settings = settings.replace(enable_signature=True)
    if is_remote:
        return settings
    if images is not None:
        settings = settings.replace(source_buckets=f"images={images.as_uri()}")
    if not settings.storage.source_buckets:
        raise click.UsageError("nothing to edit: pass --url or --images, or set SOURCE_BUCKETS in the environment")
    # Who starts the command reads these images anyway, and pays for them.
    return settings.replace(operator_open=True, public_features=settings.access.public_features or ("*",))
