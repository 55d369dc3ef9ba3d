"""An original of which nothing is asked leaves as it came, without its metadata; and what a run adds to the steps."""

from __future__ import annotations

import io
from typing import Any

import pytest
import pyvips
from PIL import Image as Pillow
from tests import odd_files, pictures

from features import edits
from imaging import (
    Context,
    DamagedSource,
    Deadline,
    InvalidParameter,
    Limits,
    Output,
    Rendered,
    TimeExceeded,
    check,
    run,
)

STRIPPED = [name for name in pictures.NAMES if name.startswith(("jpeg", "png", "webp", "gif", "avif", "svg"))]
ALL = frozenset({"avif", "webp"})


def answer(body: bytes, context: Context | None = None, **options: Any) -> Rendered:
    made = run(body, (), Output(**options), context or Context(accepts=ALL))
    assert isinstance(made, Rendered)
    return made


def pixels(body: bytes) -> bytes:
    if body[8:12] == b"avis":  # libvips opens its still image, but does not know the file
        return bytes(pyvips.Image.heifload_buffer(body).write_to_memory())
    return bytes(pyvips.Image.new_from_buffer(body, "").write_to_memory())


@pytest.mark.parametrize("options", [{}, {"format": "original"}, {"download": "cat.jpg"}])
@pytest.mark.parametrize("name", STRIPPED)
def test_nothing_asked_leaves_pixels_untouched(name: str, options: dict[str, Any]) -> None:
    sample = pictures.sample(name)
    made = answer(sample.body, **options)
    assert made.media_type == {"svg": "image/svg+xml"}.get(sample.format, f"image/{sample.format}")
    assert pixels(made.body) == pixels(sample.body)
    assert (made.width, made.height, made.frames) == (pictures.WIDTH, pictures.HEIGHT, sample.frames)
    assert not made.negotiated
    assert not any(mark in made.body for mark in pictures.GPS_MARKS)


@pytest.mark.parametrize(
    "options", [{"quality": 20}, {"metadata": "copyright"}, {"max_bytes": 1500}, {"progressive": True}]
)
def test_anything_asked_is_done(options: dict[str, Any]) -> None:
    original = pictures.sample("jpeg").body
    made = answer(original, **options)
    assert made.media_type == "image/jpeg"
    assert made.body != answer(original).body


def test_one_frame_of_an_animation_is_something_asked() -> None:
    film = pictures.sample("gif-animated").body
    assert answer(film).frames == answer(film, animated=True).frames == 3
    assert answer(film, animated=False).frames == answer(film, page=0).frames == 1
    still = pictures.sample("gif").body
    assert answer(still, animated=False).body == answer(still, page=0).body == answer(still).body


def test_a_page_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="page"):
        answer(pictures.sample("jpeg").body, page=1)


def test_steps_are_done_to_an_untouched_format() -> None:
    made = run(pictures.sample("jpeg").body, edits({"resize": {"width": 40}}), Output(), Context())
    assert isinstance(made, Rendered)
    assert (made.width, made.height) == (40, 30)


@pytest.mark.parametrize(
    "said",
    [{"resize": {}}, {"resize": {"width": 0, "height": None, "fit": "fill", "dpr": 2}}, {"rotate": 720}],
)
def test_a_step_that_asks_for_nothing_is_none(said: dict[str, object]) -> None:
    original = pictures.sample("jpeg").body
    made = run(original, edits(said), Output(), Context())
    assert isinstance(made, Rendered)
    assert made.body == answer(original).body


@pytest.mark.parametrize("accepts", [ALL, frozenset({"webp"}), frozenset[str]()])
@pytest.mark.parametrize("name", [name for name in STRIPPED if not name.startswith("svg")])
def test_auto_is_never_larger_than_the_original(name: str, accepts: frozenset[str]) -> None:
    sample = pictures.sample(name)
    made = answer(sample.body, Context(accepts=accepts), format="auto")
    kind = made.media_type.removeprefix("image/")
    assert kind in {"jpeg", "png", "gif", *accepts}
    if sample.format in {"jpeg", "png", "gif", *accepts}:
        assert len(made.body) <= len(sample.body)
    assert made.frames == sample.frames


def test_auto_keeps_a_jpeg_that_is_small_already() -> None:
    original = pictures.jpeg(Q=5, keep="none")
    made = answer(original, format="auto")
    assert made.media_type == "image/jpeg"
    assert pixels(made.body) == pixels(original)
    assert made.negotiated


@pytest.mark.parametrize("accepts", [frozenset({"webp"}), frozenset[str]()])
@pytest.mark.parametrize("name", ["jpeg", "png", "gif", "webp", "webp-animated"])
def test_auto_does_not_write_the_same_format_again(name: str, accepts: frozenset[str]) -> None:
    sample = pictures.sample(name)
    made = answer(sample.body, Context(accepts=accepts), format="auto")
    if made.media_type == f"image/{sample.format}":
        assert pixels(made.body) == pixels(sample.body)


@pytest.mark.parametrize("format_", [None, "auto", "original"])
@pytest.mark.parametrize("name", ["jpeg", "png", "gif-animated"])
def test_an_original_that_is_small_enough_is_left_as_it_is(name: str, format_: str | None) -> None:
    sample = pictures.sample(name)
    made = answer(sample.body, Context(), format=format_, max_bytes=len(sample.body))
    assert pixels(made.body) == pixels(answer(sample.body, Context(), format=format_).body)


