"""The edge function of the template, run by njs: many requests in one process."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.template.samples import LEAST
from tests.template.stack import Stack
from tests.tools import require_tool

_HARNESS = """
var fs = require('fs');
function event(said) {
  var headers = {};
  said.accept.forEach(function (value) { headers.accept = headers.accept || { value: value }; });
  var many = said.accept.map(function (value) { return { value: value }; });
  if (many.length > 1) headers.accept.multiValue = many;
  return { version: '1.0', context: { eventType: 'viewer-request' }, viewer: { ip: '192.0.2.1' }, request: {
    method: said.method, uri: said.uri, querystring: {}, headers: headers, cookies: {},
    rawQueryString: function () { return said.query; }
  } };
}
var results = JSON.parse(fs.readFileSync(process.argv[2])).map(function (said) {
  var result = handler(event(said));
  delete result.rawQueryString;
  return result;
});
fs.writeFileSync(process.argv[3], JSON.stringify(results));
"""


@dataclass(frozen=True)
class Viewer:
    """What a viewer asks: the path and the query as they stand in the URL."""

    uri: str
    query: str = ""
    accept: Sequence[str] = field(default=())
    method: str = "GET"


@dataclass(frozen=True)
class Passed:
    """What CloudFront passes on, or answers itself where `status` is set."""

    uri: str = ""
    query: str = ""
    accept: str | None = None
    status: int = 0
    body: str = ""


IGNORED = "utm_*,fbclid,gclid"
Edge = Callable[..., list[Passed]]
"""Viewers, and perhaps the names that are ignored, in; what is passed on out."""


def code(ignored: str = IGNORED, **parameters: str) -> str:
    """The code that CloudFront gets in a stack with these ignored names."""
    return str(Stack({**LEAST, "IgnoredParameters": ignored, **parameters}).resources["ViewerRequest"]["FunctionCode"])


def run(script_text: str, viewers: Sequence[Viewer], folder: Path) -> list[Passed]:
    """What the function makes of each request."""
    njs = require_tool("njs", "apt-get install njs")
    script, said, answers = folder / "edge.js", folder / "requests.json", folder / "answers.json"
    script.write_text(script_text + _HARNESS, "utf-8")
    said.write_text(json.dumps([asdict(viewer) for viewer in viewers]), "utf-8")
    ran = subprocess.run([njs, script, said, answers], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return [_passed(answer) for answer in json.loads(answers.read_text("utf-8"))]


def _passed(answer: dict[str, Any]) -> Passed:
    if "statusCode" in answer:
        return Passed(status=answer["statusCode"], body=answer["body"]["data"])
    return Passed(answer["uri"], answer["querystring"], answer["headers"].get("accept", {}).get("value"))
