"""A process that answers for hours stays as large as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests import pictures

pytestmark = pytest.mark.slow

PROGRAM = """
import json, sys
from pathlib import Path
from handler.app import lambda_handler

events = json.loads(sys.argv[1])

def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])

sizes = []
for turn in range(1000):
    answer = lambda_handler(events[turn % len(events)], None)
    assert answer["statusCode"] == 200, answer
    sizes.append(resident())
# The median of fifty: the allocator keeps a little more or less from one request to the next.
print(json.dumps([sorted(sizes[end - 50 : end])[25] for end in (200, 600, 1000)]))
"""

QUERIES = [
    "width=40", "width=60&format=webp", "width=50&format=png", "width=30&blur=2&format=gif", "rotate=20&width=50", "",
    "width=40&watermark=logo.png", "feature=info", "crop.width=20&crop.height=20", "width=40&format=avif&effort=0",
]  # fmt: skip


@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, which only Linux has")
def test_memory_stays_level(tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(pictures.jpeg())
    (tmp_path / "logo.png").write_bytes(pictures.png())
    base = json.loads((Path(__file__).parents[1] / "events" / "function-url.json").read_text())
    events = [{**base, "rawQueryString": query} for query in QUERIES]
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(events)],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "SOURCE_BUCKETS": f"p=file://{tmp_path}",
            "LOG_LEVEL": "ERROR",
            # As the container and `make run` set it: libvips' threads would each grow a heap of their own.
            "MALLOC_ARENA_MAX": "2",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    after_200, after_600, after_1000 = json.loads(ran.stdout.splitlines()[-1])
    # What leaks does so in both halves; the allocator may take some more once.
    assert min(after_600 / after_200, after_1000 / after_600) <= 1.025
