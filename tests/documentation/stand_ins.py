"""Runs the shell blocks of a page, with stand-ins for what would reach AWS, a cluster or a registry."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.documentation.pages import ROOT, Block
from tests.tools import require_tool

RECORD = """#!/usr/bin/env bash
call=$(mktemp "$CALLS/$(date +%s%N)-XXXXXX")
printf '%s\\0' "$(basename "$0")" "$@" > "$call"
env -0 > "$call.environment"
"""
SCRIPTS = {
    # The addresses of examples lead to the local server, and the status of each answer is noted.
    "curl": """
given=()
for each in "$@"; do
  for host in http://127.0.0.1:8000 http://localhost:8000 https://images.example.com; do
    each=${each//"$host"/"$SERVICE"}
  done
  given+=("$each")
done
note="%{stderr}$PAGE %{http_code} %{url_effective}\\n"
exec "$CURL" --max-time 60 --no-progress-meter --write-out "$note" "${given[@]}" 2>> "$STATUSES"
""",
    "aws": """case "$*" in *CdnUrl*) echo "$SERVICE" ;; *) echo a-value ;; esac\n""",
    "docker": "",
    "git": 'mkdir -p "${@: -1}"\n',
    "make": "",
    "mc": "",
    "aws.sh": "",
    "kubectl": """exec "$KUBECTL" "$@" --dry-run=client --output=name\n""",
    "helm": """
[ "$1" = upgrade ] && shift
exec "$HELM" template "${@:2}" > /dev/null
""",
    "image-handler": """
case "$1 $*" in
  *--watch* | *removeBackground*) ;;
  sign* | explain* | translate* | check-urls* | check-settings* | transform* | features* | completion*)
    exec "$REAL" "$@"
    ;;
esac
""",
}
"""What a stand-in does after it has recorded its call."""
SHARED_STATE = {"docs/tutorial.md"}
"""Pages whose blocks follow one another; those of other pages run by themselves."""


@dataclass(frozen=True)
class Call:
    """One call of a program."""

    program: str
    arguments: tuple[str, ...]
    environment: dict[str, str]

    def __str__(self) -> str:
        return " ".join((self.program, *self.arguments))


def make_sandbox(folder: Path) -> Path:
    """Make a working directory in which the commands of the documentation find the files that they name."""
    work, programs = folder / "work", folder / "bin"
    for path in (work / ".venv" / "bin", work / "deploy", programs, folder / "home" / "Pictures", folder / "calls"):
        path.mkdir(parents=True)
    for name in ("samples", "template", "requirements"):
        (work / name).symlink_to(ROOT / name)
    (work / "deploy" / "chart").symlink_to(ROOT / "deploy" / "chart")
    for name, script in SCRIPTS.items():
        program = {"aws.sh": work / "deploy" / name}.get(name, programs / name)
        program.write_text(RECORD + script, encoding="utf-8")
        program.chmod(0o755)
    (work / ".venv" / "bin" / "image-handler").symlink_to(programs / "image-handler")
    (work / "cat.jpg").write_bytes((ROOT / "samples" / "photos" / "cat.jpg").read_bytes())
    (work / "photos").symlink_to(ROOT / "samples" / "photos")
    (work / "token").write_text("a token", encoding="utf-8")
    (work / "access.log").write_text(
        '- - - [] "GET /unsafe/rs:fill:300:200/plain/s3://photos/cat.jpg HTTP/1.1" 200 -\n'
    )
    return work


def run(
    page: str, code: list[Block], work: Path, service: str
) -> tuple[list[Call], str, subprocess.CompletedProcess[str]]:
    """Run all blocks; return the calls of stand-ins, the statuses that curl got, and how bash ended."""
    folder = work.parent
    opening, closing = ("", "") if page in SHARED_STATE else ("(", ")")
    script = "\n".join(f"echo '{block}' >&2\n{opening}\n{block.code}\n{closing}" for block in code)
    environment = {
        "PATH": f"{folder / 'bin'}:{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(folder / "home"),
        "PYTHONPATH": os.environ.get("PYTHONPATH", str(ROOT / "src")),
        "CALLS": str(folder / "calls"),
        "STATUSES": str(folder / "statuses"),
        "PAGE": page,
        "SERVICE": service,
        "TOKEN": "a token",
        "CURL": require_tool("curl", "apt-get install curl"),
        "OPENSSL": require_tool("openssl", "apt-get install openssl"),
        "KUBECTL": require_tool("kubectl", "make setup"),
        "HELM": require_tool("helm", "make setup"),
        "REAL": require_tool("image-handler", "make setup"),
    }
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=work, env=environment, capture_output=True, text=True,
        check=False, timeout=240,
    )  # fmt: skip
    calls = []
    for path in sorted(path for path in (folder / "calls").iterdir() if path.suffix != ".environment"):
        words = path.read_bytes().decode().split("\0")[:-1]
        variables = path.with_name(path.name + ".environment").read_bytes().decode().split("\0")
        pairs = dict(variable.split("=", 1) for variable in variables if "=" in variable)
        calls.append(Call(words[0], tuple(words[1:]), pairs))
    statuses = folder / "statuses"
    return calls, statuses.read_text("utf-8") if statuses.exists() else "", ran
