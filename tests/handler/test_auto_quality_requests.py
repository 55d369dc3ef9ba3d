"""Who may ask for `quality=auto` and `format=best`, and how their answers are cached: through the entry point."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pyvips
from tests import pictures
from tests.client import Client

from handler.config import SettingsError
from handler.requests.dialects.imgproxy.interpret import parse_preset
from imaging import describe

PUBLIC = {"PUBLIC_FEATURES": "autoQuality"}
AUTO = "/cat.jpg?width=60&format=jpeg&quality=auto"
KNOWN = ("format", "quality", "qualityTarget", "qualityMin", "qualityMax", "maxBytes")
BEST = "/cat.jpg?width=60&format=best"


def noisy() -> bytes:
    """Return a picture whose bytes depend on the quality in steps."""
    noise: Any = pyvips.Image.gaussnoise(160, 120, sigma=12, mean=0, seed=3)
    image: Any = (pictures.scene(160, 120) + noise).cast("uchar").copy(interpretation="srgb")
    return bytes(image.jpegsave_buffer(Q=95))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "photos").mkdir()
    (tmp_path / "results").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(noisy())
    return {"SOURCE_BUCKETS": f"p=file://{tmp_path}/photos"}


@pytest.mark.parametrize("address", [AUTO, BEST])
def test_it_is_closed_to_the_public(environment: dict[str, str], address: str) -> None:
    refused = Client(environment).get(address)
    assert refused.status == 403
    assert "`autoQuality`" in refused.json()["message"]
    for setting in ("autoQuality", "*"):
        assert Client(environment | {"PUBLIC_FEATURES": setting}).get(address).status == 200


@pytest.mark.parametrize("preset", ["width=60&format=jpeg&quality=auto", "w:60/f:jpeg/aq:dssim"])
def test_a_preset_of_the_operator_may_use_it(environment: dict[str, str], preset: str) -> None:
    client = Client(environment | {"PRESETS": f'{{"small": "{preset}"}}', "DIALECTS": "imgproxy,query"})
    assert client.get("/cat.jpg?preset=small").status == 200


def test_the_target_is_a_setting_that_a_request_overrides(environment: dict[str, str]) -> None:
    low = Client(environment | PUBLIC | {"AUTO_QUALITY_TARGET": "jpeg:20"}).get(AUTO)
    usual = Client(environment | PUBLIC).get(AUTO)
    high = Client(environment | PUBLIC | {"AUTO_QUALITY_TARGET": "20"}).get(AUTO + "&qualityTarget=90")
    assert len(low.body) < len(usual.body) < len(high.body)
    assert len({low.headers["ETag"], usual.headers["ETag"], high.headers["ETag"]}) == 3


@pytest.mark.parametrize("target", ["0", "good", "jxl:70"])
def test_a_wrong_target_is_reported_at_the_start(environment: dict[str, str], target: str) -> None:
    with pytest.raises((SettingsError, ValueError), match="qualityTarget"):
        Client(environment | {"AUTO_QUALITY_TARGET": target})


def test_the_best_format_varies_by_what_the_client_accepts(environment: dict[str, str]) -> None:
    client = Client(environment | PUBLIC)
    modern = client.get(BEST, Accept="image/avif,image/webp")
    old = client.get(BEST, Accept="image/*")
    assert (modern.headers["Vary"], old.headers["Vary"]) == ("Accept", "Accept")
    assert modern.headers["ETag"] != old.headers["ETag"]
    assert old.headers["Content-Type"] in ("image/jpeg", "image/png")
    assert len(modern.body) <= len(old.body)
    again = client.get(BEST, Accept="image/*", If_None_Match=old.headers["ETag"])
    assert (again.status, again.headers["Vary"]) == (304, "Accept")


def test_a_public_result_is_stored_and_found_again(environment: dict[str, str], tmp_path: Path) -> None:
    client = Client(environment | PUBLIC | {"RESULTS_BUCKET": f"results=file://{tmp_path}/results"})
    first = client.get(AUTO)
    stored = [path for path in (tmp_path / "results").rglob("*") if path.is_file() and path.read_bytes() == first.body]
    assert len(stored) == 1
    assert client.get(AUTO).body == first.body


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("aq:none", {}),
        ("q:70/aq:dssim", {"quality": "auto"}),
        ("aq:dssim:0.02:60:85:0.001", {"quality": "auto", "qualityMin": 60, "qualityMax": 85, "qualityTarget": "71"}),
        ("aq:ml:0.02", {"quality": "auto", "qualityTarget": "71"}),
        ("aq:size:20000:40:85", {"maxBytes": 20_000, "qualityMin": 40, "quality": 85}),
        ("aq:dssim/aq:none", {}),
        ("f:best", {"format": "best"}),
    ],
)
def test_the_words_of_imgproxy(options: str, expected: dict[str, Any]) -> None:
    output = describe(parse_preset(options, "preset").output)
    assert {name: output[name] for name in output if name in KNOWN} == expected


@pytest.mark.parametrize(
    "option", ["aq:", "aq:butteraugli", "aq:size", "aq:dssim:0", "aq:dssim:0.02:0", "aq:dssim:1:2:3:4:5"]
)
def test_wrong_words_of_imgproxy(environment: dict[str, str], option: str) -> None:
    client = Client(environment | PUBLIC | {"DIALECTS": "imgproxy"})
    refused = client.get(f"/unsafe/{option}/plain/p://cat.jpg")
    assert refused.status == 404
    assert "`aq`" in refused.json()["message"]


def test_the_lowest_quality_bounds_max_bytes(environment: dict[str, str]) -> None:
    client = Client(environment)
    bounded = client.get("/cat.jpg?width=60&format=jpeg&maxBytes=200&qualityMin=60")
    assert bounded.body == client.get("/cat.jpg?width=60&format=jpeg&quality=60").body
    assert pyvips.Image.new_from_buffer(bounded.body, "").width == 60
