"""CACHE_MB: several sizes of one original are drawn from pixels that stay in memory."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import pyvips
from tests import pictures
from tests.client import Client
from tests.generated import GENERATED, with_label
from tests.local_server import SAMPLES, serving

from handler.config import Settings, SettingsError
from imaging.pipeline import pixel_cache
from imaging.pipeline.apply import decode_original

MAX_DIFFERENCE = 2.0
"""Of 255, on average; `pixel_cache` states it."""
WIDTHS = (800, 90, 200, 400, 130, 640)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("originals")
    photo = pyvips.Image.new_from_file(str(SAMPLES / "photos" / "cat.jpg")).thumbnail_image(2400, size="both")
    photo.jpegsave(str(folder / "a.jpg"), Q=92)
    photo.thumbnail_image(1200).pngsave(str(folder / "b.png"))
    photo.thumbnail_image(1200).webpsave(str(folder / "c.webp"), Q=90)
    (folder / "generated.jpg").write_bytes(with_label((folder / "a.jpg").read_bytes()))
    (folder / "moving.gif").write_bytes(pictures.gif(pictures.film()))
    (folder / "damaged.jpg").write_bytes((folder / "a.jpg").read_bytes()[:-2000])
    return folder


def client(folder: Path, megabytes: int = 200, **more: str) -> Client:
    return Client({"SOURCE_BUCKETS": f"p=file://{folder}", "CACHE_MB": str(megabytes), **more})


def cache_of(client: Client) -> pixel_cache.PixelCache:
    cache = client.application.http.render_context.pixels
    assert cache is not None
    return cache


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The factor by which the decoder may reduce, for each decoding for the cache."""
    factors: list[float] = []

    def counted(*arguments: Any) -> Any:
        factors.append(arguments[4])
        return decode_original(*arguments)

    monkeypatch.setattr("imaging.pipeline.pixel_cache.decode_original", counted)
    return factors


def difference(first: bytes, second: bytes) -> float:
    a, b = (pyvips.Image.new_from_buffer(each, "") for each in (first, second))
    assert (a.width, a.height, a.bands) == (b.width, b.height, b.bands)
    return float((a.cast("float") - b.cast("float")).abs().avg())


@pytest.mark.parametrize("name", ["a.jpg", "b.png", "c.webp"])
@pytest.mark.parametrize("order", [sorted, lambda widths: sorted(widths, reverse=True), list])
def test_sizes_of_one_original_are_drawn_from_two_decodings_at_most(
    originals: Path, decodings: list[float], name: str, order: Callable[[tuple[int, ...]], list[int]]
) -> None:
    caching, plain = client(originals), Client({"SOURCE_BUCKETS": f"p=file://{originals}"})
    for width in order(WIDTHS):
        address = f"/{name}?width={width}&format=png"
        drawn, expected = caching.get(address), plain.get(address)
        assert drawn.status == 200
        assert difference(drawn.body, expected.body) <= MAX_DIFFERENCE
    assert len(decodings) <= (1 if name == "b.png" or order(WIDTHS)[0] == max(WIDTHS) else 2)


def test_a_result_from_pixels_of_its_own_size_is_the_same_to_the_byte(originals: Path) -> None:
    caching, plain = client(originals), Client({"SOURCE_BUCKETS": f"p=file://{originals}"})
    for name in ("a.jpg", "b.png", "c.webp", "damaged.jpg"):
        address = f"/{name}?width=300&format=webp"
        results = {caching.get(address).body, caching.get(address).body, plain.get(address).body}
        assert len(results) == 1
    assert cache_of(caching).totals()["hits"] >= 3


def test_a_size_is_never_drawn_from_fewer_pixels_than_it_needs(originals: Path, decodings: list[float]) -> None:
    caching = client(originals)
    for width in (60, 1800):
        assert caching.get(f"/a.jpg?width={width}&format=png").status == 200
    # The second one needs more, so everything is decoded, once for all sizes.
    assert decodings[0] > 8
    assert decodings[1:] == [1.0]
    assert caching.get("/a.jpg?width=2300&format=png").status == 200
    assert len(decodings) == 2


