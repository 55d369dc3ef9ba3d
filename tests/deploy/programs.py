"""Stand-ins for `aws` and `docker`: they say what a real one would, and write down how they were called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_PROGRAM = """#!{python}
import json, os, pathlib, sys
name = pathlib.Path(sys.argv[0]).name
call = [name, *sys.argv[1:]]
standing = json.loads(pathlib.Path({answers!r}).read_text())
read = sys.stdin.read() if "--password-stdin" in call else ""
attested = os.environ.get("BUILDX_NO_DEFAULT_ATTESTATIONS", "")
with open({calls!r}, "a") as log:
    log.write(json.dumps({{"call": call, "read": read, "bare": attested == "1"}}) + "\\n")
for begin, (status, said) in standing.items():
    if " ".join(call).startswith(begin):
        print(said, file=sys.stderr if status else sys.stdout)
        sys.exit(status)
"""
ACCOUNT, REGION = "123456789012", "eu-central-1"
DIGEST = "sha256:" + "0a" * 32
BASE_DIGEST = "sha256:" + "0b" * 32
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
ANSWERS = {
    "docker image inspect": (0, f"public.ecr.aws/lambda/python@{BASE_DIGEST}"),
    "aws sts get-caller-identity": (0, ACCOUNT),
    "aws configure get region": (0, REGION),
    "aws ecr get-login-password": (0, "password"),
    "aws ecr describe-images": (0, DIGEST),
    "aws cloudformation describe-stacks --stack-name pictures --query": (0, "CdnUrl\thttps://d1.cloudfront.example"),
    "aws cloudformation describe-stack-resources": (0, "pictures-results\tpictures-logs"),
}
"""By how a call begins: exit status and what is printed."""


@dataclass(frozen=True)
class Ran:
    """How make ended, and every call of a stand-in."""

    status: int
    said: str
    faults: str
    calls: list[list[str]]
    read: list[str]
    bare: list[bool]

    def call(self, *begin: str) -> list[str]:
        """The one call that begins so."""
        (found,) = [call for call in self.calls if call[: len(begin)] == list(begin)]
        return found


def make(folder: Path, *said: str, **answers: tuple[int, str]) -> Ran:
    """Run make, as `run` does; names of `answers` are calls with underscores."""
    named = {name.replace("__", "-").replace("_", " "): answer for name, answer in answers.items()}
    return run(folder, ["make", "--silent", "--no-print-directory", *said], named)


def run(
    folder: Path,
    command: list[str],
    answers: Mapping[str, tuple[int, str]] | None = None,
    variables: Mapping[str, str] | None = None,
) -> Ran:
    """Run a command of the repository with the stand-ins before everything else on PATH."""
    log, standing = folder / "calls", folder / "answers"
    log.write_text("")
    standing.write_text(json.dumps({**(answers or {}), **ANSWERS, **(answers or {})}))
    for name in ("aws", "docker"):
        program = folder / name
        program.write_text(_PROGRAM.format(python=sys.executable, answers=str(standing), calls=str(log)))
        program.chmod(0o755)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder), **(variables or {})}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    calls, read, bare = ([entry[part] for entry in entries] for part in ("call", "read", "bare"))
    return Ran(ran.returncode, ran.stdout, ran.stderr, calls, read, bare)
