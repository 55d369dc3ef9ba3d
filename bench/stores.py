"""What the measured programs fetch from, on loopback: an S3 server with the pictures, and a Secrets Manager."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.pictures import CACHE
from bench.slow_store import Pace

BUCKET = CACHE.name
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench-secret", "AWS_REGION": "us-east-1"}
_BIN = Path(sys.executable).parent


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, seconds: float = 20) -> None:
    """Until somebody listens; TimeoutError otherwise."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"a server must listen on port {port} within {seconds} s")


@contextmanager
def running(
    command: list[str], port: int, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Iterator[str]:
    """A server in a process of its own, ended on leaving; its address."""
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=cwd, env=env, **quiet) as process:
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@contextmanager
def s3_server() -> Iterator[str]:
    """A real S3 server over bench/.cache; it answers whoever asks, as Thumbor's loader signs nothing."""
    port = free_port()
    with running([str(_BIN / "rclone"), "serve", "s3", "--addr", f"127.0.0.1:{port}", str(CACHE.parent)], port) as at:
        yield at


@contextmanager
def slow_store(pace: Pace) -> Iterator[str]:
    """An S3 with the pictures, which sends at that pace."""
    port = free_port()
    options = ["--rate", str(pace.rate), "--delay", str(pace.delay), "--cut", str(pace.cut)]
    command = [sys.executable, "-m", "bench.slow_store", str(port), str(CACHE), *options]
    with running(command, port, cwd=Path(__file__).parent.parent) as address:
        yield address


@contextmanager
def secrets_server(secrets: Mapping[str, str]) -> Iterator[str]:
    """A Secrets Manager that holds these strings."""
    import boto3

    port = free_port()
    with running([str(_BIN / "moto_server"), "-p", str(port)], port) as address:
        client = boto3.client(
            "secretsmanager",
            endpoint_url=address,
            region_name=CREDENTIALS["AWS_REGION"],
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )
        for name, value in secrets.items():
            client.create_secret(Name=name, SecretString=value)
        yield address
