"""Every input in every output format, and each option of the output, read back by another reader."""

from __future__ import annotations

import io
from typing import Any

import pytest
import pyvips
from PIL import Image as Pillow
from PIL import ImageOps
from tests import pictures
from tests.similarity import mean_difference
from tests.tools import case

from imaging import Context, InvalidParameter, Limits, Output, Rendered, TooLarge, check, run
from imaging.codecs.cost import limit_effort
from imaging.picture import ImageHeader, Picture

FORMATS = ("jpeg", "png", "webp", "avif", "gif", "tiff")
ALL = frozenset({"avif", "webp"})


def answer(original: bytes, *, limits: Limits | None = None, accepts: frozenset[str] = ALL, **options: Any) -> Rendered:
    output = check(Output, {name: value for name, value in options.items() if value is not None})
    made = run(original, (), output, Context(limits=limits or Limits(), accepts=accepts))
    assert isinstance(made, Rendered)
    return made


def read(body: bytes) -> Any:
    image = Pillow.open(io.BytesIO(body))
    image.load()
    return image


def pixels(body: bytes) -> Any:
    if body[8:12] == b"avis":  # libvips opens its still image, but does not know the file
        return pyvips.Image.heifload_buffer(body)
    image: Any = pyvips.Image.new_from_buffer(body, "").autorot()
    image = image.flatten(background=255) if image.hasalpha() else image
    return image.colourspace("srgb")


def shown() -> bytes:
    """A photograph-like original whose container cannot be stripped, so that it is always drawn."""
    return pictures.sample("bmp").body


@pytest.mark.parametrize("chosen", FORMATS)
@pytest.mark.parametrize("name", pictures.NAMES)
def test_every_input_in_every_format(name: str, chosen: str) -> None:
    sample = pictures.sample(name)
    made = answer(sample.body, format=chosen)
    image = read(made.body)
    assert made.media_type == f"image/{chosen}"
    assert image.format == chosen.upper()
    assert ImageOps.exif_transpose(image).size == (made.width, made.height)
    is_film = name.endswith("animated") or name == "apng"
    frames = sample.frames if chosen in ("gif", "webp", "avif") and is_film else 1
    assert (getattr(image, "n_frames", 1), made.frames) == (frames, frames)
    assert not position(made.body)
    # What libvips takes for alpha in an animation are pixels that did not change.
    if sample.alpha and frames == 1:
        assert pyvips.Image.new_from_buffer(made.body, "").hasalpha() == (chosen != "jpeg")
    if sample.alpha or name in ("png-1-bit", "jpeg-cmyk", "jpeg-cmyk-profile", "tiff-cmyk"):
        return  # other pixels than the scene's
    scene = pictures.scene() if sample.bands >= 3 else pictures.grey().colourspace("srgb")
    assert mean_difference(pixels(made.body), scene) < sample.tolerance + 8


CONTAINERS = (
    *("jpeg", "jpeg-turned", "jpeg-cmyk-profile", "png", "png-alpha", "webp", "webp-animated", "gif", "gif-animated"),
    *("avif", "avif-alpha", "avif-animated", "apng", "heic", "heic-turned", "tiff", "tiff-pages", "ico", "svg"),
)
"""Files that hold a position and differ in where: by format, and by turn, profile, second item, frames and pages."""


@pytest.mark.parametrize("metadata", ["strip", "keep", "copyright"])
@pytest.mark.parametrize("name", CONTAINERS)
def test_no_position_leaves(name: str, metadata: str) -> None:
    assert pictures.sample(name).gps
    # Whatever is encoded without metadata is looked at in test_every_input_in_every_format.
    for chosen in (None, "auto") if metadata == "strip" else (None, "auto", *FORMATS):
        with case(f"format={chosen}"):
            assert not position(answer(pictures.sample(name).body, format=chosen, metadata=metadata).body)


def position(body: bytes) -> object:
    """Return what the file still tells of a position: nothing, it is hoped."""
    marks = [mark for mark in pictures.GPS_MARKS if mark in body]
    # PNG and TIFF may pack or place it so that the marks do not show.
    return marks or (b"<svg" not in body[:200] and read(body).getexif().get_ifd(0x8825))


