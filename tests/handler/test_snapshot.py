"""Lambda SnapStart: what is ready before the snapshot, and what is renewed after a restore."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests import pictures
from tests.client import Client, answered, function_url_event
from tests.stand_ins.runtime_api import lambda_process, runtime_api
from tests.stand_ins.scripted_http import ParsedRequest, Reply, ScriptedServer, scripted_server

from handler import app
from handler.aws import credentials, tls
from handler.composition import snapshot, wiring
from imaging.fonts import use_shipped_fonts

SRC = Path(__file__).parents[2] / "src"
OF_EVERY_COPY = {
    "handler.aws.tls.client_tls": "renewed",
    "handler.aws.credentials._credential_chain": "renewed",
    "handler.aws.sdk._shared_session": "descriptions of services; each client gets its credentials",
    "handler.config.version.drawing_version": "of the container image",
    "handler.observability.logs.logger": "has no state but its level",
    "handler.uploads.ingest.keys._types": "of the formats",
    "handler.observability.redaction._is_known_secret": "of its argument",
    "handler.observability.redaction._functions": "of the dialects, and emptied where one is configured",
    "handler.entrypoints.operator.local_access._is_loopback": "of its argument",
    "handler.composition.pages.list_documents": "of the container image",
    "handler.pages.documentation.files.list_paths": "of the container image",
    "handler.pages.documentation.files.find_image": "of the container image",
    "handler.pages.documentation.markdown._parser": "of the code",
    "handler.pages.documentation.site.documentation": "of the container image",
    "handler.pages.documentation.site._render": "of the container image",
    "handler.pages.documentation.site._list_chapters": "of the container image",
    "handler.pages.documentation.site._title": "of the container image",
    "handler.pages.documentation.site._build_index": "of the container image",
    "handler.reference.api_page.api_page": "of the catalogue",
    "handler.reference.exclusions.find_rules": "of the catalogue",
    "handler.cli.transform_files._application": "of the command line, which Lambda does not run",
}
"""The caches of modules, which a restored copy keeps, and why that is right."""


class Aws:
    """S3, Secrets Manager and the credentials of a function with SnapStart, whose values change at a restore."""

    def __init__(self) -> None:
        self.generation = "old"
        self.calls: list[tuple[str, str]] = []
        """What was called, and the access key that signed it."""

    def answer(self, asked: ParsedRequest) -> Reply:
        if asked.path == "/credentials":
            expires = datetime.now(UTC) + timedelta(hours=6)
            keys = {"AccessKeyId": self.generation, "SecretAccessKey": "secret", "Token": "token"}
            return Reply(200, json.dumps({**keys, "Expiration": f"{expires:%Y-%m-%dT%H:%M:%SZ}"}).encode())
        key = asked.headers.get("authorization", "").partition("Credential=")[2].partition("/")[0]
        target = asked.headers.get("x-amz-target", "s3")
        self.calls.append((target, key))
        if target == "s3":
            return Reply(200, pictures.jpeg(), {"Last-Modified": "Mon, 30 Nov 2026 00:00:00 GMT", "ETag": '"1"'})
        return Reply(200, json.dumps({"SecretString": f"{self.generation}-secret"}).encode())


@pytest.fixture
def aws() -> Iterator[tuple[Aws, ScriptedServer]]:
    state = Aws()
    with scripted_server(state.answer) as server:
        yield state, server


def environment(server: ScriptedServer) -> dict[str, str]:
    return {
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{server.url}/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "token",
        "AWS_ENDPOINT_URL": server.url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SOURCE_BUCKETS": "photos",
        "ORIGIN_SECRET": "origin",
        "HEAVY_FUNCTION": "models",
    }


def run_program(program: str, tmp_path: Path, **environment: str) -> list[str]:
    """Run a program that has registered the hooks, and return the lines of its output."""
    (tmp_path / "cat.jpg").write_bytes(pictures.jpeg())
    names = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SRC), "SOURCE_BUCKETS": f"p=file://{tmp_path}"}
    snap_start = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**names, **snap_start, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def test_the_runtime_client_takes_the_snapshot_and_renews_credentials_and_secrets_after_it(
    aws: tuple[Aws, ScriptedServer],
) -> None:
    state, server = aws
    with runtime_api() as api, lambda_process(api, environment(server)):
        assert api.initialised.wait(60)
        assert state.calls == []  # neither a secret nor an original is in the snapshot
        state.generation = "new"
        api.restored.set()
        admitted = function_url_event("/cat.jpg?width=20", headers={"x-origin-secret": "new-secret"})
        assert answered(api.invoke(admitted).json()).status == 200
        refused = function_url_event("/cat.jpg?width=20", headers={"x-origin-secret": "old-secret"})
        assert answered(api.invoke(refused).json()).status == 403
    assert {name for name, _ in state.calls} == {"s3", "secretsmanager.GetSecretValue"}
    assert {key for _, key in state.calls} == {"new"}


def test_no_version_is_published_with_a_fault_in_the_settings() -> None:
    settings = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start", "SOURCE_BUCKETS": "photos", "PRESETS": "{nothing"}
    with runtime_api() as api, lambda_process(api, settings, stdout=subprocess.DEVNULL):
        failure = api.receive()
    assert failure.failed
    assert "PRESETS" in failure.json()["errorMessage"]


def test_a_function_without_snapstart_registers_nothing(tmp_path: Path) -> None:
    program = "import sys, handler.app; print('handler.composition.snapshot' in sys.modules)"
    assert run_program(program, tmp_path, AWS_LAMBDA_INITIALIZATION_TYPE="on-demand") == ["False"]


MODULES_OF_A_RESIZE = """
import sys
from handler.app import lambda_handler
from handler.composition import snapshot
snapshot.prepare()
snapshot.renew()
before = set(sys.modules)
event = {"version": "2.0", "rawPath": "/cat.jpg", "rawQueryString": "width=20&format=webp", "headers": {},
         "requestContext": {"http": {"method": "GET", "path": "/cat.jpg"}}}
