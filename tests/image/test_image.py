"""The image in use: Lambda's runtime client in it, read-only, unprivileged, told of a processor it was not made on."""

from __future__ import annotations

import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.client import Answered, answered, function_url_event, size
from tests.image.container import ROOT, Image
from tests.stand_ins.moto import REGION, Moto
from tests.stand_ins.runtime_api import RuntimeApi, runtime_api
from tests.template.samples import LEAST
from tests.template.stack import Stack
from tests.weights import PHOTOS

from handler.config.version import drawing_version
from handler.entrypoints.http import ORIGIN_HEADER

# The first of these tests builds the image, which downloads 300 MB and compiles for half a minute.
pytestmark = pytest.mark.timeout(1200)

MATTING = "/astronaut.jpg?feature=removeBackground,resize&removeBackground.alphaMatting=true&width=300&format=png"
MEGA = 1_000_000
ORIGIN = "from-the-cdn"
ALONE = {"HeavyFunction": "No", "DeployDemoUI": "No", "OperatorApi": "No"}
"""Switched off: what this one function does not answer."""


@contextmanager
def function(image: Image, moto: Moto, tmp: Path) -> Iterator[RuntimeApi]:
    """The template's function out of the image, with a bucket of two photographs."""
    names = ("cat.jpg", "astronaut.jpg")
    bucket = moto.bucket(**{name: (PHOTOS / name).read_bytes() for name in names})
    stack = Stack({**LEAST, **ALONE, "SourceBuckets": bucket, "PublicFeatures": "*"})
    secret = moto.client("secretsmanager").create_secret(Name=bucket, SecretString=ORIGIN)
    with runtime_api() as api:
        environment = {
            **stack.resources["Function"]["Environment"]["Variables"],
            "ORIGIN_SECRET": secret["ARN"],
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "image-handler",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008",
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "AKID",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_ENDPOINT_URL": moto.url,
            # What numba would compile for, were it not told otherwise: none of the processors that run this.
            "NUMBA_CPU_NAME": "btver1",
        }
        with image.process(tmp, environment):
            yield api


def get(api: RuntimeApi, address: str, **headers: str) -> Answered:
    said = {ORIGIN_HEADER: ORIGIN, **{name.replace("_", "-"): value for name, value in headers.items()}}
    asked = function_url_event(address, headers=said)
    returned = api.invoke(asked, timeout=90)
    assert not returned.failed, returned.body
    return answered(returned.json())


def test_the_function_answers(image: Image, moto: Moto, tmp_path: Path) -> None:
    with function(image, moto, tmp_path) as api:
        resized = get(api, "/cat.jpg?width=300&format=webp")
        assert (resized.status, resized.headers["Content-Type"]) == (200, "image/webp")
        assert size(resized.body)[0] == 300
        assert not list(tmp_path.iterdir()), "a plain resize needs no copies of anything"

        again = get(api, "/cat.jpg?width=300&format=webp", if_none_match=resized.headers["ETag"])
        assert (again.status, again.body) == (304, b"")

        cut_out = get(api, "/astronaut.jpg?feature=removeBackground,resize&width=300&format=png")
        assert (cut_out.status, cut_out.headers["Content-Type"]) == (200, "image/png")
        assert size(cut_out.body)[0] == 300

        matted = get(api, MATTING)
        assert matted.status == 200, matted.body
        assert size(matted.body) == size(cut_out.body)
        assert matted.body != cut_out.body


def test_nothing_is_compiled_when_a_picture_is_matted(image: Image, moto: Moto, tmp_path: Path) -> None:
    """numba takes the code that lies in the image, whatever processor it believes to run on."""
    with function(image, moto, tmp_path) as api:
        assert get(api, MATTING).status == 200
    (copy,) = tmp_path.glob("compiled-*")
    assert contents(copy) == contents(image.files / "var/task/weights/numba")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_format_works(image: Image, tmp_path: Path) -> None:
    with image.process(
        tmp_path, {}, ["image-handler", "doctor"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        told = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 0, told


def test_it_serves_over_http(image: Image, tmp_path: Path) -> None:
    command = ["image-handler", "serve", "--images", "/var/task/samples", "--port", "0"]
    with image.process(tmp_path, {}, command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        found = re.search(r"at (http://\S+/) ", process.stdout.readline().decode())
        assert found is not None
        with urllib.request.urlopen(f"{found[1]}photos/cat.jpg?width=200", timeout=30) as response:
            assert size(response.read())[0] == 200
        for page in ("_docs/", "_docs/bench/results", "_api/docs"):
            with urllib.request.urlopen(found[1] + page, timeout=30) as response:
                assert response.read().rstrip().endswith(b"</html>")
    with pytest.raises(OSError, match=r"refused|reset"):
        urllib.request.urlopen(found[1], timeout=30)


def test_it_runs_as_nobody_and_writes_nowhere(image: Image, tmp_path: Path) -> None:
    script = "import os; print(os.getuid(), os.getgid(), os.access('/var/task', os.W_OK), os.access('/tmp', os.W_OK))"
    with image.process(tmp_path, {}, ["python3", "-c", script], stdout=subprocess.PIPE) as process:
        assert process.communicate(timeout=60)[0].split() == [b"65532", b"65532", b"False", b"True"]


def test_what_is_in_it(image: Image) -> None:
    """At most 560 MB on top of the base, weights aside; nothing of the repository but what runs."""
    task = image.files / "var/task"
    texts = {path.name for path in task.glob("*.md")} | {"LICENSE", "NOTICE", "docs", "bench", "clients"}
    assert {path.name for path in task.iterdir()} == {"demo-ui", "samples", "src", "weights"} | texts
    assert {path.suffix for name in texts for path in (task / name).rglob("*.*")} == {
        ".md",
        ".webp",
        ".svg",
        ".php",
        ".go",
    }
    folders = [path for path in task.iterdir() if path.name != "weights"] + [image.files / "opt"]
    unpacked = sum(path.lstat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())
    assert unpacked < 560 * MEGA, f"{unpacked / MEGA:.0f} MB"
    assert not list((task / "weights").glob("*.onnx")), (
        "weights as published are of no use beside what was made of them"
    )
    assert (task / "src/imaging/VERSION").read_text() == drawing_version()
    writable = [path for path in (*task.rglob("*"), *(image.files / "opt").rglob("*")) if _others_may_write(path)]
    assert writable == []


def _others_may_write(path: Path) -> bool:
    return not path.is_symlink() and bool(path.stat().st_mode & 0o002)


def test_the_lock_file_of_models_loses_what_the_image_has_already(tmp_path: Path) -> None:
    pack = [str(ROOT / "deploy/image/pack.py")]
    had, more = tmp_path / "had.txt", tmp_path / "more.txt"
    had.write_text("numpy==1 ; python_version < '4' \\\n    --hash=sha256:aa\n")
    more.write_text(
        "numba==2 \\\n    --hash=sha256:bb\nnumpy==1 \\\n    --hash=sha256:aa\nscipy==3 \\\n    --hash=sha256:cc\n"
    )
    command = ["python3", *pack, "--beside", str(had), str(more)]
    left = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert left == "numba==2 \\\n    --hash=sha256:bb\nscipy==3 \\\n    --hash=sha256:cc\n"
