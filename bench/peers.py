"""The programs that are measured: each is asked for a picture and says how many milliseconds that took."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from bench.cases import Case
from bench.pictures import CACHE, Picture
from bench.stores import BUCKET, CREDENTIALS, free_port, running

HERE = Path(__file__).parent
SHARP = HERE / "sharp"
SOURCE = HERE.parent / "src"
THUMBOR_VENV = CACHE.parent / "thumbor"


class Took(NamedTuple):
    """What an answer cost, in milliseconds."""

    wall: float
    cpu: float | None
    """Of all threads; None where the program does not say."""
    peak: float = 0.0
    """The largest resident memory of the process so far, in MB; 0 where the program does not say."""

    @classmethod
    def read(cls, said: str) -> Took:
        """From a program's line."""
        figures = json.loads(said)
        return cls(float(figures["ms"]), float(figures["cpu"]), float(figures.get("peak", 0.0)))


class Peer(Protocol):
    """One program under measurement."""

    name: str

    def ask(self, case: Case, picture: Picture, out: Path | None = None) -> Took:
        """One answer, which goes to `out`."""
        ...


def environment(s3: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a program is configured by: the environment of Lambda, with endpoints on loopback."""
    basic = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    handler = {"SOURCE_BUCKETS": BUCKET, "PYTHONPATH": f"{SOURCE}:{HERE.parent}", "LOG_LEVEL": "WARNING"}
    return {**basic, **CREDENTIALS, **handler, "NODE_NO_WARNINGS": "1", "AWS_ENDPOINT_URL_S3": s3, **(more or {})}


class _Driven:
    """A program that reads a request a line and answers with its own milliseconds."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.name = name
        self._process = process

    def ask(self, case: Case, picture: Picture, out: Path | None = None) -> Took:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {
            "bucket": BUCKET,
            "key": picture.key,
            "width": case.width,
            "format": case.format,
            "options": case.options,
            "parameters": case.parameters,
        }
        self._process.stdin.write(json.dumps(asked | ({"out": str(out)} if out else {})) + "\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        if not said:
            raise RuntimeError(f"{self.name} ended at {picture.key}, {case.name}")
        return Took.read(said)


@contextmanager
def _driven(name: str, command: list[str], cwd: Path, env: Mapping[str, str]) -> Iterator[Peer]:
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield _Driven(name, process)
        finally:
            process.kill()


@contextmanager
def this_handler(s3: str, *, streams: bool = True) -> Iterator[Peer]:
    """`lambda_handler` called in a process of its own; without `streams` it reads every original before it decodes."""
    command = [sys.executable, "-m", "bench.drive_handler", *([] if streams else ["--whole"])]
    with _driven("this handler", command, HERE.parent, environment(s3)) as peer:
        yield peer


def install_sharp() -> None:
    """Its packages, as package-lock.json has them."""
    if not (SHARP / "node_modules" / "sharp").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=SHARP, check=True)


@contextmanager
def sharp(s3: str) -> Iterator[Peer]:
    """sharp and the AWS SDK, in Node."""
    install_sharp()
    with _driven("sharp", ["node", "warm.mjs"], SHARP, environment(s3)) as peer:
        yield peer


class _Thumbor:
    """Thumbor over HTTP; its loader fetches from the same store."""

    name = "Thumbor"

    def __init__(self, port: int, s3: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._s3 = s3

    def ask(self, case: Case, picture: Picture, out: Path | None = None) -> Took:
        filters = f"format({case.format})" + (f":quality({case.quality})" if case.quality else "")
        path = f"/unsafe/{case.width}x0/filters:{filters}/{self._s3}/{BUCKET}/{picture.key}"
        started = time.perf_counter()
        self._connection.request("GET", path)
        response = self._connection.getresponse()
        body = response.read()
        milliseconds = (time.perf_counter() - started) * 1000
        if response.status != 200:
            raise RuntimeError(f"Thumbor must answer 200 to {path}, got {response.status}")
        if out:
            out.write_bytes(body)
        return Took(milliseconds, None)


def install_thumbor() -> Path:
    """Its virtual environment, made in the cache; the program in it."""
    program = THUMBOR_VENV / "bin" / "thumbor"
    if not program.exists():
        pip = [str(THUMBOR_VENV / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([sys.executable, "-m", "venv", str(THUMBOR_VENV)], check=True)
        wanted = str(HERE / "thumbor" / "requirements.txt")
        subprocess.run([*pip, "install", "--require-hashes", "-r", wanted], check=True)
    return program


@contextmanager
def thumbor(s3: str) -> Iterator[Peer]:
    """Thumbor's own server, one process."""
    program, port = install_thumbor(), free_port()
    command = [str(program), "--port", str(port), "--ip", "127.0.0.1", "--conf", "thumbor.conf"]
    with running(command, port, cwd=HERE / "thumbor"):
        yield _Thumbor(port, s3)
