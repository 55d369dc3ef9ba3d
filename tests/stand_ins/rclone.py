"""A second S3, which verifies signatures: `rclone serve s3` over a folder, each folder in it a bucket."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.tools import require_tool

from handler.aws import AwsAccess, Credentials

KEYS = Credentials("rclone-key", "rclone-secret")


@contextmanager
def rclone_server(folder: Path) -> Iterator[AwsAccess]:
    """Serve the folder, and yield the access to the server."""
    rclone = require_tool("rclone", "make setup")
    pair = f"{KEYS.access_key_id},{KEYS.secret_access_key}"
    command = [
        rclone,
        "serve",
        "s3",
        "--addr",
        "127.0.0.1:0",
        "--auth-key",
        pair,
        "--vfs-cache-mode",
        "off",
        str(folder),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield AwsAccess(region="us-east-1", endpoint_url_s3=_listening(process), credentials=KEYS)
    finally:
        process.terminate()
        process.wait(10)
        if process.stderr:
            process.stderr.close()


def _listening(process: subprocess.Popen[str]) -> str:
    said = []
    for line in process.stderr or ():
        said.append(line)
        if found := re.search(r"(http://127\.0\.0\.1:\d+)", line):
            return found[1]
    raise RuntimeError("rclone did not start:\n" + "".join(said))
