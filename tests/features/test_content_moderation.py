"""What becomes of a picture in which moderation found something."""

from __future__ import annotations

from typing import Any

import pytest
import pyvips
from tests import pictures, steps
from tests.similarity import mean_difference

from features import edits
from imaging import Context, Label, ObjectRef, Output, Rejected, Rendered, Report, Unavailable, decide_all, run
from imaging.detection import DetectionNotConfigured

SEEN = (Label("Exposed Skin", 90.0, ("Nudity", "Explicit")), Label("Weapons", 60.0, ("Violence",)))


class Judge(DetectionNotConfigured):
    """Moderation that says what a test tells it to."""

    def __init__(self, seen: tuple[Label, ...] | None) -> None:
        self._seen = seen

    def labels(self) -> tuple[Label, ...] | None:
        return self._seen


def context(seen: tuple[Label, ...] | None = SEEN) -> Context:
    return Context(vision=Judge(seen))


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({}, "Exposed Skin"),
        ({"minConfidence": 60}, "Exposed Skin, Weapons"),
        ({"minConfidence": 91}, ""),
        ({"labels": "Explicit"}, "Exposed Skin"),
        ({"labels": "nudity,violence", "minConfidence": 50}, "Exposed Skin, Weapons"),
        ({"moderationLabels": ["Violence"]}, ""),
        ({"moderationLabels": ["Violence"], "minConfidence": 50}, "Weapons"),
    ],
)
def test_labels_count_by_name_or_parent_if_they_are_sure_enough(said: dict[str, Any], found: str) -> None:
    asked = edits({"contentModeration": {**said, "action": "reject"}})
    if not found:
        assert decide_all(asked, context()).steps == ()
        return
    with pytest.raises(Rejected) as refused:
        decide_all(asked, context())
    assert refused.value.code == "ContentModeration::Rejected"
    assert refused.value.message.endswith(f": {found}")


def test_a_clean_picture_has_no_step_left() -> None:
    asked = edits({"contentModeration": True, "blur": 3})
    decision = decide_all(asked, context(()))
    assert [step.feature.name for step in decision.steps] == ["blur"]
    assert decision.is_cacheable
    assert decision.etag_parts == ()


def test_an_unjudged_picture_passes_but_is_not_certain() -> None:
    decision = decide_all(edits({"contentModeration": "reject"}), context(None))
    assert (decision.steps, decision.etag_parts, decision.is_cacheable) == ((), ("unjudged",), False)


def test_a_refusal_goes_before_a_report() -> None:
    asked = edits({"contentModeration": "report"}) + edits({"contentModeration": "reject"})
    with pytest.raises(Rejected):
        decide_all(asked, context())


def test_the_report_names_what_was_found() -> None:
    decision = decide_all(edits({"contentModeration": "report"}), context())
    assert decision.report is not None
    assert decision.report.content == {
        "judged": True,
        "flagged": True,
        "minConfidence": 75.0,
        "moderationLabels": [{"name": "Exposed Skin", "confidence": 90.0, "above": ["Nudity", "Explicit"]}],
    }
    assert run(pictures.jpeg(), edits({"contentModeration": "report"}), Output(), context()) == decision.report


@pytest.mark.parametrize("action", ["blur", "pixelate"])
def test_what_is_hidden_cannot_be_seen(action: str) -> None:
    given = steps.picture(pictures.scene(800, 600))
    made = steps.apply("contentModeration", given, context=context(), action=action)
    assert (made.width, made.height) == (800, 600)
    detail = (made.image[1] - made.image[1].gaussblur(8)).abs().avg()
    assert detail < (given.image[1] - given.image[1].gaussblur(8)).abs().avg() * (0.5 if action == "blur" else 3)
    assert mean_difference(made.image, given.image) > 3
    if action == "pixelate":
        assert steps.pixel(made, 0, 0) == steps.pixel(made, 49, 49) != steps.pixel(made, 50, 0)


def test_frames_and_alpha_stay() -> None:
    film = steps.apply("contentModeration", steps.picture(pictures.film(), frames=3), context=context())
    assert film.frames == 3
    clear = steps.apply("contentModeration", steps.picture(pictures.scene_with_alpha()), context=context())
    assert clear.has_alpha


def test_it_hides_before_everything_else() -> None:
    names = [step.feature.name for step in edits({"info": True, "contentModeration": True, "watermark": "logo.png"})]
    assert names == ["contentModeration", "watermark", "info"]


HIDING = ("blur", "pixelate")