def test_an_original_that_fits_stays_where_nothing_as_small_can_be_made() -> None:
    speckled = pictures.png((pyvips.Image.gaussnoise(128, 128, seed=1) > 128).copy(interpretation="b-w"), bitdepth=1)
    made = answer(speckled, format="auto", max_bytes=len(answer(speckled).body))
    assert made.media_type == "image/png"
    assert pixels(made.body) == pixels(speckled)


def recompressed(original: bytes, said: dict[str, object], **options: Any) -> Rendered:
    made = run(original, edits(said), check(Output, options), Context())
    assert isinstance(made, Rendered)
    return made


OWN_SIZE: list[dict[str, object]] = [
    {},
    {"resize": {"width": 160}},
    {"resize": {"width": 160, "height": 120}},
    {"resize": {"width": 400, "withoutEnlargement": True}},
    {"resize": {"width": 400, "height": 400, "fit": "inside", "withoutEnlargement": True}},
]


@pytest.mark.parametrize("said", OWN_SIZE)
@pytest.mark.parametrize(
    ("name", "options"),
    [("jpeg", {"quality": 100}), ("webp", {"quality": 90}), ("png", {"effort": 0})],
)
def test_a_recompression_is_never_larger(name: str, options: dict[str, Any], said: dict[str, object]) -> None:
    small = {"jpeg": pictures.jpeg(Q=20), "webp": pictures.webp(Q=20), "png": pictures.png(compression=9, filter="all")}
    untouched = recompressed(small[name], {})
    assert recompressed(small[name], said, **options).body == untouched.body
    large = (
        pictures.png(compression=0)
        if name == "png"
        else pictures.jpeg(Q=100)
        if "jpeg" in name
        else pictures.webp(Q=100)
    )
    options = {"effort": 5} if name == "png" else {"quality": 30}
    assert len(recompressed(large, said, **options).body) < len(recompressed(large, {}).body)
    assert untouched.media_type == f"image/{name.partition('-')[0]}"


def test_what_an_edit_brings_to_srgb_is_encoded_anew() -> None:
    own_size: dict[str, object] = {"resize": {"width": 160}}
    for original in (
        pictures.jpeg(pictures.wide(), icc=pictures.profile("p3"), Q=5),
        pictures.jpeg(Q=5, orientation=6),
        pictures.cmyk(icc=False),
        odd_files.FOLDER.joinpath("s-gama-18.png").read_bytes(),
    ):
        made = recompressed(original, own_size, quality=100)
        assert made.body != recompressed(original, {}).body
    srgb = pictures.jpeg(Q=5, icc=pictures.profile("srgb"))
    assert recompressed(srgb, own_size, quality=100).body == recompressed(srgb, {}).body


@pytest.mark.parametrize(
    ("said", "options"),
    [
        ({"resize": {"width": 159}}, {}),
        ({"resize": {"width": 160}, "blur": 2}, {}),
        ({"resize": {"width": 160}}, {"format": "png"}),
        ({"resize": {"width": 160}}, {"progressive": True}),
        ({"resize": {"width": 160}}, {"chromaSubsampling": "4:4:4"}),
        ({"resize": {"width": 160, "height": 160, "fit": "contain"}}, {}),
        ({"resize": {"width": 160}}, {"metadata": "keep"}),
    ],
)
def test_what_changes_more_than_bytes_is_done_whatever_its_size(
    said: dict[str, object], options: dict[str, object]
) -> None:
    original = pictures.jpeg(Q=5)
    made = recompressed(original, said, **{"quality": 100, **options})
    assert len(made.body) > len(recompressed(original, {}).body)


def test_auto_leaves_a_drawing_a_drawing() -> None:
    assert answer(pictures.svg(), format="auto").media_type == "image/svg+xml"


def test_auto_of_a_picture_too_large_to_write_again() -> None:
    context = Context(limits=Limits(result_pixels=1000, result_pixels_of={}), accepts=frozenset({"webp"}))
    made = answer(pictures.sample("jpeg").body, context, format="auto")
    assert made.media_type == "image/jpeg"


def test_a_container_that_cannot_be_tidied_is_drawn() -> None:
    original = pictures.png(keep="none")
    at = original.index(b"IDAT") - 4
    text = b"\x00\x00\x00\x0atEXtComment\x00me" + b"\xff\xff\xff\xff"  # a wrong checksum, where it does no harm
    assert answer(original[:at] + text + original[at:]).media_type == "image/png"


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "gif", "avif"])
def test_a_file_cut_off_is_damaged_unless_tolerated(name: str) -> None:
    cut = pictures.sample(name).body
    cut = cut[: len(cut) * 9 // 10]
    with pytest.raises(DamagedSource):
        answer(cut)
    if name in ("jpeg", "png", "gif"):
        shown = answer(cut, Context(limits=Limits(tolerate_truncated=True)))
        assert Pillow.open(io.BytesIO(shown.body)).size == (pictures.WIDTH, pictures.HEIGHT)


def test_a_deadline_that_has_passed() -> None:
    with pytest.raises(TimeExceeded):
        answer(pictures.sample("bmp").body, Context(deadline=Deadline.after(-1)))
