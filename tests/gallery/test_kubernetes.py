"""The gallery with the settings of deploy/kubernetes/gallery: PostgreSQL, and a store that sends no events."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests import pictures
from tests.gallery.visiting import SECRET, Browser, over_http
from tests.local_server import running
from tests.stand_ins.moto import REGION, Moto
from tests.stand_ins.postgres import Postgres
from tests.tools import require_tool
from tests.weights import ROOT

pytestmark = pytest.mark.slow

COMPONENT = ROOT / "deploy" / "kubernetes" / "gallery" / "settings.env"
MOUNTED = "/run/image-handler"
"""Where the pods have the secrets."""
PNG = pictures.png(pictures.scene(60, 40))


def environment(folder: Path, moto: Moto, postgres: Postgres, bucket: str) -> dict[str, str]:
    """Return what the pods get: the settings of the component and of the guide, and the secrets in a folder."""
    (folder / "signature").write_text(SECRET)
    (folder / "records").write_text(postgres.create_database())
    lines = COMPONENT.read_text("utf-8").splitlines()
    settings = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    results = moto.bucket()
    return {
        **{name: value.replace(MOUNTED, str(folder)) for name, value in settings.items()},
        "SOURCE_BUCKETS": f"gallery=s3://{bucket}?endpoint={moto.url}",
        "RESULTS_BUCKET": f"results=s3://{results}?endpoint={moto.url}",
        "STORE_RESULTS": "Yes",
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "images",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "HOME": os.environ.get("HOME", "/tmp"),
    }


def test_two_pods_take_process_and_delete_pictures(tmp_path: Path, moto: Moto, postgres: Postgres) -> None:
    bucket = moto.bucket()
    settings = environment(tmp_path, moto, postgres, bucket)
    command = [require_tool("image-handler", "make setup"), "serve", "--port", "0", "--workers", "2"]
    with ExitStack() as pods:
        first, second = (pods.enter_context(running(*command, environment=settings)) for _ in range(2))
        for pod in (first, second):
            answer = pod.ask("/_ready")
            assert (answer.status, json.loads(answer.body)) == (200, {"status": "ready"})
        browser = Browser(over_http(first))
        assert browser.ask("GET", "/session").json()["uploads"] == "server"
        picture = browser.keep(PNG)
        elsewhere = Browser(over_http(second), cookie=browser.cookie)
        (same,) = elsewhere.pictures()
        assert (same["id"], same["status"]) == (picture["id"], "ready")
        result = elsewhere.post(f"/pictures/{picture['id']}/results", recipe="smaller").json()
        assert elsewhere.fetch(result["url"]).status == 200
        assert "Contents" in moto.s3.list_objects_v2(Bucket=bucket)
        assert elsewhere.ask("DELETE", f"/pictures/{picture['id']}").status == 204
        assert browser.pictures() == []
        assert "Contents" not in moto.s3.list_objects_v2(Bucket=bucket)
