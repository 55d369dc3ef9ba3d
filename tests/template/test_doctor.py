"""`image-handler doctor --url`: the local server behind the template's edge function, with and without faults."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.local_server import serving
from tests.template.cdn import Distribution, distribution
from tests.template.samples import GALLERY
from tests.tools import require_tool
from tests.weights import PHOTOS, ROOT

from handler.cli import checks
from handler.cli.commands import run
from handler.cli.http_probe import Service, Target

pytestmark = pytest.mark.slow

SECRETS = {"origin": "from-the-cdn", "operator": "the operator's token", "signature": "a signing key"}
ANSWER = 6_291_556


@contextmanager
def stack(tmp: Path, parameters: Mapping[str, str] | None = None, **settings: str) -> Iterator[Distribution]:
    """Start the local server with the settings of a stack's function, and a distribution in front of it."""
    images = tmp / "images"
    (tmp / "results").mkdir()
    images.mkdir()
    shutil.copy(PHOTOS / "retina.jpg", images)
    for name, secret in SECRETS.items():
        (tmp / name).write_text(secret)
    with distribution("", SECRETS["origin"], tmp, **(parameters or {})) as cdn:
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
    """Return the exit status, the status and message of each check, and standard error."""
    command = [require_tool("image-handler", "make setup"), "doctor", "--url", cdn.url, *more]
    environment: Mapping[str, str] = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "IMAGE_HANDLER_TOKEN": token,
    }
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=110)
    results = re.findall(r"^(ok|failed|skipped) +(.+?)(?:: (.*))?$", ran.stdout, re.MULTILINE)
    return ran.returncode, {name: (result, message) for result, name, message in results}, ran.stderr


def test_the_guide_says_what_each_check_asks_of_aws() -> None:
    guide = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    table = guide.split("## Test the stack")[1].split("\n## ")[0]
    asked = re.findall(r"^\| ([a-zA-Z][^|]+) \| [^|]+ \|$", table, re.MULTILINE)
    assert asked == ["Check", *checks.CHECKS]


@pytest.mark.parametrize("signed", ["No", "Yes"])
def test_a_stack_in_health(tmp_path: Path, signed: str) -> None:
    with stack(tmp_path, ENABLE_SIGNATURE=signed) as cdn:
        status, results, _ = doctor(cdn, "--api", f"http://{cdn.origin}")
    skipped = {name for name, (result, _) in results.items() if result == "skipped"}
    assert {name: message for name, (result, message) in results.items() if result == "failed"} == {}
    always = {"http is redirected to https", "signed URLs share a copy in the CDN", "the gallery tells visitors apart"}
    assert skipped == (always if signed == "Yes" else {*always, "signatures are checked"})
    assert status == 0
    assert len(results) == 20


def test_a_local_server_is_not_blamed_for_having_no_cdn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("IMAGE_HANDLER_TOKEN", raising=False)
    with serving(PHOTOS) as server:
        status = run(["doctor", "--url", f"http://127.0.0.1:{server.port}", "--key", "retina.jpg"])
    printed = capsys.readouterr().out
    assert "failed" not in printed
    assert "skipped  the CDN caches images: responses have no X-Cache, so no CDN is in front" in printed
    assert status == 0


def gallery_settings(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "gallery").mkdir()
    sources = f"photos={(tmp_path / 'images').as_uri()},gallery={(tmp_path / 'gallery').as_uri()}"
    return {"SOURCE_BUCKETS": sources, "GALLERY_SOURCE": "gallery", "RECORDS": f"sqlite:///{tmp_path}/records.db"}


@pytest.mark.parametrize("passes", [True, False])
def test_a_gallery_whose_cookies_pass_or_do_not(tmp_path: Path, passes: bool) -> None:
    with stack(tmp_path, GALLERY, **gallery_settings(tmp_path)) as cdn:
        cdn.passes_cookies = passes
        _, results, _ = doctor(cdn, "--key", "retina.jpg")
    result, message = results["the gallery tells visitors apart"]
    assert result == ("ok" if passes else "failed"), message
    assert ("does the CDN pass __Host-gallery" in message) is not passes
    assert [name for name, (result, _) in results.items() if result == "failed"] == (
        [] if passes else ["the gallery tells visitors apart"]
    )


