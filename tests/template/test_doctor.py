"""`image-handler doctor --url`: what it says of the local server behind the template's edge, whole and in parts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.template.cdn import Distribution, distribution
from tests.tools import require_tool
from tests.weights import PHOTOS

from handler.cli import checks
from handler.cli.http_probe import Site, Subject

pytestmark = pytest.mark.slow

SECRETS = {"origin": "from-the-cdn", "operator": "the operator's token", "signature": "a signing key"}
ANSWER = 6_291_556


@contextmanager
def stack(tmp: Path, **settings: str) -> Iterator[Distribution]:
    """The local server, told what a stack's function is told, and a distribution before it."""
    images = tmp / "images"
    (tmp / "results").mkdir()
    images.mkdir()
    shutil.copy(PHOTOS / "retina.jpg", images)
    for name, secret in SECRETS.items():
        (tmp / name).write_text(secret)
    with distribution("", SECRETS["origin"], tmp) as cdn:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "SOURCE_BUCKETS": f"photos={images.as_uri()}",
            "RESULTS_BUCKET": f"results={(tmp / 'results').as_uri()}",
            "ORIGIN_SECRET_FILE": str(tmp / "origin"),
            "OPERATOR_TOKEN_FILE": str(tmp / "operator"),
            "SIGNATURE_SECRET_FILE": str(tmp / "signature"),
            "MAX_ANSWER_BYTES": str(ANSWER),
            "DISTRIBUTION_ID": "E1",
            "AWS_ENDPOINT_URL_CLOUDFRONT": cdn.url,
            "AWS_ACCESS_KEY_ID": "AKID",
            "AWS_SECRET_ACCESS_KEY": "secret",
            **settings,
        }
        command = [require_tool("image-handler", "make setup"), "serve", "--port", "0"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            found = re.search(r"at http://(\S+)/ ", server.stdout.readline())
            assert found is not None
            cdn.origin = found[1]
            try:
                yield cdn
            finally:
                server.terminate()
                server.communicate()


def doctor(
    cdn: Distribution, *more: str, token: str = SECRETS["operator"]
) -> tuple[int, dict[str, tuple[str, str]], str]:
    """Exit status, and by question verdict and words; and what went to standard error."""
    command = [require_tool("image-handler", "make setup"), "doctor", "--url", cdn.url, *more]
    environment: Mapping[str, str] = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "IMAGE_HANDLER_TOKEN": token,
    }
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=110)
    findings = re.findall(r"^(ok|bad|left) +(.+?)(?:: (.*))?$", ran.stdout, re.MULTILINE)
    return ran.returncode, {question: (verdict, words) for verdict, question, words in findings}, ran.stderr


@pytest.mark.parametrize("signed", ["No", "Yes"])
def test_a_stack_in_health(tmp_path: Path, signed: str) -> None:
    with stack(tmp_path, ENABLE_SIGNATURE=signed) as cdn:
        status, findings, _ = doctor(cdn, "--api", f"http://{cdn.origin}")
    left = {question for question, (verdict, _) in findings.items() if verdict == "left"}
    assert {question: words for question, (verdict, words) in findings.items() if verdict == "bad"} == {}
    assert left == ({"encryption"} if signed == "Yes" else {"encryption", "signatures"})
    assert status == 0
    assert len(findings) == 18


def test_without_the_edge_function(tmp_path: Path) -> None:
    with stack(tmp_path) as cdn:
        cdn.edge_runs = False
        status, findings, _ = doctor(cdn, "--key", "retina.jpg")
    assert status == 1
    assert findings["long addresses"][0] == "bad"
    assert "must be a 414 of the edge function" in findings["long addresses"][1]


def test_with_a_wrong_secret_at_the_origin(tmp_path: Path) -> None:
    with stack(tmp_path) as cdn:
        cdn.secret = "another"
        status, findings, _ = doctor(cdn, "--key", "retina.jpg")
    assert status == 1
    assert "secret header" in findings["the function can be reached"][1]
    assert "must be called through the CDN" in findings["a picture"][1]


def test_tags_that_reach_viewers_and_no_place_for_large_pictures(tmp_path: Path) -> None:
    with stack(tmp_path, RESULTS_BUCKET="") as cdn:
        cdn.removes_tags = False
        status, findings, _ = doctor(cdn)
    assert status == 1
    assert "response headers policy" in findings["a picture"][1]
    assert "redirect" in findings["a picture over 6 MB"][1]
    assert findings["the API behind the CDN"] == ("left", "no --api: the stack's output ApiEndpoint")


def test_a_purge_that_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_WITHDRAWN_SECONDS", 1)
    with stack(tmp_path, DISTRIBUTION_ID="") as cdn:
        subject = Subject(Site(cdn.url, SECRETS["operator"]), "retina.jpg")
        (fault,) = checks.QUESTIONS["withdrawal by cache tag"](subject)
    assert "do cache tags arrive?" in fault


def test_what_it_needs_is_told(tmp_path: Path) -> None:
    with stack(tmp_path, ENABLE_SIGNATURE="Yes") as cdn:
        assert "--key" in doctor(cdn, token="")[2]
        assert "IMAGE_HANDLER_TOKEN" in doctor(cdn, "--key", "retina.jpg", token="")[2]
        cdn.origin = "127.0.0.1:9"
    status, _, told = doctor(cdn, "--key", "retina.jpg")
    assert (status, "does not answer" in told) == (1, True)