def test_a_file_of_every_container_holds_the_position() -> None:
    holding = {pictures.sample(name).format for name in pictures.NAMES if pictures.sample(name).gps}
    assert {pictures.sample(name).format for name in CONTAINERS} == holding


@pytest.mark.parametrize("chosen", ["jpeg", "png", "webp", "avif"])
def test_jpeg_alone_loses_its_alpha_on_white(chosen: str) -> None:
    clear = pictures.scene_with_alpha().bandsplit()
    original = pictures.png(clear[0].bandjoin([clear[1], clear[2], clear[3] * 0]).cast("uchar"))
    image = read(answer(original, format=chosen, quality=95).body).convert("RGBA")
    assert image.getpixel((80, 60))[3] == (255 if chosen == "jpeg" else 0)
    if chosen == "jpeg":
        assert min(image.getpixel((80, 60))) >= 253


@pytest.mark.parametrize("chosen", ["gif", "webp"])
def test_animations_keep_frames_delays_and_loop(chosen: str) -> None:
    for name in ("gif-animated", "webp-animated"):
        made = answer(pictures.sample(name).body, format=chosen, quality=90)
        image: Any = pyvips.Image.new_from_buffer(made.body, "", n=-1)
        assert image.get("n-pages") == 3
        assert image.get("delay") == list(pictures.DELAYS)
        assert image.get("loop") == 2


@pytest.mark.parametrize("chosen", ["gif", "webp"])
@pytest.mark.parametrize(
    ("said", "loop", "delays"),
    [
        ({"loop": 0}, 0, list(pictures.DELAYS)),
        ({"loop": 5, "delay": "40"}, 5, [40, 40, 40]),
        ({"delay": [50, 90]}, 2, [50, 90, 90]),
        ({"delay": "20,30,40,50"}, 2, [20, 30, 40]),
    ],
)
def test_an_animation_plays_as_it_is_told(chosen: str, said: dict[str, Any], loop: int, delays: list[int]) -> None:
    made = answer(pictures.sample("gif-animated").body, format=chosen, **said)
    image: Any = pyvips.Image.new_from_buffer(made.body, "", n=-1)
    assert (image.get("loop"), image.get("delay")) == (loop, delays)


@pytest.mark.parametrize("said", [{"delay": "1.5"}, {"delay": -1}, {"delay": 65_536}, {"loop": -1}])
def test_delays_and_repeats_out_of_range_are_refused(said: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameter, match=next(iter(said))):
        check(Output, said)


def test_animated_off_and_a_page_give_one_frame() -> None:
    film = pictures.sample("gif-animated").body
    assert answer(film, animated=False).frames == 1
    third = answer(film, page=2, format="png")
    assert third.frames == 1
    assert mean_difference(pixels(third.body), pictures.scene(turn=240)) < 12


