"""An overlay that is an address of this service, with edits of its own."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import pictures
from tests.client import Answered, Client, size

from handler.auth.authenticate import Caller
from handler.core.errors import HandlerError
from handler.render.inputs import tag_of
from handler.requests.parse import parse_request
from handler.requests.policy import Policy
from imaging import InvalidParameter, ObjectRef

SECRET = "x" * 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "private").mkdir()
    (tmp_path / "cat.png").write_bytes(pictures.scene(120, 80).pngsave_buffer())
    logo = (pyvips.Image.black(40, 20, bands=3) + [200, 30, 10]).cast("uchar").copy(interpretation="srgb")
    (tmp_path / "logo.png").write_bytes(logo.pngsave_buffer())
    (tmp_path / "private" / "face.png").write_bytes(logo.pngsave_buffer())
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "secret").write_text(json.dumps({"key": SECRET}))
    return tmp_path


def client(folder: Path, **more: str) -> Client:
    return Client({"SOURCE_BUCKETS": f"pictures=file://{folder}", **more})


def with_overlay(address: str, more: str = "") -> str:
    return f"/cat.png?watermark.address={quote(address, safe='')}{more}"


def levels(answer: Answered) -> Any:
    assert answer.status == 200, answer.body
    return pyvips.Image.new_from_buffer(answer.body, "").colourspace("srgb")[:3].numpy()


def test_an_overlay_has_edits_of_its_own(folder: Path) -> None:
    served = client(folder)
    placed = "&watermark.left=10&watermark.top=5&format=png"
    composed = levels(served.get(with_overlay("/logo.png?width=16&rotate=90&negate=1", placed)))
    expected = levels(served.get("/cat.png?format=png")).copy()
    expected[5:21, 10:18] = [55, 225, 245]
    assert np.abs(composed.astype(int) - expected).max() <= 1


def test_its_transparency_is_kept(folder: Path) -> None:
    served = client(folder)
    composed = levels(served.get(with_overlay("/logo.png?roundCorners.radius=10", "&watermark.left=0&watermark.top=0")))
    plain = levels(served.get("/cat.png"))
    assert (composed[0, 0] == plain[0, 0]).all()
    assert (composed[10, 20] == [200, 30, 10]).all()


def test_addresses_are_nested_two_deep_and_no_further(folder: Path) -> None:
    served = client(folder)
    inner = "/logo.png?width=10"
    middle = f"/logo.png?watermark.address={quote(inner, safe='')}"
    assert served.get(with_overlay(middle)).status == 200
    deeper = served.get(with_overlay(f"/logo.png?watermark.address={quote(middle, safe='')}"))
    assert deeper.status == 400
    assert "nested at most 2 deep" in deeper.json()["message"]


def test_a_preset_that_names_itself_ends_at_the_depth(folder: Path) -> None:
    served = client(folder, PRESETS=json.dumps({"again": {"watermark": {"address": "/logo.png?preset=again"}}}))
    answer = served.get("/cat.png?preset=again")
    assert answer.status == 400
    assert "nested at most 2 deep" in answer.json()["message"]


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("logo.png", "`watermark.address` must be a path of this service"),
        ("https://example.com/logo.png", "`watermark.address` must be a path of this service"),
        ("/logo.png?blur=-1", "`watermark.address.blur.sigma` must be"),
        ("/logo.png?nonsense=1", "`watermark.address.nonsense` must be"),
        ("/logo.png?format=webp", "`watermark.address.format` must be left out"),
        ("/logo.png?expires=20991231T235959Z", "`watermark.address.expires` must be left out"),
        ("/logo.png?signature=00", "`watermark.address.signature` must be left out"),
        ("/logo.png?info=true", "`watermark.address.info` must be left out"),
        ("/logo.png?blur=%", "`watermark.address` must be an address that can be read"),
        ("/text.png?blur=2", "`watermark.address` must be the address of an image that can be read"),
        ("/logo.png?steps=[3]", "`watermark.address.steps[0]` must be"),
    ],
)
def test_a_bad_address_is_refused_by_name(folder: Path, address: str, named: str) -> None:
    answer = client(folder).get(with_overlay(address))
    assert answer.status == 400
    assert named in answer.json()["message"]


def test_an_overlay_has_a_key_or_an_address(folder: Path) -> None:
    served = client(folder)
    for more in ("watermark.key=logo.png", "watermark.bucket=pictures"):
        assert served.get(with_overlay("/logo.png", "&" + more)).status == 400
    assert "`watermark.key` must be given" in served.get("/cat.png?watermark.opacity=3").json()["message"]
    assert served.get(with_overlay("/none.png")).status == 404


def test_every_dialect_is_read(folder: Path) -> None:
    served = client(folder)
    edits = {"key": "logo.png", "edits": {"resize": {"width": 16}, "negate": True}}
    in_json = "/" + base64.urlsafe_b64encode(json.dumps(edits).encode()).decode()
    ours = levels(served.get(with_overlay("/logo.png?width=16&negate=true")))
    assert (levels(served.get(with_overlay(in_json))) == ours).all()
    assert (levels(served.get(with_overlay("/unsafe/16x0/logo.png?negate=1"))) == ours).all()


def test_the_etag_and_the_tags_are_those_of_all_objects(folder: Path) -> None:
    served = client(folder)
    first = served.get(with_overlay("/logo.png?width=16"))
    assert first.headers["ETag"] != served.get(with_overlay("/logo.png?width=17")).headers["ETag"]
    assert served.get(with_overlay("/logo.png?width=16")).headers["ETag"] == first.headers["ETag"]
    tags = first.headers["x-amz-meta-cache-tag"].split(",")
    assert {tag_of(ObjectRef("pictures", key)) for key in ("cat.png", "logo.png")} == set(tags)
    changed = (pyvips.Image.black(40, 20, bands=3) + 9).cast("uchar")
    (folder / "logo.png").write_bytes(changed.pngsave_buffer())
    assert served.get(with_overlay("/logo.png?width=16")).headers["ETag"] != first.headers["ETag"]


def test_what_is_closed_to_the_public_is_closed_in_an_overlay(folder: Path) -> None:
    answer = client(folder).get(with_overlay("/logo.png?removeBackground=true"))
    assert answer.status == 403
    assert "`removeBackground` is not open to all" in answer.json()["message"]
    policy = Policy()
    pairs = [("watermark.address", "/logo.png?removeBackground=true")]
    assert parse_request("/cat.png", pairs, policy, caller=Caller.OPERATOR).overlays


def test_a_private_source_is_private_in_an_overlay(folder: Path) -> None:
    (folder / "public").mkdir()
    (folder / "cat.png").rename(folder / "public" / "cat.png")
    served = Client(
        {
            "SOURCE_BUCKETS": f"pictures=file://{folder}/public,hidden=file://{folder}/private",
            "PRIVATE_SOURCES": "hidden",
            "SIGNATURE_SECRET_FILE": str(folder / "secret"),
            "SECRET_KEY": "key",
        }
    )
    answer = served.get(with_overlay("/face.png?bucket=hidden"))
    assert answer.status in (403, 404)
    assert served.get("/cat.png").status == 200


def test_the_budget_is_shared(folder: Path) -> None:
    large = pictures.scene(1200, 900).jpegsave_buffer()
    (folder / "large.jpg").write_bytes(large)
    served = client(folder, WORK_BUDGET="2")
    slow = "/large.jpg?median=9&gamma=2"
    assert served.get(slow).status == 200
    assert served.get(with_overlay(slow)).status == 200
    several = json.dumps([{"watermark": {"address": slow + f"&blur={n + 3}"}} for n in range(12)])
    refused = served.get(f"/cat.png?steps={quote(several)}")
    assert refused.status == 413
    steps = json.dumps([{"flip": True}] * 40)
    too_many = served.get(with_overlay(f"/logo.png?steps={quote(steps)}", f"&steps={quote(steps)}"))
    assert too_many.status == 413
    assert "with those of its overlays" in too_many.json()["message"]


def test_the_number_of_addresses_is_limited(folder: Path) -> None:
    marks = json.dumps([{"watermark": {"address": f"/logo.png?blur={n + 1}"}} for n in range(17)])
    answer = client(folder).get(f"/cat.png?steps={quote(marks)}")
    assert answer.status == 400
    assert "at most 16 addresses" in answer.json()["message"]


def test_it_is_placed_on_every_frame(folder: Path) -> None:
    (folder / "run.gif").write_bytes(pictures.gif(pictures.film()))
    address = quote("/logo.png?width=8&height=8&fit=fill", safe="")
    placed = f"watermark.address={address}&watermark.left=0&watermark.top=0"
    body = client(folder).get(f"/run.gif?{placed}&format=webp&lossless=true").body
    film: Any = pyvips.Image.new_from_buffer(body, "", n=-1)
    assert film.get("n-pages") > 1
    for number in range(film.get("n-pages")):
        assert np.abs(np.array(film(4, 4 + number * film.get("page-height"))[:3]) - [200, 30, 10]).max() <= 6


def test_the_operator_names_overlays_of_every_answer_by_key(folder: Path) -> None:
    with pytest.raises(Exception, match="ALWAYS must name overlays by their keys"):
        client(folder, ALWAYS=json.dumps({"watermark": {"address": "/logo.png"}}))


def test_translate_keeps_the_address(folder: Path) -> None:
    served = client(folder)
    url = quote(with_overlay("/logo.png?width=16"), safe="")
    made = served.get(f"/_api/translate?url={url}&to=json").json()
    assert made["unsaid"] == []
    assert levels(served.get(made["url"])).shape == (80, 120, 3)
    assert size(served.get(made["url"]).body) == (120, 80)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=50).map(lambda text: "/" + text) | st.text(max_size=50))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        request = parse_request("/cat.png", [("watermark.address", text)], Policy())
    except (InvalidParameter, HandlerError):
        return
    assert len(request.overlays) == 1


def test_the_same_overlay_in_the_paths_of_imagor_and_imgproxy(folder: Path) -> None:
    named = "&watermark.left=10&watermark.top=5&format=png"
    ours = levels(client(folder).get(with_overlay("/logo.png?width=16&height=8&negate=1", named)))
    imagor = client(folder, DIALECTS="imagor,query")
    path = "/unsafe/filters:image(/16x8/filters:rotate(180):rotate(180)/logo.png,10,5):format(png)/cat.png"
    theirs = levels(imagor.get(path))
    assert (theirs[6:12, 12:24] == [200, 30, 10]).all()
    assert (theirs[30:] == ours[30:]).all()
    imgproxy = client(folder, DIALECTS="imgproxy,query")
    address = base64.urlsafe_b64encode(b"/logo.png?width=16&height=8&negate=1").decode()
    answer = imgproxy.get(f"/unsafe/wmu:{address}/wm:1:nowe:10:5/plain/cat.png@png")
    assert np.abs(levels(answer).astype(int) - ours).max() <= 1