def test_a_private_source_behind_the_cdn(tmp_path: Path) -> None:
    """Its images need a signature, although those of other sources do not."""
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    shutil.copy(PHOTOS / "retina.jpg", contracts / "signed.jpg")
    sources = f"photos={(tmp_path / 'images').as_uri()},contracts={contracts.as_uri()}"
    with stack(tmp_path, SOURCE_BUCKETS=sources, PRIVATE_SOURCES="contracts") as cdn:
        status, results, _ = doctor(cdn, "--bucket", "contracts", "--key", "signed.jpg")
    assert {name: message for name, (result, message) in results.items() if result == "failed"} == {}
    assert status == 0
    assert results["signatures are checked"][0] == "ok"


def test_a_stack_that_verifies_signatures_at_the_edge_is_healthy(tmp_path: Path) -> None:
    parameters = {"EnableSignature": "Yes", "VerifyAtEdge": "Yes"}
    with stack(tmp_path, parameters, ENABLE_SIGNATURE="Yes") as cdn:
        cdn.values = {"signing-keys": json.dumps([SECRETS["signature"]])}
        status, results, _ = doctor(cdn)
    assert {name: message for name, (result, message) in results.items() if result == "failed"} == {}
    assert status == 0
    assert results["signed URLs share a copy in the CDN"][0] == "ok"


def test_signed_urls_that_share_no_copy(tmp_path: Path) -> None:
    """The answers may be cached, but a CDN with the signature in its cache key never has one."""
    parameters = {"EnableSignature": "Yes", "VerifyAtEdge": "Yes"}
    with stack(tmp_path, parameters, ENABLE_SIGNATURE="Yes") as cdn:
        cdn.values = {"signing-keys": json.dumps([SECRETS["signature"]])}
        cdn.keeps_signatures = True
        status, results, _ = doctor(cdn, "--key", "retina.jpg")
    assert status == 1
    assert "X-Cache is Miss" in results["signed URLs share a copy in the CDN"][1]


def test_without_the_edge_function(tmp_path: Path) -> None:
    with stack(tmp_path) as cdn:
        cdn.edge_runs = False
        status, results, _ = doctor(cdn, "--key", "retina.jpg")
    assert status == 1
    assert results["long URLs are handled"][0] == "failed"
    assert "must be a 414 of the edge function" in results["long URLs are handled"][1]


def test_with_a_wrong_secret_at_the_origin(tmp_path: Path) -> None:
    with stack(tmp_path) as cdn:
        cdn.secret = "another"
        status, results, _ = doctor(cdn, "--key", "retina.jpg")
    assert status == 1
    assert "secret header" in results["the function can be reached"][1]
    assert "must be called through the CDN" in results["a thumbnail is served"][1]


def test_tags_that_reach_viewers_and_no_place_for_large_pictures(tmp_path: Path) -> None:
    with stack(tmp_path, RESULTS_BUCKET="") as cdn:
        cdn.removes_tags = False
        status, results, _ = doctor(cdn)
    assert status == 1
    assert "response headers policy" in results["a thumbnail is served"][1]
    assert "redirect" in results["images over 6 MB are served"][1]
    assert results["the API refuses direct requests"] == ("skipped", "no --api: pass the stack's output ApiEndpoint")


def test_a_purge_that_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_PURGE_SECONDS", 1)
    with stack(tmp_path, DISTRIBUTION_ID="") as cdn:
        target = Target(Service(cdn.url, SECRETS["operator"]), "retina.jpg")
        (failure,) = checks.CHECKS["a purge removes images from the CDN"](target)
    assert "do cache tags arrive at the CDN?" in failure


def test_what_it_needs_is_told(tmp_path: Path) -> None:
    with stack(tmp_path, ENABLE_SIGNATURE="Yes") as cdn:
        assert "--key" in doctor(cdn, token="")[2]
        assert "IMAGE_HANDLER_TOKEN" in doctor(cdn, "--key", "retina.jpg", token="")[2]
        cdn.origin = "127.0.0.1:9"
    status, _, told = doctor(cdn, "--key", "retina.jpg")
    assert (status, "does not answer" in told) == (1, True)
