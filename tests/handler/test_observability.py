"""The line of a request, which is written without powertools but reads as if it were powertools'."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from handler.observability.logs import log_exception

PROGRAM = """
import sys
from handler.composition import wiring
from handler.observability.logs import add_log_fields, log_request, logger
wiring.application()
with log_request("http", path="/ü.jpg") as log_fields:
    add_log_fields(source=object)
    log_fields.update(status=200)
assert "aws_lambda_powertools" not in sys.modules
logger().info("request", extra={"entrypoint": "http", "path": "/ü.jpg"})
logger().error("broken")
"""
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def logged(**environment: str) -> list[dict[str, Any]]:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", ""), **environment},
        capture_output=True,
        check=True,
    )
    assert ran.stderr == b""
    return [json.loads(line) for line in ran.stdout.decode().splitlines()]


def test_it_has_the_words_and_the_order_of_powertools() -> None:
    ours, theirs, _ = logged(_X_AMZN_TRACE_ID=TRACE)
    moment = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}[+-]\d{4}")
    assert moment.fullmatch(ours.pop("timestamp"))
    assert moment.fullmatch(theirs.pop("timestamp"))
    assert ours.pop("milliseconds") >= 0
    assert (ours.pop("status"), ours.pop("source")) == (200, "<class 'object'>")
    del theirs["location"]
    assert list(ours.items()) == list(theirs.items())
    assert ours["xray_trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"


@pytest.mark.parametrize(
    ("level", "lambdas", "messages"),
    [
        ("debug", "", ["request", "request", "broken"]),
        ("INFO", "", ["request", "request", "broken"]),
        ("WARNING", "", ["broken"]),
        ("INFO", "WARN", ["broken"]),
        ("INFO", "FATAL", []),
        ("WARNING", "TRACE", ["request", "request", "broken"]),
    ],
)
def test_both_keep_to_the_level(level: str, lambdas: str, messages: list[str]) -> None:
    """What Lambda's own `LoggingConfig` says wins."""
    said = logged(LOG_LEVEL=level, AWS_LAMBDA_LOG_LEVEL=lambdas)
    assert [line["message"] for line in said] == messages


BROKEN = """
import json, os, sys
from handler.app import lambda_handler
event = json.loads(sys.argv[1])
kept = os.dup(1)
if sys.argv[2] == "unread":
    reading, writing = os.pipe()
    os.close(reading)
    sys.stdout = open(writing, "w")
elif sys.argv[2] == "closed":
    sys.stdout.close()
elif sys.argv[2] == "none":
    sys.stdout = None
elif sys.argv[2] == "all closed":
    sys.stdout.close(), sys.stderr.close()
answer = lambda_handler(event, None)
os.write(kept, json.dumps(answer["statusCode"]).encode())
os._exit(0)
"""


@pytest.mark.parametrize("out", ["unread", "closed", "all closed", "none", "ascii"])
def test_an_answer_does_not_depend_on_its_line(out: str, tmp_path: Path) -> None:
    event = json.loads((Path(__file__).parents[1] / "events" / "function-url.json").read_text())
    event["rawPath"] = "/ü😀.jpg"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    environment["SOURCE_BUCKETS"] = f"p=file://{tmp_path}"
    if out == "ascii":
        environment |= {"PYTHONIOENCODING": "ascii"}
    ran = subprocess.run(
        [sys.executable, "-c", BROKEN, json.dumps(event), out], env=environment, capture_output=True, check=True
    )
    assert ran.stdout.endswith(b"404"), ran.stderr.decode()
    assert (b'"path": "/\\u00fc\\ud83d\\ude00.jpg"' in ran.stdout) is (out == "ascii")


def test_a_fault_is_logged_without_an_import(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise OSError(24, "Too many open files")
    except OSError:
        log_exception({"path": "/a.jpg", "odd": "\ud800"})
    line = json.loads(capsys.readouterr().out)
    assert (line["level"], line["message"], line["path"]) == ("ERROR", "unexpected fault", "/a.jpg")
    assert line["exception"].startswith("Traceback")
    assert line["exception_name"] == "OSError"


def test_no_line_quotes_a_secret() -> None:
    """Neither those of requests nor those of powertools' logger, nor the traceback of a fault."""
    program = """
from handler.observability.logs import log_exception, log_request, logger

URL = "https://bucket.example/cat.jpg?X-Amz-Signature=s3cr3t&width=3"
with log_request("http", detail=f"got {URL!r}"):
    logger().warning("not written", extra={"detail": f"PUT {URL} failed"})
    try:
        raise ValueError(URL)
    except ValueError:
        log_exception({"entrypoint": "http"})
"""
    environment = {name: os.environ.get(name, "") for name in ("PATH", "PYTHONPATH")}
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], env=environment, capture_output=True, check=True
    )
    lines = [json.loads(line) for line in ran.stdout.decode().splitlines()]
    assert [line["message"] for line in lines] == ["not written", "unexpected fault", "request"]
    assert b"s3cr3t" not in ran.stdout
    assert [line["detail"] for line in lines if "detail" in line] == [
        "PUT https://bucket.example/cat.jpg?X-Amz-Signature=…&width=3 failed",
        "got 'https://bucket.example/cat.jpg?X-Amz-Signature=…&width=3'",
    ]
