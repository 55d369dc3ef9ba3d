"""The code of the documentation runs: signatures in five languages make the vectors, other code is parsed or run."""

from __future__ import annotations

import ast
import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from standardwebhooks import Webhook
from tests.documentation.pages import DOCS, PAGES, ROOT, blocks, name_of
from tests.handler.test_signature import meaning, verifies
from tests.tools import require_tool

from handler.auth.canonical import canonical
from handler.auth.signature import sign

SIGNING = DOCS / "signing.md"
RUN_BY = {
    "bash": "test_the_code_of_the_page_makes_the_vectors, and test_documented_commands.py",
    "django": "tests/clients/test_python.py renders the tags",
    "go": "test_the_code_of_the_page_makes_the_vectors",
    "hcl": "tests/deploy parses the module's variables; the block names placeholders",
    "html": "a fragment of a page",
    "ini": "tests/handler/uploads/test_examples.py starts a service with each",
    "javascript": "test_the_code_of_the_page_makes_the_vectors",
    "js": "test_javascript_is_javascript",
    "json": "test_documented_urls.py parses it",
    "php": "test_the_code_of_the_page_makes_the_vectors",
    "python": "test_python_is_python, and tests by page below",
    "sh": "test_documented_commands.py runs it",
    "yaml": "test_yaml_is_yaml, and tests/deploy",
    "": "test_documented_urls.py requests its URLs; the rest is text",
}
"""Each language that blocks have → what tests them."""


def vectors() -> tuple[str, list[dict[str, Any]]]:
    """Return the secret and the ten vectors of the page."""
    (block,) = blocks(SIGNING, "json")
    document = json.loads(block.code)
    return document["secret"], document["vectors"]


def test_the_vectors_of_the_page() -> None:
    secret, known = vectors()
    assert len(known) == 10
    for vector in known:
        pairs = tuple(vector["parameters"].items())
        assert canonical(vector["path"], pairs) == vector["stringToSign"]
        assert sign(vector["path"], pairs, secret) == vector["signature"]
        raw_path, _, raw_query = vector["url"].partition("?")
        assert meaning(raw_path, raw_query) == (vector["path"], frozenset(pairs))
        assert verifies(raw_path, f"{raw_query}&signature={vector['signature']}", secret)


DRIVERS = {
    "python": (
        "import json, sys\n{code}\n"
        "given = json.load(sys.stdin)\n"
        "print(json.dumps([signed_url(v['path'], v['parameters'], given['secret']) for v in given['vectors']]))\n"
    ),
    "javascript": (
        "{code}\nconst given = JSON.parse(require('fs').readFileSync(0));\n"
        "console.log(JSON.stringify(given.vectors.map((v) => signedUrl(v.path, v.parameters, given.secret))));\n"
    ),
    "php": (
        "{code}\n$given = json_decode(stream_get_contents(STDIN), true);\n"
        "$sign = fn($v) => signedUrl($v['path'], $v['parameters'], $given['secret']);\n"
        "echo json_encode(array_map($sign, $given['vectors']));"
    ),
    "go": (
        "{code}\ntype given struct {\n\tSecret string\n\tVectors []struct {\n\t\tPath string\n"
        "\t\tParameters map[string]string\n\t}\n}\n\n"
        "func main() {\n\tvar all given\n\tvar urls []string\n\tjson.NewDecoder(os.Stdin).Decode(&all)\n"
        "\tfor _, each := range all.Vectors {\n"
        "\t\turls = append(urls, SignedURL(each.Path, each.Parameters, all.Secret))\n\t}\n"
        "\tjson.NewEncoder(os.Stdout).Encode(urls)\n}\n"
    ),
    "bash": '{code}\nread -r secret < secret\nwhile read -r url; do signed_url "$url" "$secret"; done < urls\n',
}
PROGRAMS = {
    "python": ("python3", "apt-get install python3", ".py"),
    "javascript": ("node", "apt-get install nodejs", ".cjs"),
    "php": ("php", "apt-get install php-cli", ".php"),
    "go": ("go", "apt-get install golang-go", ".go"),
    "bash": ("bash", "apt-get install bash", ".sh"),
}


