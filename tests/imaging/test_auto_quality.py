"""`quality=auto`, `format=best` and `maxBytes`: the fewest bytes at a similarity, within a budget of encodings."""

from __future__ import annotations

import io
from typing import Any

import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from tests import pictures

from features import edits
from imaging import Context, InvalidParameter, Limits, Output, Rendered, check, run
from imaging.codecs import compression
from imaging.codecs.compression import MAX_TRIALS, SAMPLE_PIXELS, find_lowest, take_sample
from imaging.codecs.save import save
from imaging.codecs.similarity import Reference
from imaging.picture import Picture

LOSSY = ("jpeg", "webp", "avif")


def photograph() -> bytes:
    """Return a lossless original with detail of all sizes."""
    scene: Any = pictures.scene(200, 152)
    noise: Any = pyvips.Image.gaussnoise(200, 152, sigma=9, mean=0, seed=3)
    return bytes((scene + noise).cast("uchar").copy(interpretation="srgb").pngsave_buffer())


def answer(original: bytes, *, context: Context | None = None, width: int = 0, **options: Any) -> Rendered:
    steps = edits({"resize": {"width": width}}) if width else ()
    made = run(original, steps, check(Output, options), context or Context(accepts=frozenset(LOSSY)))
    assert isinstance(made, Rendered)
    return made


def score_of(made: Rendered, original: bytes) -> float:
    image: Any = pyvips.Image.new_from_buffer(original, "")
    return Reference(image.copy_memory()).score(pyvips.Image.new_from_buffer(made.body, ""))


@pytest.mark.parametrize("chosen", LOSSY)
@pytest.mark.parametrize("target", [50, 75])
def test_the_lowest_quality_reaches_the_target(chosen: str, target: int) -> None:
    original = photograph()
    made = answer(original, format=chosen, quality="auto", qualityTarget=target)
    assert score_of(made, original) >= target
    by_quality = {len(answer(original, format=chosen, quality=quality).body): quality for quality in range(20, 96, 8)}
    sizes = [size for size, quality in by_quality.items() if size < len(made.body)]
    worse = answer(original, format=chosen, quality=by_quality[max(sizes)]) if sizes else None
    # One quality lower by about eight steps fails, or comes no more than a little over the target.
    assert worse is None or score_of(worse, original) <= target + 1


def test_targets_by_format() -> None:
    original = photograph()
    fine = answer(original, format="webp", quality="auto", qualityTarget="webp:85,jpeg:40")
    coarse = answer(original, format="jpeg", quality="auto", qualityTarget="webp:85,jpeg:40")
    assert score_of(fine, original) >= 85
    assert 40 <= score_of(coarse, original) < 60


def test_bounds_of_the_quality_win_over_the_target() -> None:
    original = photograph()
    low = answer(original, format="jpeg", quality="auto", qualityTarget=99, qualityMax=30)
    high = answer(original, format="jpeg", quality="auto", qualityTarget=1, qualityMin=90)
    assert low.body == answer(original, format="jpeg", quality=30).body
    assert high.body == answer(original, format="jpeg", quality=90).body


def test_formats_without_a_scored_quality_ignore_auto() -> None:
    original = photograph()
    for chosen in ("png", "gif", "tiff"):
        assert answer(original, format=chosen, quality="auto", width=100).body == (
            answer(original, format=chosen, width=100).body
        )


@pytest.mark.parametrize(
    "options",
    [
        {"quality": "best"},
        {"quality": 0},
        {"qualityTarget": 0},
        {"qualityTarget": 100},
        {"qualityTarget": "webp:101"},
        {"qualityMin": 80, "qualityMax": 70},
    ],
)
def test_bad_input_is_refused_by_name(options: dict[str, object]) -> None:
    with pytest.raises(InvalidParameter) as error:
        check(Output, options)
    assert error.value.name == next(iter(options))


