"""The mask of an original is stored, so that a model runs once for all of its variants."""

from __future__ import annotations

import base64
import json
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from tests import similarity
from tests.client import Client
from tests.weights import PHOTOS, require_weights

from imaging.models.inference import InterruptibleSession

pytestmark = pytest.mark.models

CUT = "?feature=removeBackground&format=png"
TOKEN = "op-token"


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An entry for each run of a model."""
    found: list[str] = []
    whole = InterruptibleSession.run

    def run(self: InterruptibleSession, outputs: Any, feed: Any) -> Any:
        found.append("run")
        return whole(self, outputs, feed)

    monkeypatch.setattr(InterruptibleSession, "run", run)
    return found


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    for name in ("sources", "results"):
        (tmp_path / name).mkdir()
    (tmp_path / "sources" / "cat.jpg").write_bytes((PHOTOS / "cat.jpg").read_bytes())
    (tmp_path / "sources" / "rocket.jpg").write_bytes((PHOTOS / "rocket.jpg").read_bytes())
    (tmp_path / "token").write_text(TOKEN)
    return {
        "SOURCE_BUCKETS": f"p=file://{tmp_path / 'sources'}",
        "RESULTS_BUCKET": f"results=file://{tmp_path / 'results'}",
        "PUBLIC_FEATURES": "*",
        "WEIGHTS": str(require_weights("optimised/u2net.onnx")),
        "OPERATOR_TOKEN_FILE": str(tmp_path / "token"),
        "LOG_LEVEL": "ERROR",
    }


def stored(environment: dict[str, str]) -> list[Path]:
    folder = Path(environment["RESULTS_BUCKET"].partition("file://")[2])
    return sorted(folder.glob("detections/*/mask-*.png"))


def render_anew(environment: dict[str, str]) -> bytes:
    """Return the answer of another process that has no stored result."""
    results = Path(environment["RESULTS_BUCKET"].partition("file://")[2])
    shutil.rmtree(results / "private")
    return Client(environment).get(f"/cat.jpg{CUT}").body


VARIANTS = (
    "&v=2",
    "&width=80",
    "&width=90&height=40&fit=cover",
    "&trim=true&v=3",
    "&background=ff0000",
    "&maskOnly=true",
    "&postProcess=true&flip=true",
    "&cutout=product",
    "&cutout.outline=2p&cutout.shadow=cast&cutout.backgroundBlur=3p",
    "&grayscale=true&page=0",
)


def test_every_variant_of_an_original_uses_one_run(environment: dict[str, str], runs: list[str]) -> None:
    client = Client(environment)
    first = client.get(f"/cat.jpg{CUT}")
    for options in VARIANTS:
        # The size in which the picture is decoded differs between them, and so does the format.
        for suffix in ("", "&format=webp"):
            made = client.get(f"/cat.jpg?feature=removeBackground{options}{suffix}")
            assert made.status == 200, (options, made.body)
    assert (first.status, runs, len(stored(environment))) == (200, ["run"], 1)


def test_another_process_uses_the_stored_mask_and_makes_the_same_picture(
    environment: dict[str, str], runs: list[str]
) -> None:
    first = Client(environment).get(f"/cat.jpg{CUT}")
    assert (render_anew(environment), runs) == (first.body, ["run"])


def test_the_stored_mask_is_a_small_lossless_png(environment: dict[str, str]) -> None:
    made = Client(environment).get(f"/cat.jpg{CUT}&maskOnly=true")
    (path,) = stored(environment)
    mask = pyvips.Image.new_from_file(str(path))
    assert (mask.width, mask.height, mask.bands, path.stat().st_size < 50_000) == (320, 320, 1, True)
    drawn = pyvips.Image.new_from_buffer(made.body, "")
    enlarged = mask.resize(drawn.width / 320, vscale=drawn.height / 320, kernel="cubic")
    assert similarity.mean_difference(drawn[0], enlarged) < 2


def test_what_the_model_sees_is_part_of_the_key(environment: dict[str, str], runs: list[str]) -> None:
    client = Client(environment)
    crop = "&crop.left=10&crop.top=10&crop.width=200&crop.height="
    for number, options in enumerate(("", f"{crop}200", f"{crop}201", "&trim.threshold=30", f"{crop}200&v=2"), 1):
        assert client.get(f"/cat.jpg{CUT}{options}").status == 200
        assert len(runs) == min(number, 4)
    require_weights("u2netp.onnx")
    assert client.get(f"/cat.jpg{CUT}&model=u2netp").status == 200
    assert len(runs) == 5
    assert client.get(f"/rocket.jpg{CUT}").status == 200
    assert len(stored(environment)) == len(runs)


def test_a_changed_original_gets_a_mask_of_its_own(
    environment: dict[str, str], runs: list[str], tmp_path: Path
) -> None:
    client = Client(environment)
    before = client.get(f"/cat.jpg{CUT}")
    (tmp_path / "sources" / "cat.jpg").write_bytes((PHOTOS / "rocket.jpg").read_bytes())
    after = client.get(f"/cat.jpg{CUT}")
    assert (len(runs), after.body == before.body) == (2, False)
    assert after.body == client.get(f"/rocket.jpg{CUT}").body


def test_a_purge_deletes_the_masks_of_the_original(environment: dict[str, str]) -> None:
    client = Client(environment)
    client.get(f"/cat.jpg{CUT}")
    client.get(f"/rocket.jpg{CUT}")
    assert len(stored(environment)) == 2
    body = json.dumps({"keys": ["cat.jpg"]}).encode()
    assert client.post("/_api/purge", body, authorization=f"Bearer {TOKEN}").status == 200
    assert len(stored(environment)) == 1


def test_requests_at_the_same_time_wait_for_one_run(environment: dict[str, str], runs: list[str]) -> None:
    client = Client(environment)
    answers: list[int] = []

    def get(number: int) -> None:
        answers.append(client.get(f"/cat.jpg{CUT}&width={50 + number}").status)

    threads = [threading.Thread(target=get, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (answers, runs) == ([200] * 4, ["run"])


def test_each_frame_has_a_mask_that_its_page_shares(
    environment: dict[str, str], runs: list[str], tmp_path: Path
) -> None:
    photos = [
        pyvips.Image.thumbnail(str(PHOTOS / name), 64, height=64, crop="centre") for name in ("cat.jpg", "rocket.jpg")
    ]
    joined = pyvips.Image.arrayjoin([photo.colourspace("srgb")[:3] for photo in photos], across=1).copy()
    joined.set_type(pyvips.GValue.gint_type, "page-height", 64)
    (tmp_path / "sources" / "two.gif").write_bytes(joined.gifsave_buffer())
    client = Client(environment)
    assert client.get("/two.gif?feature=removeBackground&format=webp").status == 200
    assert len(runs) == 2
    for options in ("&animated=false", "&page=0", "&page=1", "&width=20"):
        assert client.get(f"/two.gif{CUT}{options}").status == 200
    assert len(runs) == 2


def test_a_posted_image_leaves_nothing_in_the_store(environment: dict[str, str], runs: list[str]) -> None:
    client = Client(environment)
    image = base64.b64encode((PHOTOS / "cat.jpg").read_bytes()).decode()
    for options in ("", "&width=40"):
        address = f"/_api/transform{CUT}{options}"
        body = json.dumps({"image": image}).encode()
        made = client.post(address, body, content_type="application/json", authorization=f"Bearer {TOKEN}")
        assert made.status == 200
    assert (runs, stored(environment)) == (["run"], [])


def test_a_damaged_stored_mask_costs_another_run(environment: dict[str, str], runs: list[str]) -> None:
    first = Client(environment).get(f"/cat.jpg{CUT}")
    (path,) = stored(environment)
    for damage in (b"", b"\x89PNG", path.read_bytes()[:-200], b"GIF89a"):
        path.write_bytes(damage)
        assert render_anew(environment) == first.body
    assert len(runs) == 5


def test_without_a_store_a_server_keeps_masks_in_memory(
    environment: dict[str, str], runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from handler.detection import masks

    monkeypatch.setattr(masks, "_MAX_BYTES", 150_000)
    client = Client({**environment, "RESULTS_BUCKET": ""})
    for name, count in (("cat", 1), ("cat", 1), ("rocket", 2), ("rocket", 2), ("cat", 3)):
        assert client.get(f"/{name}.jpg{CUT}").status == 200
        assert len(runs) == count


def test_the_mask_is_kept_as_it_is() -> None:
    from handler.detection.masks import _decode, _encode

    mask = np.random.default_rng(0).integers(0, 256, (37, 53), np.uint8)
    assert np.array_equal(_decode(_encode(mask)), mask)