class TestOptions:
    def test_quality(self) -> None:
        for chosen in ("jpeg", "webp", "avif", "tiff"):
            sizes = [len(answer(shown(), format=chosen, quality=quality).body) for quality in (10, 50, 95)]
            assert sizes == sorted(sizes)
            assert sizes[0] < sizes[2]

    def test_default_quality(self) -> None:
        for chosen, quality in (("jpeg", 80), ("webp", 80), ("avif", 50)):
            assert answer(shown(), format=chosen).body == answer(shown(), format=chosen, quality=quality).body

    @pytest.mark.parametrize("chosen", ["jpeg", "png", "webp", "avif", "gif"])
    def test_effort(self, chosen: str) -> None:
        little, much = (answer(shown(), format=chosen, effort=effort).body for effort in (0, 10))
        assert read(little).size == read(much).size
        assert len(much) < len(little)

    @pytest.mark.parametrize("effort", range(11))
    @pytest.mark.parametrize("chosen", FORMATS)
    def test_every_effort_works(self, chosen: str, effort: int) -> None:
        small = pictures.bmp(pictures.scene(40, 30))
        assert read(answer(small, format=chosen, effort=effort, progressive=True).body).size == (40, 30)

    def test_progressive(self) -> None:
        assert "progressive" in read(answer(shown(), format="jpeg", progressive=True).body).info
        assert "progressive" not in read(answer(shown(), format="jpeg").body).info
        assert read(answer(shown(), format="png", progressive=True).body).info.get("interlace") == 1
        assert not read(answer(shown(), format="png").body).info.get("interlace")

    @pytest.mark.parametrize("chosen", ["png", "webp", "avif", "tiff"])
    def test_lossless(self, chosen: str) -> None:
        body = answer(shown(), format=chosen, lossless=True).body
        assert mean_difference(pixels(body), pictures.scene()) == 0

    @pytest.mark.parametrize("chosen", ["jpeg", "gif"])
    def test_lossless_is_refused_where_it_cannot_be(self, chosen: str) -> None:
        with pytest.raises(InvalidParameter, match=f"`lossless` must be left out or false for {chosen}, got"):
            answer(shown(), format=chosen, lossless=True)

    def test_chroma_subsampling(self) -> None:
        for chosen in ("jpeg", "avif"):
            half, full = (answer(shown(), format=chosen, chromaSubsampling=how).body for how in ("4:2:0", "4:4:4"))
            assert _subsampling(half) == "4:2:0"
            assert _subsampling(full) == "4:4:4"
        sharp = answer(shown(), format="webp", chromaSubsampling="4:4:4").body
        assert sharp != answer(shown(), format="webp").body

    def test_palette_and_colors(self) -> None:
        true_color, palette = (read(answer(shown(), format="png", palette=on).body) for on in (False, True))
        assert (true_color.mode, palette.mode) == ("RGB", "P")
        for chosen in ("png", "gif"):
            for colors in (2, 3, 16, 100, 256):
                image = read(answer(shown(), format=chosen, colors=colors).body).convert("RGB")
                assert len(image.getcolors(1000)) <= colors

    def test_max_bytes(self) -> None:
        for chosen in FORMATS:
            # Fewer colours are for those who ask for a palette.
            options: dict[str, Any] = {"colors": 256} if chosen in ("png", "gif") else {}
            most = len(answer(shown(), format=chosen).body) * 2 // 3
            made = answer(shown(), format=chosen, maxBytes=most, **options)
            assert len(made.body) <= most
            assert read(made.body).size == (pictures.WIDTH, pictures.HEIGHT)

    def test_max_bytes_takes_the_best_quality_that_fits(self) -> None:
        original = shown()
        by_quality = {quality: len(answer(original, format="jpeg", quality=quality).body) for quality in range(1, 81)}
        most = by_quality[50]
        best = max(quality for quality, size in by_quality.items() if size <= most)
        assert len(answer(original, format="jpeg", maxBytes=most).body) == by_quality[best]
        assert len(answer(original, format="jpeg", maxBytes=by_quality[80]).body) == by_quality[80]

    @pytest.mark.parametrize("chosen", ["png", "gif"])
    def test_max_bytes_leaves_the_colours_of_an_image_alone(self, chosen: str) -> None:
        assert answer(shown(), format=chosen, maxBytes=200).body == answer(shown(), format=chosen).body

    @pytest.mark.parametrize("smallest", [{"format": "jpeg", "quality": 1}, {"format": "png", "colors": 2}])
    def test_max_bytes_answers_with_the_smallest_there_is(self, smallest: dict[str, Any]) -> None:
        requested = {**smallest, "maxBytes": 200} | ({"colors": 256} if "colors" in smallest else {"quality": 80})
        assert answer(shown(), **requested).body == answer(shown(), **smallest).body


def _subsampling(body: bytes) -> str:
    image: Any = pyvips.Image.new_from_buffer(body, "")
    if image.get("vips-loader").startswith("jpeg"):
        return str(image.get("jpeg-chroma-subsample"))
    at = body.index(b"av1C")
    return "4:2:0" if body[at + 6] & 0b1100 == 0b1100 else "4:4:4"


