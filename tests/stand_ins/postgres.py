"""PostgreSQL in a temporary folder, reached through a Unix socket: the programs of Debian's package `postgresql`."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.tools import require_tool

_DEBIAN = Path("/usr/lib/postgresql")
_START_SECONDS = 60


@dataclass
class Postgres:
    """A running server."""

    folder: Path
    process: subprocess.Popen[bytes]

    def create_database(self) -> str:
        """Create an empty database and return its URL for SQLAlchemy."""
        import psycopg

        name = f"records_{uuid.uuid4().hex}"
        with psycopg.connect(host=str(self.folder), user="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def restart(self) -> None:
        """Kill the server at once, with all its connections, and start it again."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(_START_SECONDS)
        self.process = _start(self.folder)


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Start an empty server, which takes two seconds. It does not write to the disk more than it must."""
    # A Unix socket's path has at most 107 characters, so the folder is not that of the test.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        initdb = [
            _program("initdb"),
            "-D",
            f"{folder}/data",
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        done = subprocess.run([*_as_user(), *initdb], capture_output=True, text=True, check=False, cwd=folder)
        if done.returncode:
            raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")
        server = Postgres(folder, _start(folder))
        try:
            yield server
        finally:
            server.process.send_signal(signal.SIGQUIT)
            server.process.wait(_START_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "fsync": "off",
        "max_connections": "200",
        "shared_buffers": "32MB",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = [*_as_user(), _program("postgres"), "-D", f"{folder}/data", *options]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    end = time.monotonic() + _START_SECONDS
    while not _accepts(folder):
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            raise RuntimeError("PostgreSQL did not start:\n" + (folder / "log").read_text(encoding="utf-8"))
        time.sleep(0.05)
    return process


def _accepts(folder: Path) -> bool:
    import psycopg

    try:
        psycopg.connect(host=str(folder), user="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def _program(name: str) -> str:
    """Return the path of a program of PostgreSQL, the newest that Debian's packages have installed."""
    found = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    return str(found[-1]) if found else require_tool(name, "apt-get install postgresql")


def _as_user() -> list[str]:
    """Return the start of a command that PostgreSQL accepts: it refuses root. It ends with this process."""
    setpriv = [require_tool("setpriv", "apt-get install util-linux"), "--pdeathsig", "QUIT"]
    return [*setpriv, *(("--reuid", "postgres", "--regid", "postgres", "--clear-groups") if os.geteuid() == 0 else ())]