print(lambda_handler(event, None)["statusCode"])
print(*sorted(name for name in set(sys.modules) - before if name.split(".")[0] in ("handler", "features", "imaging")))
print(*sorted({"botocore.session", "obstore", "http.client", "onnxruntime"} & set(sys.modules)))
"""


def test_the_first_request_after_a_restore_imports_nothing(tmp_path: Path) -> None:
    _log, status, own, others = run_program(MODULES_OF_A_RESIZE, tmp_path, HEAVY_FUNCTION="models")
    assert (status, own) == ("200", "")
    assert others == "botocore.session http.client obstore"


MODELS = """
import handler.app
from handler.composition import snapshot
from imaging.models import saliency, upscaling
snapshot.prepare()
opened = saliency._opened.cache_info().currsize, upscaling._opened.cache_info().currsize
snapshot.renew()
print(*opened, saliency._opened.cache_info().currsize, upscaling._opened.cache_info().currsize)
"""


@pytest.mark.models
def test_the_sessions_of_the_models_are_open_before_the_snapshot_and_kept(tmp_path: Path) -> None:
    assert run_program(MODELS, tmp_path) == ["1 1 1 1"]


@pytest.mark.models
def test_a_function_that_delegates_models_opens_none(tmp_path: Path) -> None:
    assert run_program(MODELS, tmp_path, HEAVY_FUNCTION="models") == ["0 0 0 0"]


COPIES = """
import os, random, sys
import handler.app
import numpy.random
from handler.composition import snapshot
snapshot.prepare()
random.seed(1)
numpy.random.seed(1)
for copy in range(2):
    if os.fork() == 0:
        snapshot.renew()
        print(random.random(), numpy.random.random(), flush=True)
        os._exit(0)
    os.wait()
"""


def test_two_copies_of_a_snapshot_draw_different_random_numbers(tmp_path: Path) -> None:
    first, second = (line.split() for line in run_program(COPIES, tmp_path, HEAVY_FUNCTION="models"))
    assert all(one != other for one, other in zip(first, second, strict=True))


def test_a_restore_renews_connections_credentials_and_all_that_has_an_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("old")
    (tmp_path / "cat.jpg").write_bytes(pictures.jpeg())
    settings = {"SOURCE_BUCKETS": f"p=file://{tmp_path}", "ORIGIN_SECRET_FILE": str(secret)}
    client = Client(settings)
    assert client.get("/cat.jpg?width=9", x_origin_secret="old").status == 200
    secret.write_text("new")
    assert client.get("/cat.jpg?width=9", x_origin_secret="new").status == 403  # the value is kept for minutes
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    tls_before, _ = tls.client_tls(), credentials.found_credentials()
    snapshot.renew()
    event = function_url_event("/cat.jpg?width=9", headers={"x-origin-secret": "new"})
    assert answered(app.lambda_handler(event, None)).status == 200
    assert wiring.application().health is not client.application.health  # which remembers when it has last rendered
    assert tls.client_tls() is not tls_before
    assert credentials._credential_chain.cache_info().currsize == 0


def test_the_configuration_of_the_fonts_is_written_again_if_it_is_gone() -> None:
    file = Path(use_shipped_fonts()["FONTCONFIG_FILE"])
    assert use_shipped_fonts()["FONTCONFIG_FILE"] == str(file)
    file.unlink()
    assert Path(use_shipped_fonts()["FONTCONFIG_FILE"]).is_file()


def module_caches() -> Iterator[str]:
    for path in sorted((SRC / "handler").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and any(is_cache(each) for each in node.decorator_list):
                yield ".".join((*path.relative_to(SRC).with_suffix("").parts, node.name))


def is_cache(decorator: ast.expr) -> bool:
    return ast.unparse(decorator).partition("(")[0] in ("cache", "lru_cache", "functools.cache", "functools.lru_cache")


def test_every_cache_of_a_module_is_renewed_or_the_same_for_every_copy() -> None:
    """What may age belongs to the application, which `renew` builds anew."""
    assert {*module_caches()} == set(OF_EVERY_COPY)
