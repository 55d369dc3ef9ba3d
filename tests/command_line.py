"""Starts the command line as a user does."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pyvips
from tests.tools import require_tool


def image_handler(
    *arguments: object, cwd: Path | None = None, stdin: bytes | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, and return its output as text."""
    ran = image_handler_bytes(*arguments, cwd=cwd, stdin=stdin, **environment)
    return subprocess.CompletedProcess(ran.args, ran.returncode, ran.stdout.decode(), ran.stderr.decode())


def image_handler_bytes(
    *arguments: object, cwd: Path | None = None, stdin: bytes | None = None, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end, and return its output as bytes."""
    program = require_tool("image-handler", "make setup")
    return subprocess.run(
        [program, *map(str, arguments)], cwd=cwd, env=command_environment(**environment), input=stdin,
        capture_output=True, check=False, timeout=110,
    )  # fmt: skip


def command_environment(**environment: str) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "PYTHONPATH": os.environ.get("PYTHONPATH", ""), **environment}


def size(path: Path) -> tuple[int, int]:
    picture = pyvips.Image.new_from_file(str(path))
    return picture.width, picture.height


def refused(run: subprocess.CompletedProcess[str], message: str) -> bool:
    """Whether bad input ended the program as it should: status 2, one line, nothing else."""
    lines = run.stderr.splitlines()
    return run.returncode == 2 and run.stdout == "" and len(lines) == 1 and message in lines[0]
