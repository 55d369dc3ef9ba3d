"""The clients for JavaScript, PHP and Go: their own tests, and the npm package in a new project."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.client import size
from tests.local_server import SAMPLES, Server, serving
from tests.tools import lacking, require_tool

CLIENTS = Path(__file__).parents[2] / "clients"
JAVASCRIPT = CLIENTS / "javascript"
SECRET = "a secret of a test"
LARGEST_BUILDER = 6_000
"""Bytes of the URL builder in a page, compressed."""


def run(*command: str, folder: Path, **environment: str) -> str:
    ran = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=240, check=False, env={**os.environ, **environment}
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-4000:]
    return ran.stdout


def node_modules() -> Path:
    found: Path = JAVASCRIPT / "node_modules"
    if not found.is_dir():
        lacking("the packages of clients/javascript are needed: make setup")
    return found


def test_php() -> None:
    assert "checks passed" in run(require_tool("php", "apt-get install php-cli"), "php/test.php", folder=CLIENTS)


def test_go(tmp_path: Path) -> None:
    go = require_tool("go", "apt-get install golang-go")
    environment = {"GOCACHE": str(tmp_path / "cache"), "GOPATH": str(tmp_path / "path"), "GOFLAGS": "-mod=mod"}
    run(go, "vet", ".", folder=CLIENTS / "go", **environment)
    assert "ok" in run(go, "test", ".", folder=CLIENTS / "go", **environment)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packed npm package, built from a copy; its own tests have passed."""
    modules = node_modules()
    folder = tmp_path_factory.mktemp("npm")
    copy = folder / "clients" / "javascript"
    shutil.copytree(JAVASCRIPT, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    shutil.copy(CLIENTS / "vectors.json", folder / "clients")
    (copy / "node_modules").symlink_to(modules)
    npm = require_tool("npm", "apt-get install npm")
    output = run(npm, "test", folder=copy)
    assert "# fail 0" in output
    assert "# pass 0" not in output
    [packed] = json.loads(run(npm, "pack", "--json", "--pack-destination", str(folder), folder=copy))
    return folder / str(packed["filename"])


@pytest.fixture(scope="module")
def project(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project with Vite, in which the packed package is installed."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "package.json").write_text('{"name": "new", "version": "1.0.0", "type": "module", "private": true}')
    run(
        require_tool("npm", "apt-get install npm"),
        "install", "--offline", "--no-audit", "--no-fund", "--legacy-peer-deps", str(package), folder=folder,
    )  # fmt: skip
    for each in node_modules().iterdir():
        if not each.name.startswith(".") and not (folder / "node_modules" / each.name).exists():
            (folder / "node_modules" / each.name).symlink_to(each)
    return folder


def build(project: Path, name: str, source: str) -> Path:
    """Return what Vite makes of a module of the project."""
    (project / f"{name}.js").write_text(source)
    vite = project / "node_modules" / "vite" / "bin" / "vite.js"
    (project / "vite.config.js").write_text(
        f'export default {{ build: {{ lib: {{ entry: "{name}.js", formats: ["es"], fileName: "{name}" }}, '
        f'outDir: "out-{name}", minify: true, rollupOptions: {{ external: [/^node:/] }} }}, logLevel: "error" }};'
    )
    run(require_tool("node", "apt-get install nodejs"), str(vite), "build", folder=project)
    [made] = (project / f"out-{name}").glob("*.js")
    return made


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    secret = tmp_path_factory.mktemp("secret") / "secret.txt"
    secret.write_text(SECRET)
    with serving(SAMPLES, ENABLE_SIGNATURE="Yes", SIGNATURE_SECRET_FILE=str(secret)) as started:
        yield started


def test_a_built_page_asks_a_server_for_what_it_wants(project: Path, server: Server) -> None:
    source = """
import { imageUrl } from "image-handler-client";
import { signUrl } from "image-handler-client/sign";
export const url = imageUrl("photos/cat.jpg", { width: 120, grayscale: true, format: "webp" });
export const sign = (secret) => signUrl(url, secret, { expires: 600 });
"""
    made = build(project, "page", source)
    show = f'import("{made}").then(async (m) => console.log(JSON.stringify([m.url, await m.sign("{SECRET}")])))'
    url, signed = json.loads(run(require_tool("node", "apt-get install nodejs"), "-e", show, folder=project))
    assert server.ask(url).status in (400, 403)
    answer = server.ask(signed)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")
    assert size(answer.body)[0] == 120


def test_the_builder_is_small_and_leaves_the_rest_out(project: Path) -> None:
    made = build(project, "small", 'export { imageUrl, srcset, picture } from "image-handler-client";')
    code = made.read_bytes()
    assert len(gzip.compress(code)) < LARGEST_BUILDER
    assert b"HMAC" not in code
    assert b"image/png;base64" not in code


def test_types_refuse_what_the_service_refuses(project: Path) -> None:
    """The compiler knows each feature with its parameters, and says which name or value is wrong."""
    (project / "right.ts").write_text("""
import { imageUrl } from "image-handler-client";
imageUrl("a.jpg", { width: 300, format: "webp", blur: 3, flip: true, "text.text": "x" });
imageUrl("a.jpg", { watermark: { key: "l.png", width: 25 }, text: "x", greyscale: true });
""")
    (project / "wrong.ts").write_text("""
import { imageUrl } from "image-handler-client";
imageUrl("a.jpg", { widht: 300 });
imageUrl("a.jpg", { format: "wepb" });
imageUrl("a.jpg", { text: { size: 12 } });
""")
    node = require_tool("node", "apt-get install nodejs")
    tsc = [node, "node_modules/typescript/bin/tsc", "--noEmit", "--strict", "--module", "nodenext"]
    # One compilation for both, of which reading the types is nearly all.
    ran = subprocess.run(
        [*tsc, "right.ts", "wrong.ts"], cwd=project, capture_output=True, text=True, timeout=240, check=False
    )
    errors = re.findall(r"^(\S+?)(?:\((\d+),\d+\))?: error", ran.stdout, re.MULTILINE)
    assert errors == [("wrong.ts", "3"), ("wrong.ts", "4"), ("wrong.ts", "5")], ran.stdout
