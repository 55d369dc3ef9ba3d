"""`image-handler upload`: upload files and folders to a service."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from urllib.parse import urlsplit

import click

from handler.cli.image_files import walk_images
from handler.cli.upload_client import LocalFile, UploadClient, UploadFailed
from handler.core.errors import BadRequest
from handler.uploads.ingest.keys import check_key

_MEGABYTE = 1_000_000


@click.command()
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE…", type=click.Path(exists=True, readable=True, path_type=Path)
)
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="URL of the service.")
@click.option("--prefix", default="", help="Beginning of the keys, such as 2026/summer/.")
@click.option(
    "--token-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the operator token; by default it is read from IMAGE_HANDLER_TOKEN.",
)  # fmt: skip
@click.option("--token", envvar="IMAGE_HANDLER_TOKEN", hidden=True, default="")
@click.option("--overwrite", is_flag=True, help="Replace originals that have the same key and other contents.")
@click.option("--parallel", default=4, show_default=True, type=click.IntRange(1, 32), help="Files uploaded at once.")
@click.option("--quiet", is_flag=True, help="Print failures and the summary only.")
def upload(
    files: tuple[Path, ...], url: str, prefix: str, token_file: Path | None, token: str, parallel: int,
    *, overwrite: bool, quiet: bool,
) -> int:  # fmt: skip
    """Upload the files FILE…, and the images in folders among them.

    A file gets its name as its key, and one in a folder its path from that folder on. What the service has already,
    with the same SHA-256, is not sent again, so an interrupted upload can be repeated. The exit status is 1 if a file
    could not be uploaded.

    \b
    Examples:
      image-handler upload cat.jpg dog.jpg
      image-handler upload photos --url https://images.example.com --prefix 2026/summer/ --token-file token.txt
    """
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise click.UsageError(f"--url must be an http or https URL, got {url!r}")
    found = _find_files(files, prefix)
    if token_file is not None:
        token = token_file.read_text("utf-8").splitlines()[0].strip() if token_file.stat().st_size else ""
    progress = _Progress(found, shown=not quiet and sys.stderr.isatty())
    client = UploadClient(url.rstrip("/") + "/", token, overwrite, progress.count)
    counts = {"uploaded": 0, "unchanged": 0, "failed": 0}
    pool = ThreadPoolExecutor(parallel, thread_name_prefix="upload")
    try:
        tasks = {pool.submit(client.upload, file): file for file in found}
        for task in as_completed(tasks):
            outcome = _outcome(task, tasks[task], progress, quiet=quiet)
            counts[outcome] += 1
    finally:
        progress.stop()
        pool.shutdown(wait=False, cancel_futures=True)
        progress.clear()
    click.echo(f"{counts['uploaded']} uploaded, {counts['unchanged']} unchanged, {counts['failed']} failed")
    return 1 if counts["failed"] else 0


def _outcome(task: Future[str], file: LocalFile, progress: _Progress, *, quiet: bool) -> str:
    """Print the outcome for a file, and return it."""
    try:
        outcome = task.result()
    except UploadFailed as error:
        progress.clear()
        click.echo(f"{file.path}: {error}", err=True)
        outcome = "failed"
    else:
        if not quiet:
            progress.clear()
            click.echo(f"{outcome}: {file.key}")
    progress.finish_file()
    return outcome


def _find_files(paths: tuple[Path, ...], prefix: str) -> list[LocalFile]:
    """Return the files to upload. Raise UsageError without any, and if a key is invalid or belongs to two files."""
    files: dict[str, LocalFile] = {}
    for path, below in walk_images(paths):
        key = prefix + below.as_posix()
        try:
            check_key(key)
        except BadRequest as error:
            raise click.UsageError(f"{path}: {error.message}") from None
        if key in files:
            raise click.UsageError(f"{path} and {files[key].path} must have different keys, got {key!r} for both")
        files[key] = LocalFile(path, key, path.stat().st_size)
        if not files[key].size and path in paths:
            raise click.UsageError(f"{path} must have contents, got an empty file")
    if not files:
        raise click.UsageError("FILE… must be files, or folders with images in them, got folders without any")
    return list(files.values())


class _Progress:
    """One line on a terminal that says how much is uploaded."""

    def __init__(self, files: list[LocalFile], *, shown: bool) -> None:
        self._files = len(files)
        self._bytes = sum(file.size for file in files)
        self._shown = shown
        self._done = self._sent = 0
        self._is_stopped = False
        self._lock = threading.Lock()

    def count(self, size: int) -> None:
        """Count sent bytes. Raise UploadFailed after `stop`."""
        if self._is_stopped:
            raise UploadFailed("interrupted")
        with self._lock:
            before, self._sent = self._sent // _MEGABYTE, self._sent + size
            if before != self._sent // _MEGABYTE:
                self._show()

    def stop(self) -> None:
        """Have every upload that still goes on end at its next block."""
        self._is_stopped = True

    def finish_file(self) -> None:
        """Count a file that is done, whatever its outcome."""
        with self._lock:
            self._done += 1
            self._show()

    def clear(self) -> None:
        """Remove the line."""
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)

    def _show(self) -> None:
        if self._shown:
            sizes = f"{self._sent / _MEGABYTE:.0f} of {self._bytes / _MEGABYTE:.0f} MB"
            click.echo(f"\r\x1b[K{self._done} of {self._files} files, {sizes}", nl=False, err=True)