class TestBest:
    def test_the_smallest_of_what_the_client_accepts(self) -> None:
        original = photograph()
        for accepts in (frozenset(LOSSY), frozenset({"webp"}), frozenset[str]()):
            context = Context(accepts=accepts)
            made = answer(original, format="best", width=120, context=context)
            sizes = {
                name: len(answer(original, format=name, quality="auto", width=120, context=context).body)
                for name in (*accepts, "jpeg", "png")
            }
            assert made.negotiated
            assert len(made.body) == min(sizes.values())
            assert made.media_type == f"image/{min(sizes, key=lambda name: sizes[name])}"

    def test_a_drawing_is_encoded_without_loss_where_that_is_smaller(self) -> None:
        drawing: Any = pyvips.Image.black(400, 300, bands=3).copy(interpretation="srgb") + [250, 250, 250]
        for at in range(0, 300, 20):
            drawing = drawing.draw_rect([200, 20, 60], at, at // 2, 60, 8, fill=True)
        original = drawing.cast("uchar").pngsave_buffer()
        made = answer(original, format="best")
        with_loss = min(len(answer(original, format=name, quality="auto").body) for name in LOSSY)
        assert len(made.body) < with_loss

    def test_transparency_is_kept(self) -> None:
        made = answer(pictures.sample("png-alpha").body, format="best", context=Context())
        assert made.media_type == "image/png"
        assert pyvips.Image.new_from_buffer(made.body, "").hasalpha()

    def test_animations_keep_their_frames(self) -> None:
        for accepts, chosen in ((frozenset({"webp"}), "webp"), (frozenset[str](), "apng")):
            made = answer(
                pictures.sample("gif-animated").body, format="best", width=40, context=Context(accepts=accepts)
            )
            assert (made.media_type, made.frames) == (f"image/{chosen}", 3)
            assert getattr(Pillow.open(io.BytesIO(made.body)), "n_frames", 1) == 3

    def test_it_is_never_larger_than_an_original_that_needs_no_change(self) -> None:
        original = pyvips.Image.new_from_buffer(photograph(), "").jpegsave_buffer(Q=30)
        assert len(answer(original, format="best").body) <= len(original)

    def test_a_given_quality_leaves_the_format_alone_to_be_found(self) -> None:
        original = photograph()
        made = answer(original, format="best", quality=60, context=Context(accepts=frozenset({"webp"})))
        assert made.body in [answer(original, format=name, quality=60).body for name in ("webp", "jpeg")]


class TestBudget:
    def count(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        encoded: list[str] = []

        def counted(image: Any, chosen: str, *args: Any, **kwargs: Any) -> bytes:
            assert image.width * image.height <= 1.1 * SAMPLE_PIXELS
            encoded.append(chosen)
            return save(image, chosen, *args, **kwargs)

        monkeypatch.setattr(compression, "save", counted)
        return encoded

    @pytest.mark.parametrize("target", [5, 70, 99])
    def test_trials_are_few(self, monkeypatch: pytest.MonkeyPatch, target: int) -> None:
        encoded = self.count(monkeypatch)
        answer(photograph(), format="best", qualityTarget=target)
        assert set(encoded) == {"jpeg", "webp", "avif", "png"}
        assert all(encoded.count(name) <= MAX_TRIALS for name in LOSSY)
        assert encoded.count("png") == 1

    def test_no_time_means_the_usual_quality_without_a_trial(self, monkeypatch: pytest.MonkeyPatch) -> None:
        encoded = self.count(monkeypatch)
        original = photograph()
        # The estimate of the run itself fits into the work, and not that of a trial beside it.
        made = answer(original, format="avif", quality="auto", context=Context(limits=Limits(work=0.036)))
        assert not encoded
        assert made.body == answer(original, format="avif").body

    def test_work_that_is_used_up_ends_the_search(self, monkeypatch: pytest.MonkeyPatch) -> None:
        encoded = self.count(monkeypatch)
        answer(photograph(), format="avif", quality="auto", qualityTarget=90, context=Context(limits=Limits(work=0.15)))
        assert 1 <= len(encoded) < 4

    def test_a_large_image_is_judged_by_a_sample(self, monkeypatch: pytest.MonkeyPatch) -> None:
        encoded = self.count(monkeypatch)
        scene: Any = pictures.scene(1600, 1200)
        noise: Any = pyvips.Image.gaussnoise(1600, 1200, sigma=9, mean=0, seed=3)
        original = (scene + noise).cast("uchar").copy(interpretation="srgb").pngsave_buffer()
        made = answer(original, format="jpeg", quality="auto", qualityTarget=70)
        assert encoded
        assert score_of(made, original) == pytest.approx(70, abs=4)

    def test_samples_are_spread_over_the_image(self) -> None:
        ramp: Any = pyvips.Image.xyz(1500, 1000)
        image = (ramp * [255 / 1500, 255 / 1000]).bandjoin(0).cast("uchar").copy(interpretation="srgb")
        sample = take_sample(Picture(image=image, source=None))  # type: ignore[arg-type]  # it is not read
        assert sample.width * sample.height <= 1.1 * SAMPLE_PIXELS
        assert [sample[band].avg() for band in (0, 1)] == pytest.approx([127, 127], abs=2)


@given(
    slope=st.floats(0.05, 3),
    bend=st.floats(-0.02, 0.02),
    target=st.integers(1, 99),
    first=st.integers(1, 100),
    bounds=st.tuples(st.integers(1, 100), st.integers(1, 100)).map(sorted),
)
def test_a_search_ends_with_a_quality_that_passes(
    slope: float, bend: float, target: int, first: int, bounds: list[int]
) -> None:
    tried: list[int] = []

    def score(quality: int) -> float:
        assert bounds[0] <= quality <= bounds[1]
        tried.append(quality)
        return slope * quality + bend * quality * quality

    found = find_lowest(score, (bounds[0], bounds[1]), first, target)
    assert found is not None
    assert len(tried) == len(set(tried)) <= MAX_TRIALS
    passing = [quality for quality in tried if slope * quality + bend * quality * quality >= target]
    assert found in passing or (not passing and found == bounds[1])


def test_a_search_without_time_finds_nothing() -> None:
    assert find_lowest(lambda _: None, (20, 95), 80, 70) is None