class TestLimits:
    def test_side(self) -> None:
        with pytest.raises(TooLarge, match=r"no side of a png answer may be longer than 100 pixels.*160 × 120"):
            answer(shown(), limits=Limits(result_side=100))

    def test_pixels_of_all_frames(self) -> None:
        film = pictures.sample("gif-animated").body
        limits = Limits(result_pixels=160 * 120 * 3 - 1, result_pixels_of={})
        with pytest.raises(TooLarge, match="57600: 160 × 120 × 3 frames"):
            answer(film, format="webp", limits=limits)
        assert answer(film, format="webp", animated=False, limits=limits).frames == 1

    def test_pixels_by_format(self) -> None:
        limits = Limits(result_pixels_of={"avif": 10_000})
        with pytest.raises(TooLarge, match=r"a avif answer may have 10000 pixels"):
            answer(shown(), format="avif", limits=limits)
        assert answer(shown(), format="webp", limits=limits).frames == 1

    def test_what_the_format_itself_can_hold(self) -> None:
        long: Any = pyvips.Image.black(17_000, 1)
        with pytest.raises(TooLarge, match="16383"):
            answer(bytes(long.pngsave_buffer()), format="webp", limits=Limits(result_side=20_000))

    def test_memory(self) -> None:
        original = bytes(pyvips.Image.black(1000, 1000, bands=3).copy(interpretation="srgb").pngsave_buffer())
        with pytest.raises(TooLarge, match="memory"):
            answer(original, format="avif", limits=Limits(memory=35_000_000))


class TestNegotiation:
    @pytest.mark.parametrize(
        ("name", "accepts", "expected"),
        [
            ("jpeg", {"avif", "webp"}, "avif"),
            ("jpeg", {"webp"}, "webp"),
            ("jpeg", set(), "jpeg"),
            ("png-alpha", {"avif", "webp"}, "avif"),
            ("png-alpha", set(), "png"),
            ("gif-animated", {"avif", "webp"}, "avif"),
            ("gif-animated", {"webp"}, "webp"),
            ("gif-animated", set(), "gif"),
            ("avif-animated", set(), "gif"),
            ("webp-animated", set(), "gif"),
            ("webp-alpha", set(), "png"),
            ("webp", set(), "jpeg"),
            ("avif", {"webp"}, "webp"),
            ("avif", set(), "jpeg"),
            ("tiff", set(), "jpeg"),
            ("bmp", set(), "png"),
            ("heic", set(), "jpeg"),
        ],
    )
    def test_auto(self, name: str, accepts: set[str], expected: str) -> None:
        made = answer(pictures.sample(name).body, format="auto", quality=60, accepts=frozenset(accepts))
        assert made.media_type == f"image/{expected}"
        assert made.negotiated
        assert made.frames == (3 if name.endswith("animated") else 1)

    def test_auto_takes_avif_only_up_to_its_pixels(self) -> None:
        limits = Limits(auto_pixels_of={"avif": 160 * 120 - 1})
        assert answer(shown(), format="auto", limits=limits).media_type == "image/webp"

    def test_auto_lossless(self) -> None:
        assert answer(shown(), format="auto", lossless=True).media_type == "image/webp"
        jpeg = answer(pictures.jpeg(), format="auto", lossless=True, accepts=frozenset())
        assert jpeg.media_type == "image/png"

    @pytest.mark.parametrize(
        ("name", "expected"),
        [("jpeg", "jpeg"), ("tiff", "tiff"), ("bmp", "png"), ("ico", "png"), ("svg", "png"), ("avif", "avif")],
    )
    def test_the_source_decides_otherwise(self, name: str, expected: str) -> None:
        made = answer(pictures.sample(name).body, quality=60)
        assert made.media_type == f"image/{expected}"
        assert not made.negotiated

    def test_heic_leaves_as_what_the_client_takes(self) -> None:
        assert answer(pictures.sample("heic").body).media_type == "image/avif"
        plain = answer(pictures.sample("heic").body, accepts=frozenset())
        assert plain.media_type == "image/jpeg"
        assert plain.negotiated


def test_a_picture_of_several_frames_becomes_one_where_the_format_has_no_more() -> None:
    from imaging.codecs.encode import encode

    source = ImageHeader(format="gif", width=160, height=120, size=1, frames=3)
    film = Picture(image=pictures.film(), source=source, frames=3, delays=pictures.DELAYS)
    encoded = encode(film, Output(format="png"), Context())
    assert encoded.frames == 1
    assert read(encoded.body).size == (160, 120)


def test_effort_is_what_a_picture_of_that_size_is_worth() -> None:
    asked = Output(format="avif", effort=10)
    assert limit_effort("avif", asked, 100_000) == asked
    assert limit_effort("avif", asked, 1_000_000).effort == 6
    assert limit_effort("avif", asked, 100_000_000).effort == 3
    assert limit_effort("avif", Output(effort=1), 100_000_000).effort == 1
    assert limit_effort("webp", asked, 100_000_000) == asked
