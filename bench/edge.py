"""What the edge function takes in njs: `python -m bench.edge > bench/EDGE.md`.

CloudFront's runtime is another build of the same engine, and states only a share of its limit. So this compares kinds
of requests, and `tests/template/test_edge_work.py` bounds the calls of each.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.template.edge import code, code_with_keys
from tests.tools import require_tool

from handler.auth.signature import signed_url

SECRET = "a key of the benchmark"
ROUNDS, REQUESTS = 7, 200
_STORE = "export default { kvs: function () { return { get: async function () { return KEYS; } }; } };"
_LOOP = """
import fs from 'fs';
async function main() {
  var uri = REQUEST[0], query = REQUEST[1], began = Date.now();
  for (var i = 0; i < REQUESTS; i++) {
    var request = { method: 'GET', uri: uri, headers: {}, rawQueryString: function () { return query; } };
    await handler({ request: request });
  }
  console.log((Date.now() - began) * 1000 / REQUESTS);
}
main();
"""
_MANY = "&".join(f"p{n:02}=%C3%A9%20{n}" for n in range(99))
CASES = {
    "no query": (code(), "/photos/cat.jpg"),
    "usual: 3 parameters": (code(), "/photos/cat.jpg?width=300&height=200&format=webp"),
    "20 parameters": (code(), "/photos/cat.jpg?" + "&".join(_MANY.split("&")[:20])),
    "99 parameters": (code(), f"/photos/cat.jpg?{_MANY}"),
    "99 parameters, IgnoredParameters=*": (code("*"), f"/photos/cat.jpg?{_MANY}"),
    "2,000 parameters, refused": (code(), "/photos/cat.jpg?" + "&".join(f"p{n}" for n in range(2000))),
    "signed, not verified here": (code(), signed_url("/photos/cat.jpg?width=300&expires=20991231T235959Z", SECRET)),
    "signed, verified": (code_with_keys(), signed_url("/photos/cat.jpg?width=300&expires=20991231T235959Z", SECRET)),
    "signed with 99 parameters, verified": (code_with_keys(), signed_url(f"/photos/cat.jpg?{_MANY}", SECRET)),
}


def measure(script: str, url: str, folder: Path) -> float:
    """Return the microseconds that one request takes, the mean of one process."""
    path, _, query = url.partition("?")
    (folder / "cloudfront").write_text(f"var KEYS = {json.dumps(json.dumps([SECRET, 'previous']))};{_STORE}")
    setting = f"var REQUESTS = {REQUESTS}; var REQUEST = {json.dumps([path, query])};"
    (folder / "edge.js").write_text(f"{script}{setting}{_LOOP}")
    command = [str(require_tool("njs", "apt-get install njs")), "-p", str(folder), str(folder / "edge.js")]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return float(ran.stdout)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        rows = {
            name: statistics.median(measure(script, url, Path(folder)) for _ in range(ROUNDS))
            for name, (script, url) in CASES.items()
        }
    size = len(code_with_keys().encode())
    sys.stdout.write(
        f"# The edge function\n\nMicroseconds of one request in njs, the median of {ROUNDS} processes "
        "(`python -m bench.edge`). CloudFront allows\nabout a millisecond, in a build of its own of the same engine. "
        f"The code has {size:,} of the 10,240 bytes that are allowed.\n\n| request | µs |\n|---|---|\n"
    )
    sys.stdout.writelines(f"| {name} | {took:.0f} |\n" for name, took in rows.items())


if __name__ == "__main__":
    main()