def lines(width: int = 640, height: int = 480) -> Any:
    """Black and white stripes across, a twentieth of the width each: as fine as nothing that is hidden may be."""
    across = pyvips.Image.xyz(width, height)[0]
    return ((across * 20 / width).floor() % 2).ifthenelse([255] * 3, [0] * 3).cast("uchar").copy(interpretation="srgb")


def contrast(image: Any) -> float:
    """Between the darkest and the brightest within the middle half of the picture."""
    middle = image[1].crop(image.width // 4, image.height // 4, image.width // 2, image.height // 2)
    return float(middle.max() - middle.min())


def hidden(body: bytes, action: str, said: dict[str, Any], **objects: bytes) -> Any:
    """What is left where the operator hides after all that a URL says, as `ALWAYS` does."""
    asked = edits(said) + edits({"contentModeration": action})
    named = {ObjectRef("", f"{name}.png"): stored for name, stored in objects.items()}
    made = run(body, asked, Output(format="png"), Context(vision=Judge(SEEN), objects=named))
    assert isinstance(made, Rendered)
    return pyvips.Image.new_from_buffer(made.body, "")


@pytest.mark.parametrize("action", HIDING)
@pytest.mark.parametrize(
    "said",
    [
        {},
        {"resize": {"width": 4000}},
        {"extract": {"left": 1000, "top": 400, "width": 800, "height": 600}, "resize": {"width": 4000}},
        {"crop": {"left": 100, "top": 80, "width": 100, "height": 80}},
        {"resize": {"width": 64}},
    ],
)
def test_nothing_that_comes_after_brings_it_back(action: str, said: dict[str, Any]) -> None:
    untouched = run(pictures.png(lines()), edits(said), Output(format="png"), Context())
    assert isinstance(untouched, Rendered)
    assert contrast(pyvips.Image.new_from_buffer(untouched.body, "")) == 255
    made = hidden(pictures.png(lines()), action, said)
    assert contrast(made) < (200 if action == "pixelate" else 40)


def test_pixelated_pieces_are_no_finer_than_the_whole() -> None:
    whole = hidden(pictures.png(pictures.scene(640, 480)), "pixelate", {})
    piece = {"left": 320, "top": 240, "width": 40, "height": 40}
    made = hidden(pictures.png(pictures.scene(640, 480)), "pixelate", {"extract": piece})
    assert contrast(made) == 0
    assert steps.pixel(made, 0, 0) == steps.pixel(whole, 320, 240)


@pytest.mark.parametrize("action", HIDING)
@pytest.mark.parametrize("shrunk", [1, 4])
def test_a_large_original_is_hidden_as_well_as_a_small_one(action: str, shrunk: int) -> None:
    small = steps.apply("contentModeration", steps.picture(pictures.scene(512, 384)), context=context(), action=action)
    given = steps.picture(pictures.scene(4096 // shrunk, 3072 // shrunk), shrunk_from=(4096, 3072))
    large = steps.apply("contentModeration", given, context=context(), action=action)
    assert mean_difference(large.image.resize(512 * shrunk / 4096), small.image) < 3


@pytest.mark.parametrize("action", HIDING)
@pytest.mark.parametrize(
    "said",
    [
        {"watermark": {"key": "lines.png", "position": "top-left"}},
        {"frame": {"key": "lines.png"}},
        {"boolean": {"key": "lines.png", "operator": "or"}},
    ],
)
def test_overlays_are_hidden_by_themselves(action: str, said: dict[str, Any]) -> None:
    """A piece of an overlay on a small picture is no way to see it."""
    ground = pictures.png(pyvips.Image.black(640, 480, bands=3).copy(interpretation="srgb"))
    plain = run(
        ground,
        edits(said),
        Output(format="png"),
        Context(objects={ObjectRef("", "lines.png"): pictures.png(lines())}),
    )
    assert isinstance(plain, Rendered)
    assert contrast(pyvips.Image.new_from_buffer(plain.body, "")) == 255
    made = hidden(ground, action, said, lines=pictures.png(lines()))
    assert contrast(made.crop(0, 0, 400, 300)) < (230 if action == "pixelate" else 160)


def test_with_nobody_to_judge_it_is_refused() -> None:
    with pytest.raises(Unavailable):
        run(pictures.jpeg(), edits({"contentModeration": True}), Output(), Context())


def test_a_report_is_what_a_run_gives_as_well() -> None:
    assert isinstance(run(pictures.jpeg(), edits({"contentModeration": "report"}), Output(), context(())), Report)
