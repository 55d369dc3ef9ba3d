"""URLs that imgproxy's client libraries make are answered, unchanged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests import pictures
from tests.client import Client, size
from tests.tools import case, lacking, require_tool

HERE = Path(__file__).parent / "imgproxy"
KEY, SALT = "746573742d6b6579", "746573742d73616c74"
KEPT = json.loads((HERE / "kit_urls.json").read_text(encoding="utf-8"))
"""What imgproxykit 0.4.0 makes; it needs a newer Python than this project does."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("originals")
    (made / "t.jpg").write_bytes(pictures.jpeg(pictures.scene(200, 100)))
    return made


def fetch(folder: Path, urls: dict[str, Any]) -> None:
    """Get each URL, and compare the size of its answer; 0 stands for any size."""
    for name, (url, width, height, *length) in urls.items():
        served = Client({
            "IMGPROXY_LOCAL_FILESYSTEM_ROOT": str(folder), "DIALECTS": "imgproxy", "IMGPROXY_KEY": KEY,
            "IMGPROXY_SALT": SALT, "IMGPROXY_SIGNATURE_SIZE": str(*length or [32]),
        })  # fmt: skip
        with case(name):
            answer = served.get(url)
            assert answer.status == 200, answer.body
            assert not width or size(answer.body) == (width, height)
            assert served.get(url.replace("/", "/x", 1)).status == 403


def test_the_npm_packages(folder: Path) -> None:
    if not (HERE / "node_modules").is_dir():
        lacking("imgproxy's client libraries are needed: make setup")
    node = require_tool("node", "apt-get install nodejs")
    ran = subprocess.run(
        [node, "urls.mjs", KEY, SALT], cwd=HERE, capture_output=True, text=True, check=True, timeout=60
    )
    urls = json.loads(ran.stdout)
    assert len(urls) == 15
    fetch(folder, urls)


def test_imgproxykit(folder: Path) -> None:
    assert len(KEPT) == 7
    fetch(folder, KEPT)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="imgproxykit needs Python 3.12; its URLs are kept")
def test_imgproxykit_makes_the_kept_urls() -> None:
    program = [sys.executable, "kit_urls.py", KEY, SALT]
    ran = subprocess.run(program, cwd=HERE, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(ran.stdout) == KEPT