@pytest.mark.parametrize(
    "address",
    [
        "/a.jpg",  # the file as it is
        "/moving.gif?width=20&format=webp",  # frames
        "/a.jpg?feature=info&width=20",
        "/a.jpg?width=20&format=jpeg&metadata=keep",
        "/generated.jpg?width=20",  # its label
    ],
)
def test_what_needs_more_than_pixels_is_answered_as_without_a_cache(originals: Path, address: str) -> None:
    caching, plain = client(originals), Client({"SOURCE_BUCKETS": f"p=file://{originals}"})
    body = plain.get(address).body
    assert caching.get(address).body == body == caching.get(address).body
    assert (GENERATED in body) == ("generated" in address)
    assert cache_of(caching).totals()["hits"] == 0
    assert cache_of(caching).totals()["bytes"] == 0


def test_the_cache_holds_no_more_than_its_size_and_lets_go_of_what_was_used_first(tmp_path: Path) -> None:
    for number in range(6):
        noise = pyvips.Image.gaussnoise(600, 500, seed=number).cast("uchar")
        noise.bandjoin(noise).bandjoin(noise).copy(interpretation="srgb").pngsave(str(tmp_path / f"{number}.png"))
    caching = client(tmp_path, 4)  # four of them
    for number in (0, 1, 2, 3, 0, 4, 5):
        assert caching.get(f"/{number}.png?width=50&format=png").status == 200
    totals = cache_of(caching).totals()
    assert totals == {"hits": 1, "misses": 6, "evicted": 2, "bytes": 4 * 600 * 500 * 3}
    assert caching.get("/0.png?width=60&format=png").status == 200
    assert cache_of(caching).totals()["hits"] == 2


def test_a_replaced_original_is_decoded_again(tmp_path: Path) -> None:
    caching = client(tmp_path)
    for shade in (10, 200):
        pyvips.Image.black(300 + shade, 300).invert().linear([0], [shade]).cast("uchar").pngsave(
            str(tmp_path / "a.png")
        )
        body = caching.get("/a.png?width=50&format=png").body
        assert pyvips.Image.new_from_buffer(body, "").avg() == pytest.approx(shade, abs=1)


def test_a_purge_removes_the_pixels_and_a_deleted_original_is_not_found(tmp_path: Path) -> None:
    pyvips.Image.black(300, 300).pngsave(str(tmp_path / "a.png"))
    operator = Client(
        {"SOURCE_BUCKETS": f"p=file://{tmp_path}", "CACHE_MB": "50"}, operator_open=True, public_features=("*",)
    )
    assert operator.get("/a.png?width=50&format=png").status == 200
    assert operator.post("/_api/purge", json.dumps({"keys": ["a.png"]}).encode()).status == 200
    assert cache_of(operator).totals()["bytes"] == 0
    assert operator.get("/a.png?width=50&format=png").status == 200
    (tmp_path / "a.png").unlink()
    assert operator.get("/a.png?width=50&format=png").status == 404


def test_threads_share_the_cache(originals: Path) -> None:
    caching = client(originals, 20)
    random_ = random.Random(7)
    addresses = [
        f"/{random_.choice(['a.jpg', 'b.png', 'c.webp'])}?width={random_.choice(WIDTHS)}&format=jpeg" for _ in range(60)
    ]
    barrier = threading.Barrier(4)

    def ask(part: list[str]) -> list[int]:
        barrier.wait()
        return [caching.get(address).status for address in part]

    with ThreadPoolExecutor(4) as pool:
        statuses = [status for part in pool.map(ask, [addresses[number::4] for number in range(4)]) for status in part]
    assert statuses == [200] * 60
    totals = cache_of(caching).totals()
    assert totals["bytes"] <= 20_000_000
    assert totals["hits"] + totals["misses"] == 60


def test_the_cache_is_refused_in_lambda() -> None:
    with pytest.raises(SettingsError, match="CACHE_MB must be 0 in Lambda, got 5"):
        Settings.from_environment({"CACHE_MB": "5", "AWS_LAMBDA_FUNCTION_NAME": "f"})


def test_a_server_counts_hits_and_misses() -> None:
    with serving(SAMPLES, "--workers", "1", CACHE_MB="100") as server:
        for width in (100, 90, 80):
            assert server.ask(f"/photos/cat.jpg?width={width}&format=webp").status == 200
        assert server.metric('image_handler_pixels{what="misses"}') == 1
        assert server.metric('image_handler_pixels{what="hits"}') == 2
        assert server.metric('image_handler_pixels{what="bytes"}') > 0
