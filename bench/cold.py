"""Cold starts and memory: the real runtime client against a stand-in of Lambda's Runtime API, beside plain Node."""

from __future__ import annotations

import hashlib
import hmac
import json
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.stand_ins.runtime_api import lambda_process, runtime_api

from bench import extent, pictures
from bench.cases import CASES
from bench.drive_handler import http_event
from bench.peers import SHARP, environment
from bench.pictures import HUNDRED_MEGAPIXELS, Picture
from bench.stores import BUCKET

STARTS = 11
MEGA = 1_000_000
SMALL = CASES[3]
"""The 400 px WebP of a 2 MP JPEG."""
DEPLOYED = {"LOG_LEVEL": "INFO"}
"""What is as the template has it."""
SECRETS = {"bench/origin": "from-the-cdn", "bench/signing": json.dumps({"SECRET_KEY": "a signing key of the bench"})}


@dataclass(frozen=True)
class Start:
    """Process start to the first finished picture, in milliseconds, medians."""

    ours: float
    theirs: float
    ratio: float
    """Median of the paired ratios."""


@dataclass(frozen=True)
class Footprint:
    """What a start brought into the process."""

    modules: int
    read: float
    """MB that went through read(2): Python's own files."""
    mapped: float
    """MB of mapped files that were touched: shared libraries."""


@dataclass(frozen=True)
class Peak:
    """Resident memory in MB."""

    idle: float
    file: float
    peak: float

    @property
    def above(self) -> float:
        return self.peak - self.idle - self.file


def plain_start(s3: str) -> Start:
    """One unsigned request."""
    picture = SMALL.pictures[0]
    event = http_event(picture.key, SMALL.parameters)
    return _start(environment(s3, DEPLOYED), event, "cold.mjs", _asked(picture))


def signed_start(s3: str, secrets: str) -> Start:
    """The CDN's secret and signatures on; both secrets fetched on the way."""
    picture = SMALL.pictures[0]
    event, signed = signed_event(picture)
    asked = _asked(picture) | signed | {"originSecret": "bench/origin", "signingSecret": "bench/signing"}
    return _start(environment(s3, signed_settings(secrets)), event, "cold_signed.mjs", asked)


def signed_settings(secrets: str) -> dict[str, str]:
    """Environment that switches both proofs on."""
    return {
        **DEPLOYED,
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets,
        "ENABLE_SIGNATURE": "Yes",
        "SECRETS_MANAGER": "bench/signing",
        "ORIGIN_SECRET": "bench/origin",
    }


def signed_event(picture: Picture) -> tuple[dict[str, Any], dict[str, str]]:
    """The event as the CDN sends it, and the same proofs for the peer."""
    query = "&".join(f"{name}={value}" for name, value in sorted(SMALL.parameters.items()))
    text = f"/{picture.key}?{query}"
    key = json.loads(SECRETS["bench/signing"])["SECRET_KEY"]
    signature = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
    headers = {"x-origin-secret": SECRETS["bench/origin"]}
    event = http_event(picture.key, SMALL.parameters | {"signature": signature}, headers)
    return event, {"signed": text, "signature": signature, "origin": SECRETS["bench/origin"]}


def _asked(picture: Picture) -> dict[str, Any]:
    asked = {"bucket": BUCKET, "key": picture.key, "width": SMALL.width, "format": SMALL.format}
    return asked | {"options": SMALL.options}


def _start(env: Mapping[str, str], event: Mapping[str, Any], program: str, asked: Mapping[str, Any]) -> Start:
    pictures.make(SMALL.pictures[0])

    def ours() -> float:
        return _our_start(env, event)[0]

    def theirs() -> float:
        started = time.monotonic()
        command = ["node", program, json.dumps(asked)]
        with subprocess.Popen(command, cwd=SHARP, env=env, stdout=subprocess.PIPE) as node:
            assert node.stdout is not None
            answer = json.loads(node.stdout.readline())
            ended = time.monotonic()
        if answer["statusCode"] != 200:
            raise RuntimeError(f"{program} must answer 200, got {answer}")
        return (ended - started) * 1000

    return _in_turn(ours, theirs)


def _in_turn(ours: Callable[[], float], theirs: Callable[[], float]) -> Start:
    ours(), theirs()  # what both read comes from the page cache from here on
    pairs = [(ours(), theirs()) if turn % 2 else (theirs(), ours())[::-1] for turn in range(extent.rounds(STARTS))]
    first, second = zip(*pairs, strict=True)
    return Start(statistics.median(first), statistics.median(second), statistics.median([a / b for a, b in pairs]))


def _our_start(env: Mapping[str, str], event: Mapping[str, Any]) -> tuple[float, Footprint]:
    with runtime_api() as api:
        api.send(event)
        started = time.monotonic()
        with lambda_process(api, env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            returned = api.receive()
            footprint = _footprint(process.pid)
            process.kill()
            said = process.stderr.read().decode() if process.stderr else ""
    answer = returned.json()
    if returned.failed or answer["statusCode"] != 200:
        raise RuntimeError(f"the handler must answer 200, got {answer}\n{said}")
    modules = sum(line.startswith("import time:") for line in said.splitlines()) - 1
    return (returned.at - started) * 1000, Footprint(max(modules, 0), *footprint)


def footprint(s3: str, more: Mapping[str, str], event: Mapping[str, Any]) -> Footprint:
    """Modules and megabytes of a start, taken apart from the timed ones."""
    env = environment(s3, {**more, "PYTHONPROFILEIMPORTTIME": "1"})
    return _our_start(env, event)[1]


def _footprint(pid: int) -> tuple[float, float]:
    counters = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    status = _status(pid)
    return int(counters["rchar"]) / MEGA, status["RssFile"]


def _status(pid: int) -> dict[str, float]:
    """Sizes in MB from /proc/PID/status."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    named = (line.split(":", 1) for line in lines if line.endswith(" kB"))
    return {name: int(value.split()[0]) * 1024 / MEGA for name, value in named}


def peak_memory(s3: str) -> Peak:
    """A fresh process that answers for the 100-megapixel JPEG; idle is after its first health check."""
    picture = HUNDRED_MEGAPIXELS
    size = pictures.make(picture).stat().st_size
    env = environment(s3, {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024"})
    with runtime_api() as api, lambda_process(api, env, stdout=subprocess.DEVNULL) as process:
        api.invoke(http_event("_health", {}))
        idle = _status(process.pid)["VmRSS"]
        answer = api.invoke(http_event(picture.key, {"width": "800", "format": "jpeg"})).json()
        if answer["statusCode"] != 200:
            raise RuntimeError(f"the handler must answer 200, got {answer}")
        return Peak(idle, size / MEGA, _status(process.pid)["VmHWM"])
