"""Every kind of file comes out upright, in sRGB, 8 bits a band, and of the size that its header told."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest
import pyvips
from tests import pictures
from tests.similarity import mean_difference

from imaging import Context, Deadline, InvalidParameter, Limits, Output, TimeExceeded, TooLarge, check
from imaging.codecs.decode import decode, inspect, source_at_fault, uninterruptible_seconds
from imaging.picture import ImageHeader, Picture

Image = Any
"""A pyvips image; pyvips has no types of its own."""


def decoded(original: bytes, shrink: float = 1.0, limits: Limits | None = None, **said: object) -> Picture:
    """The picture of a file, for an output that `said` describes; WebP, which holds everything, if it does not say."""
    limits = limits or Limits()
    output = check(Output, {"format": "webp", **said})
    return decode(original, inspect(original, limits), output, Context(limits=limits), shrink)


def first_frame(picture: Picture) -> Image:
    return picture.image.copy_memory().crop(0, 0, picture.width, picture.height)


def likeness(picture: Picture) -> float:
    """Mean difference of the first frame's colours to the scene's."""
    frame = first_frame(picture)
    bands = 3 if frame.bands > 2 else 1
    return mean_difference(frame.extract_band(0, n=bands), pictures.scene() if bands == 3 else pictures.grey())


@pytest.mark.parametrize("name", pictures.NAMES)
def test_the_header_is_told_before_pixels(name: str) -> None:
    sample = pictures.sample(name)
    found = inspect(sample.body, Limits())
    assert found.format == sample.format
    assert found.size == len(sample.body)
    told = (found.frames, found.alpha, found.bands, found.bits, found.orientation, found.profile)
    assert told == (sample.frames, sample.alpha, sample.bands, sample.bits, sample.orientation, sample.profile)
    assert found.upright == ((64, 64) if sample.format == "ico" else (pictures.WIDTH, pictures.HEIGHT))


@pytest.mark.parametrize("name", pictures.NAMES)
def test_every_kind_comes_out_in_srgb_of_eight_bits(name: str) -> None:
    sample = pictures.sample(name)
    picture = decoded(sample.body)
    image = picture.image
    assert (picture.width, picture.height) == picture.source.upright
    assert image.format == "uchar"
    assert image.interpretation == ("b-w" if image.bands < 3 else "srgb")
    assert picture.has_alpha == sample.alpha
    assert image.bands == (1 if "grey" in name or "1-bit" in name else 3) + sample.alpha
    assert not image.get_typeof("icc-profile-data")
    if sample.format not in ("ico", "svg"):
        assert likeness(picture) <= sample.tolerance


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    "make", [pictures.jpeg, pictures.png, pictures.webp, pictures.avif, pictures.tiff, pictures.heic]
)
def test_every_orientation_comes_out_upright(make: Any, orientation: int) -> None:
    picture = decoded(make(orientation=orientation))
    assert (picture.width, picture.height) == (pictures.WIDTH, pictures.HEIGHT)
    assert likeness(picture) < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright_when_shrunk(orientation: int) -> None:
    whole = pictures.scene(640, 480)
    picture = decoded(pictures.jpeg(whole, orientation=orientation), 4.0)
    assert (picture.width, picture.height, picture.full) == (320, 240, (640, 480))
    assert mean_difference(first_frame(picture), whole.resize(0.5)) < 3


@pytest.mark.parametrize("name", ["gif-animated", "webp-animated", "avif-animated", "apng"])
@pytest.mark.parametrize(
    ("said", "frames"),
    [
        ({"format": "webp"}, 3),
        ({"format": "gif"}, 3),
        ({"format": None}, 3),
        ({"format": "auto"}, 3),
        ({"format": "webp", "animated": True}, 3),
        ({"format": "webp", "animated": False}, 1),
        ({"format": "webp", "page": 1}, 1),
        ({"format": "jpeg"}, 1),
        ({"format": "avif"}, 3),
        ({"format": "apng"}, 3),
        ({"format": "png"}, 1),
    ],
)
def test_frames_are_kept_where_the_output_holds_them(name: str, said: dict[str, Any], frames: int) -> None:
    picture = decoded(pictures.sample(name).body, **said)
    assert picture.frames == frames
    assert picture.delays == (pictures.DELAYS if frames > 1 else ())
    assert picture.loop == (2 if frames > 1 else 0)
    assert picture.image.height == frames * pictures.HEIGHT


@pytest.mark.parametrize("name", ["gif-animated", "webp-animated", "tiff-pages"])
def test_a_page_is_one_of_the_frames(name: str) -> None:
    body = pictures.sample(name).body
    last = decoded(body, page=2)
    assert mean_difference(first_frame(last).extract_band(0, n=3), pictures.scene(turn=240)) < 12
    with pytest.raises(InvalidParameter, match="`page` must be 0 to 2, got 3"):
        decoded(body, page=3)


def test_an_icon_gives_its_largest_picture_or_the_one_asked_for() -> None:
    body = pictures.ico((16, 64, 32))
    assert [decoded(body, page=page).width for page in (None, 0, 1, 2)] == [64, 16, 64, 32]
    with pytest.raises(InvalidParameter):
        decoded(body, page=3)


def test_an_icon_of_bitmaps_keeps_its_transparency() -> None:
    out = io.BytesIO()
    scene = pictures.scene_with_alpha(64, 64)
    pictures.pillow(scene).save(out, "ICO", sizes=[(64, 64), (16, 16)], bitmap_format="bmp")
    picture = decoded(out.getvalue())
    assert mean_difference(first_frame(picture), scene) == 0


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_bitmaps_of_every_depth(mode: str) -> None:
    out = io.BytesIO()
    pictures.pillow(pictures.scene()).convert(mode).save(out, "BMP")
    assert likeness(decoded(out.getvalue())) < (130 if mode == "1" else 20)


def test_the_second_of_several_heic_pictures() -> None:
    import pillow_heif

    out = io.BytesIO()
    two = pillow_heif.from_pillow(pictures.pillow(pictures.scene()))
    two.add_from_pillow(pictures.pillow(pictures.scene(turn=120)))
    two.save(out, quality=90, primary_index=0)
    assert inspect(out.getvalue(), Limits()).frames == 2
    second = decoded(out.getvalue(), page=1)
    assert mean_difference(first_frame(second), pictures.scene(turn=120)) < 6


@pytest.mark.parametrize(
    ("shrink", "to_jpeg", "to_webp"),
    [(1.0, 1, 1), (1.9, 1, 1), (2.5, 1, 1), (3.5, 2, 1), (4.5, 2, 2), (7.0, 4, 2), (9.5, 8, 4), (20.0, 8, 8)],
)
def test_a_jpeg_shrinks_on_load_and_leaves_enough_for_the_resize(shrink: float, to_jpeg: int, to_webp: int) -> None:
    body = pictures.jpeg(pictures.scene(1600, 1200))
    picture = decoded(body, shrink, format="jpeg")
    assert picture.width == 1600 // to_jpeg
    assert decoded(body, shrink).width == 1600 // to_webp
    assert picture.full == (1600, 1200)
    assert picture.shrunk_from == (None if picture.width == 1600 else (1600, 1200))


def test_a_webp_shrinks_on_load_but_not_an_animation() -> None:
    still = decoded(pictures.webp(pictures.scene(800, 600)), 8.0)
    assert (still.width, still.height, still.full) == (100, 75, (800, 600))
    assert decoded(pictures.sample("webp-animated").body, 8.0).width == pictures.WIDTH


def test_pixels_outlive_the_bytes_they_come_from() -> None:
    image = decoded(bytes(bytearray(pictures.png(pictures.scene(400, 300))))).image
    assert mean_difference(image, pictures.scene(400, 300)) == 0


def test_limits_refuse_from_the_header() -> None:
    body = pictures.sample("jpeg").body
    with pytest.raises(TooLarge, match=f"at most 1000 bytes, got {len(body)}"):
        inspect(body, Limits(source_bytes=1000))
    with pytest.raises(TooLarge, match="at most 19000 pixels, got 160 × 120 = 19200"):
        inspect(body, Limits(source_pixels=19_000))


def test_limits_of_animations_count_the_frames_that_are_loaded() -> None:
    body = pictures.sample("gif-animated").body
    with pytest.raises(TooLarge, match="at most 2 frames, got 3"):
        decoded(body, limits=Limits(frames=2))
    with pytest.raises(TooLarge, match="at most 50000 pixels together, got 57600"):
        decoded(body, limits=Limits(animation_pixels=50_000))
    assert decoded(body, limits=Limits(frames=2, animation_pixels=50_000), format="jpeg").frames == 1


def test_memory_is_refused_before_pixels() -> None:
    body = pictures.png(pictures.scene(2000, 1500), interlace=True)
    with pytest.raises(TooLarge, match=r"at most 20 MB of memory, got about \d+ MB"):
        decoded(body, limits=Limits(memory=20_000_000))
    assert decoded(body, limits=Limits(memory=60_000_000)).room < 60_000_000


def test_pixels_that_do_not_fit_are_not_held() -> None:
    body = pictures.png(pictures.scene(2000, 1500))
    needed = 1_000_000_000 - decoded(body, limits=Limits(memory=1_000_000_000)).room
    tight = decoded(body, limits=Limits(memory=int(needed) + 8_000_000))
    with pytest.raises(TooLarge, match="must fit into 8 MB of memory, got 9 MB"):
        tight.materialized()
    held = decoded(body).materialized()
    assert held.materialized() is held


def test_a_passed_deadline_is_told_as_such() -> None:
    body = pictures.sample("png").body
    passed = Context(deadline=Deadline.after(-1))
    source = inspect(body, passed.limits)
    picture = decode(body, source, Output(), passed)
    picture.image.set_kill(True)
    with pytest.raises(TimeExceeded), source_at_fault(body, source, Output(), passed):
        picture.image.avg()


def test_a_fault_of_ours_is_not_the_sources() -> None:
    body = pictures.sample("png").body
    source = inspect(body, Limits())
    with pytest.raises(pyvips.Error), source_at_fault(body, source, Output(), Context()):
        pyvips.Image.black(10, 10).crop(5, 5, 10, 10)


def test_what_cannot_be_stopped_is_estimated() -> None:
    def seconds(body: bytes) -> float:
        return uninterruptible_seconds(inspect(body, Limits()))

    large = pictures.scene(1000, 1000)
    assert seconds(pictures.jpeg(large)) == seconds(pictures.png(large)) == 0
    for stubborn in (pictures.jpeg(large, interlace=True), pictures.png(large, interlace=True), pictures.webp(large)):
        assert 0.05 <= seconds(stubborn) <= 0.2
    assert 0.2 <= seconds(pictures.avif(large)) <= 0.5
    # Decoded where they can be killed, whatever they take.
    assert seconds(pictures.svg()) == seconds(pictures.heic(large)) == 0


def test_no_decoder_minds_being_used_from_many_threads() -> None:
    bodies = [pictures.sample(name).body for name in ("jpeg", "png", "webp", "gif", "avif", "tiff", "svg", "bmp")]
    found: list[list[float]] = []

    def work() -> None:
        found.append([decoded(body).image.avg() for body in bodies])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [found[0]] * 4


def test_upright_swaps_the_sides_of_a_lying_picture() -> None:
    assert ImageHeader("jpeg", 30, 20, 1, orientation=6).upright == (20, 30)
    assert ImageHeader("jpeg", 30, 20, 1, orientation=4).upright == (30, 20)
