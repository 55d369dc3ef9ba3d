"""Upscaling: what the network makes of images, and what is refused; with the real weights."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import pyvips
from bench.similarity import similarity
from PIL import Image
from tests import pictures
from tests.client import Answered, Client
from tests.steps import apply, picture, pixel
from tests.ultra_hdr import light_of, luminance, reduced, ultra_hdr
from tests.weights import PHOTOS, require_weights

from features import edits
from imaging import Context, Deadline, Output, Rendered, TimeExceeded, check, run
from imaging.models import upscaling

pytestmark = pytest.mark.models

CHANNELS = (3, 16, 32, 64, 128, 128, 256)


@pytest.fixture(scope="module")
def context() -> Context:
    return Context(weights=str(require_weights("upscale/waifu2x-photo.onnx")))


def settings_of(folder: Any) -> dict[str, str]:
    weights = require_weights("upscale/waifu2x-photo.onnx")
    return {"SOURCE_BUCKETS": f"p={folder.as_uri()}", "PUBLIC_FEATURES": "*", "WEIGHTS": str(weights)}


@pytest.fixture
def client(tmp_path: Any) -> Client:
    return Client(settings_of(tmp_path))


def opened(answer: Answered) -> Any:
    assert answer.status == 200, answer.body
    return pyvips.Image.new_from_buffer(answer.body, "")


def photo(name: str) -> Any:
    return pyvips.Image.new_from_file(str(PHOTOS / name)).colourspace("srgb")[:3].copy_memory()


def largest_difference(one: Any, other: Any) -> int:
    return int(np.abs(one.numpy().astype(int) - other.numpy()).max())


@pytest.mark.parametrize("name", ["cat.jpg", "rocket.jpg", "launch.webp"])
def test_it_is_nearer_to_the_photograph_than_lanczos(client: Client, tmp_path: Any, name: str) -> None:
    whole = photo(name)
    whole = whole.crop(0, 0, whole.width // 2 * 2, whole.height // 2 * 2)
    half = whole.resize(0.5).copy_memory()
    half.pngsave(str(tmp_path / "half.png"), keep="none")
    Image.fromarray(half.numpy()).resize((whole.width, whole.height), Image.Resampling.LANCZOS).save(
        plain := io.BytesIO(), "png"
    )
    answer = client.get("/half.png?upscale=true")
    assert similarity(answer.body, whole).y > similarity(plain.getvalue(), whole).y + 0.009
    assert abs(opened(answer) - whole).avg() < abs(pyvips.Image.new_from_buffer(plain.getvalue(), "") - whole).avg()


def test_its_levels_are_those_of_the_published_network(context: Context) -> None:
    """As numpy computes them from the published file: six convolutions, and a transposed one."""
    stored = (require_weights("waifu2x-photo.bin") / "waifu2x-photo.bin").read_bytes()
    layers, offset = [], 0
    for shape in [*((after, before, 3, 3) for before, after in pairwise(CHANNELS)), (3, 256, 4, 4)]:
        weights = np.frombuffer(stored, "<f2", int(np.prod(shape)), offset + 4).astype(float).reshape(shape)
        biases = np.frombuffer(stored, "<f4", shape[0], offset + 4 + 2 * weights.size)
        offset += 4 + 2 * weights.size + biases.nbytes
        layers.append((weights, biases[:, None, None]))
    assert offset == len(stored)
    image = photo("cat.jpg").crop(200, 100, 24, 20)
    levels = np.pad(image.numpy().astype(float) / 255, ((7, 7), (7, 7), (0, 0)), "edge").transpose(2, 0, 1)
    for weights, biases in layers[:-1]:
        windows = np.lib.stride_tricks.sliding_window_view(levels, (3, 3), axis=(1, 2))
        levels = np.einsum("oiab,ihwab->ohw", weights, windows, optimize=True) + biases
        levels = np.where(levels < 0, levels * 0.1, levels)
    rows, columns = 2 * levels.shape[1], 2 * levels.shape[2]
    spread = np.zeros((3, rows + 2, columns + 2))
    weights, biases = layers[-1]
    for row in range(4):
        for column in range(4):
            part = np.einsum("oi,ihw->ohw", weights[:, :, row, column], levels)
            spread[:, row : row + rows : 2, column : column + columns : 2] += part
    expected = (spread + biases)[:, 3:-3, 3:-3].transpose(1, 2, 0) * 256
    made = apply("upscale", picture(image), context=context).image.numpy()
    assert made.shape == expected.shape
    # A hard edge is kept from exceeding its surroundings, in few places.
    assert (np.abs(made - expected.clip(0, 255)) < 0.75).mean() > 0.97


def test_tiles_have_no_seams(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    image = photo("coffee.jpg").crop(100, 100, 150, 70)
    whole = apply("upscale", picture(image), context=context).image
    monkeypatch.setattr(upscaling, "_TILE", 32)
    assert largest_difference(whole, apply("upscale", picture(image), context=context).image) <= 1


@pytest.mark.parametrize("levels", [[255, 255, 255], [0, 0, 0], [13, 200, 77], [90], [200, 100, 50, 128], [90, 128]])
def test_a_plain_area_keeps_its_colour(context: Context, levels: list[int]) -> None:
    plain = (pyvips.Image.black(20, 10, bands=len(levels)) + levels).cast("uchar")
    plain = plain.copy(interpretation="srgb" if len(levels) > 2 else "b-w")
    made = apply("upscale", picture(plain), context=context)
    assert (made.width, made.height, made.image.interpretation) == (40, 20, plain.interpretation)
    assert pixel(made, 0, 0) == pixel(made, 21, 11) == levels


def test_hidden_colours_do_not_show_at_the_edges_of_transparency(context: Context) -> None:
    left = (pyvips.Image.black(20, 40, bands=4) + [255, 0, 0, 0]).cast("uchar")
    right = (pyvips.Image.black(20, 40, bands=4) + [0, 120, 0, 255]).cast("uchar")
    made = apply("upscale", picture(left.join(right, "horizontal").copy(interpretation="srgb")), context=context).image
    visible = (made[3] > 8).ifthenelse(made[0], 0)
    assert visible.numpy().max() <= 4
    assert pixel(made, 2, 40)[3] == 0
    assert pixel(made, -2, 40) == [0, 120, 0, 255]
    middle = [pixel(made, x, 40)[3] for x in range(34, 46)]
    assert middle == sorted(middle), "the edge has no rim"


def test_sixteen_bits_become_eight(client: Client, tmp_path: Any) -> None:
    (tmp_path / "small.png").write_bytes(pictures.png(photo("cat.jpg").crop(200, 100, 30, 20)))
    deep = opened(client.get('/small.png?steps=[{"toColourspace":"rgb16"},{"upscale":true}]&format=png'))
    plain = opened(client.get("/small.png?upscale=true&format=png"))
    assert (deep.width, deep.format) == (60, "uchar")
    assert largest_difference(deep, plain) <= 1


def test_a_crop_applies_before_it_and_a_resize_after_it(client: Client, tmp_path: Any) -> None:
    (tmp_path / "cat.jpg").write_bytes((PHOTOS / "cat.jpg").read_bytes())
    made = opened(client.get("/cat.jpg?width=90&upscale=true&crop.width=60&crop.height=40"))
    assert (made.width, made.height) == (90, 60)


def test_every_frame_of_an_animation_is_enlarged(client: Client, tmp_path: Any) -> None:
    (tmp_path / "moving.gif").write_bytes(pictures.gif(pictures.film(24, 16)))
    answer = client.get("/moving.gif?upscale=true&format=webp")
    made = pyvips.Image.new_from_buffer(answer.body, "", n=-1)
    frames = len(pictures.DELAYS)
    assert (made.width, made.get("page-height"), made.get("n-pages")) == (48, 32, frames)


@pytest.mark.parametrize(("width", "height", "frames"), [(1100, 1000, 1), (400, 300, 9)])
def test_more_pixels_are_refused(client: Client, tmp_path: Any, width: int, height: int, frames: int) -> None:
    film = pictures.film(width, height, (50,) * frames)
    body = pictures.webp(film, effort=0) if frames > 1 else pictures.png(film)
    (tmp_path / "large").write_bytes(body)
    answer = client.get("/large?upscale=true")
    each = f" in {frames} frames" if frames > 1 else ""
    assert answer.status == 413
    assert f"at most 1048576 pixels in all, got {width} x {height}{each}: crop or" in answer.json()["message"]


def test_the_plan_counts_a_second_run_for_an_alpha_channel(tmp_path: Any) -> None:
    image = pictures.scene(300, 280)
    (tmp_path / "opaque.png").write_bytes(pictures.png(image))
    (tmp_path / "clear.png").write_bytes(pictures.png(image.bandjoin(image[0])))
    client = Client({**settings_of(tmp_path), "WORK_BUDGET": "1"})
    assert client.get("/opaque.png?upscale=true").status == 200
    answer = client.get("/clear.png?upscale=true")
    assert answer.status == 413
    assert "with `upscale` this one would take about 1.3" in answer.json()["message"]


def test_a_gain_map_stays_with_the_enlarged_image(context: Context) -> None:
    body = ultra_hdr()
    hdr = check(Output, {"hdr": "keep", "quality": 95})
    outcome = run(body, edits({"upscale": {}, "flop": True}), hdr, context)
    assert isinstance(outcome, Rendered)
    assert outcome.gain_map == "kept"
    expected = light_of(body)[:, ::-1]
    height, width = expected.shape[:2]
    made = luminance(reduced(light_of(outcome.body), width, height))
    assert np.abs(made - luminance(expected)).mean() < 0.03 * luminance(expected).mean()


def test_it_stops_at_the_deadline(context: Context) -> None:
    image = pictures.scene(1000, 1000)
    late = Context(weights=context.weights, deadline=Deadline.after(0.2))
    with pytest.raises(TimeExceeded):
        apply("upscale", picture(image), context=late)


def test_it_needs_a_signature_and_weights(tmp_path: Any) -> None:
    (tmp_path / "cat.jpg").write_bytes(pictures.jpeg())
    source = {"SOURCE_BUCKETS": f"p={tmp_path.as_uri()}", "WEIGHTS": str(tmp_path)}
    answer = Client(source).get("/cat.jpg?upscale=true")
    assert answer.status == 403
    assert "PUBLIC_FEATURES" in answer.json()["message"]
    answer = Client({**source, "PUBLIC_FEATURES": "upscale"}).get("/cat.jpg?upscale=true")
    assert answer.status == 501
    assert "image-handler weights waifu2x-photo" in answer.json()["message"]


@pytest.mark.parametrize("query", ["upscale=3", "upscale.factor=2", "upscale=true&upscale=true"])
def test_other_factors_are_refused_by_name(client: Client, query: str) -> None:
    answer = client.get(f"/cat.jpg?{query}")
    assert answer.status == 400
    assert "upscale" in answer.json()["message"]
