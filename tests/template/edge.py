"""The edge function of the template, run by njs: many requests in one process."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.template.samples import LEAST
from tests.template.stack import Stack
from tests.tools import require_tool

_HARNESS = """
import fs from 'fs';
function event(said) {
  var headers = {};
  Object.keys(said.headers).forEach(function (name) { headers[name] = { value: said.headers[name] }; });
  said.accept.forEach(function (value) { headers.accept = headers.accept || { value: value }; });
  var many = said.accept.map(function (value) { return { value: value }; });
  if (many.length > 1) headers.accept.multiValue = many;
  return { version: '1.0', context: { eventType: 'viewer-request' }, viewer: { ip: '192.0.2.1' }, request: {
    method: said.method, uri: said.uri, querystring: {}, headers: headers, cookies: {},
    rawQueryString: function () { return said.query; }
  } };
}
async function main() {
  var results = [];
  var asked = JSON.parse(fs.readFileSync(process.argv[2]));
  for (var i = 0; i < asked.length; i++) {
    var result = await handler(event(asked[i]));
    // CloudFront keeps the query of the viewer where the function sets none.
    if (result.querystring && typeof result.querystring !== 'string') result.querystring = asked[i].query;
    delete result.rawQueryString;
    results.push(result);
  }
  fs.writeFileSync(process.argv[3], JSON.stringify(results));
}
main();
"""
_STORE = """
function missing() { throw new Error('KeyNotFound'); }
export default { kvs: function () { return { get: async function (name) { return VALUES[name] || missing(); } }; } };
"""
"""The module `cloudfront` of CloudFront's runtime, with what the key value store holds."""


@dataclass(frozen=True)
class Viewer:
    """What a viewer asks: the path and the query as they stand in the URL."""

    uri: str
    query: str = ""
    accept: Sequence[str] = field(default=())
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Passed:
    """What CloudFront passes on, or answers itself where `status` is set."""

    uri: str = ""
    query: str = ""
    accept: str | None = None
    status: int = 0
    body: str = ""
    signature: str | None = None
    expires: str | None = None

    @property
    def verified(self) -> dict[str, str]:
        """The headers of a request whose signature the edge has verified."""
        named = {"x-signature": self.signature, "x-expires": self.expires}
        return {name: value for name, value in named.items() if value is not None}


_AT_ONCE = 50
IGNORED = "utm_*,fbclid,gclid"
Edge = Callable[..., list[Passed]]
"""Viewers, and perhaps the names that are ignored, in; what is passed on out."""


def code(ignored: str = IGNORED, **parameters: str) -> str:
    """The code that CloudFront gets in a stack with these ignored names."""
    return str(Stack({**LEAST, "IgnoredParameters": ignored, **parameters}).resources["ViewerRequest"]["FunctionCode"])


def code_with_keys(ignored: str = IGNORED, **parameters: str) -> str:
    """The code in a stack that verifies signatures at the edge."""
    return code(ignored, EnableSignature="Yes", VerifyAtEdge="Yes", **parameters)


def run(
    script_text: str, viewers: Sequence[Viewer], folder: Path, values: Mapping[str, str] | None = None
) -> list[Passed]:
    """What the function makes of each request. `values` are those of the key value store."""
    # njs keeps what every request leaves behind, and so becomes slower with each.
    several = [viewers[first : first + _AT_ONCE] for first in range(0, len(viewers), _AT_ONCE)]
    return [passed for each in several for passed in _run(script_text, each, folder, values)]


def _run(script_text: str, viewers: Sequence[Viewer], folder: Path, values: Mapping[str, str] | None) -> list[Passed]:
    njs = require_tool("njs", "apt-get install njs")
    script, said, answers = folder / "edge.js", folder / "requests.json", folder / "answers.json"
    (folder / "cloudfront").write_text(f"var VALUES = {json.dumps(values or {})};{_STORE}", "utf-8")
    script.write_text(script_text + _HARNESS, "utf-8")
    said.write_text(json.dumps([asdict(viewer) for viewer in viewers]), "utf-8")
    ran = subprocess.run(
        [njs, "-p", folder, script, said, answers], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return [_passed(answer) for answer in json.loads(answers.read_text("utf-8"))]


def _passed(answer: dict[str, Any]) -> Passed:
    if "statusCode" in answer:
        return Passed(status=answer["statusCode"], body=answer["body"]["data"])
    values = {name: header["value"] for name, header in answer["headers"].items()}
    return Passed(
        answer["uri"],
        answer["querystring"],
        values.get("accept"),
        signature=values.get("x-signature"),
        expires=values.get("x-expires"),
    )
