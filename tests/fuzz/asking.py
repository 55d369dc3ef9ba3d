"""Cases asked of a worker, which is started again when it ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from tests.fuzz.case import Case, Outcome

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "tests.fuzz.worker")
PATIENCE = 150.0
"""Seconds of the clock after which a worker hangs, on a machine that is busy with other things."""


class Asking:
    """One worker at a time; `ask` gives the outcome, also where the worker ended or hung."""

    def __init__(self, command: Sequence[str] = COMMAND, patience: float = PATIENCE) -> None:
        self.command, self.patience = command, patience
        self.process: subprocess.Popen[bytes] | None = None
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        self.errors.close()

    def ask(self, case: Case) -> Outcome:
        process = self.process = self.process or self._started()
        assert process.stdin is not None
        try:
            process.stdin.write(msgspec.json.encode(case) + b"\n")
            process.stdin.flush()
            line = self._line(process)
        except BrokenPipeError:
            line = b""
        except TimeoutError:
            process.send_signal(signal.SIGUSR1)  # it writes where it is
            time.sleep(1)
            process.kill()
            self._end()
            return Outcome(fault=f"hung: no answer within {self.patience:.0f} s", detail=self._written())
        if line:
            return msgspec.json.decode(line, type=Outcome)
        return Outcome(fault=self._end(), detail=self._written())

    def _started(self) -> subprocess.Popen[bytes]:
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
            "MALLOC_ARENA_MAX": "2", "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
        }  # fmt: skip
        return subprocess.Popen(
            self.command, cwd=ROOT, env=environment, bufsize=0,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
        )  # fmt: skip

    def _written(self) -> str:
        """The last lines on the worker's standard error; whatever stands there goes."""
        self.errors.seek(0)
        told = self.errors.read().decode(errors="replace")
        self.errors.seek(0)
        self.errors.truncate()
        return told[-3000:]

    def _line(self, process: subprocess.Popen[bytes]) -> bytes:
        """The next line, or nothing where the process ended; TimeoutError where it is not done in time."""
        assert process.stdout is not None
        until, line = time.monotonic() + self.patience, b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([process.stdout], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError
            read = os.read(process.stdout.fileno(), 65_536)
            if not read:
                return b""
            line += read
        return line

    def _end(self) -> str:
        """Wait for the worker, which ends where nothing comes any more; returns how it ended."""
        process, self.process = self.process, None
        if process is None:
            return ""
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            status = process.wait(timeout=self.patience)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        process.stdout.close()
        return f"crashed: {signal.Signals(-status).name if status < 0 else f'status {status}'}"