@pytest.mark.parametrize(
    "language", [pytest.param(name, marks=pytest.mark.slow if name == "go" else ()) for name in DRIVERS]
)
def test_the_code_of_the_page_makes_the_vectors(language: str, tmp_path: Path) -> None:
    name, install, suffix = PROGRAMS[language]
    program = require_tool(name, install)
    (block,) = blocks(SIGNING, language)
    code = block.code
    if language == "go":
        code = code.replace("package signing", "package main").replace("import (", 'import (\n"encoding/json"\n"os"')
    if language == "bash":
        require_tool("openssl", "apt-get install openssl")
    script = (tmp_path / "sign").with_suffix(suffix)
    script.write_text(DRIVERS[language].replace("{code}", code), encoding="utf-8")
    secret, known = vectors()
    given = json.dumps({"secret": secret, "vectors": known})
    (tmp_path / "secret").write_text(secret + "\n", encoding="utf-8")
    (tmp_path / "urls").write_text("".join(f"{v['stringToSign']}\n" for v in known), encoding="utf-8")
    command = [program, *(["run"] if language == "go" else []), str(script)]
    environment = {**os.environ, "GOCACHE": str(tmp_path / "cache"), "GOPATH": str(tmp_path / "path")}
    ran = subprocess.run(
        command, input=given, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path, env=environment
    )
    assert ran.stderr == ""
    joints = ["&" if "?" in vector["stringToSign"] else "?" for vector in known]
    expected = [f"{v['stringToSign']}{joint}signature={v['signature']}" for v, joint in zip(known, joints, strict=True)]
    assert (ran.stdout.splitlines() if language == "bash" else json.loads(ran.stdout)) == expected


def test_every_language_is_tested() -> None:
    found = {block.language for page in PAGES for language in ("", r"\w+") for block in _of(page, language)}
    assert found == set(RUN_BY), "say what tests the blocks of this language"


def _of(page: Path, language: str) -> list[Any]:
    return blocks(page, "") if not language else blocks(page, *_languages(page))


def _languages(page: Path) -> set[str]:
    lines = page.read_text(encoding="utf-8").splitlines()
    return {line.strip().removeprefix("```") for line in lines if line.strip().startswith("```")} - {""}


PYTHON = [(page, block.code) for page in PAGES for block in blocks(page, "python")]
YAML = [(page, block.code) for page in PAGES for block in blocks(page, "yaml")]
JAVASCRIPT = [(page, block.code) for page in PAGES for block in blocks(page, "js")]


def _name(value: object) -> str:
    return name_of(value) if isinstance(value, Path) else ""


@pytest.mark.parametrize(("page", "code"), PYTHON, ids=_name)
def test_python_is_python(page: Path, code: str) -> None:
    ast.parse(code, filename=str(page))


@pytest.mark.parametrize(("page", "code"), YAML, ids=_name)
def test_yaml_is_yaml(page: Path, code: str) -> None:
    assert yaml.safe_load(code), page


@pytest.mark.parametrize(("page", "code"), JAVASCRIPT, ids=_name)
def test_javascript_is_javascript(page: Path, code: str, tmp_path: Path) -> None:
    node = require_tool("node", "apt-get install nodejs")
    script = tmp_path / "code.mjs"
    script.write_text(code, encoding="utf-8")
    ran = subprocess.run([node, "--check", str(script)], capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, (page, ran.stderr)


def test_the_receiver_of_webhooks_verifies_and_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    """The code of docs/uploads.md, with a request that the library itself has signed."""
    (block,) = blocks(DOCS / "uploads.md", "python")
    secret = "whsec_" + "c2VjcmV0" * 4
    scope: dict[str, Any] = {"secret": secret}
    exec(compile(block.code, "uploads.md", "exec"), scope)
    body = json.dumps({"type": "image.ready", "data": {"key": "cat.jpg"}})
    now = datetime.now(UTC)
    signature = Webhook(secret).sign("id", now, body)
    headers = {"webhook-id": "id", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
    scope["receive"](body.encode(), headers)
    assert capsys.readouterr().out == "image.ready cat.jpg\n"
    with pytest.raises(Exception, match=r"(?i)signature"):
        scope["receive"](body.encode() + b" ", headers)


def test_the_construct_of_the_cdk_has_the_arguments_of_the_guide() -> None:
    (block,) = blocks(DOCS / "deploy.md", "python")
    source = (ROOT / "deploy" / "cdk" / "image_handler.py").read_text(encoding="utf-8")
    (call,) = [
        node
        for node in ast.walk(ast.parse(block.code))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ImageHandler"
    ]
    (initializer,) = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    ]
    known = {argument.arg for argument in (*initializer.args.args, *initializer.args.kwonlyargs)}
    assert {keyword.arg for keyword in call.keywords} <= known
