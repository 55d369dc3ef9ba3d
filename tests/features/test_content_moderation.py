"""What becomes of a picture in which moderation found something."""

from __future__ import annotations

from typing import Any

import pytest
from tests import pictures, steps
from tests.similarity import mean_difference

from features import Context, Label, Output, Rejected, Report, Unavailable, decided, edits, run
from features._vision import Blind

SEEN = (Label("Exposed Skin", 90.0, ("Nudity", "Explicit")), Label("Weapons", 60.0, ("Violence",)))


class Judge(Blind):
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
        assert decided(asked, context()).steps == ()
        return
    with pytest.raises(Rejected) as refused:
        decided(asked, context())
    assert refused.value.code == "ContentModeration::Rejected"
    assert refused.value.message.endswith(f": {found}")


def test_a_clean_picture_has_no_step_left() -> None:
    asked = edits({"contentModeration": True, "blur": 3})
    verdict = decided(asked, context(()))
    assert [step.feature.name for step in verdict.steps] == ["blur"]
    assert verdict.is_certain
    assert verdict.says == ()


def test_an_unjudged_picture_passes_but_is_not_certain() -> None:
    verdict = decided(edits({"contentModeration": "reject"}), context(None))
    assert (verdict.steps, verdict.says, verdict.is_certain) == ((), ("unjudged",), False)


def test_a_refusal_goes_before_a_report() -> None:
    asked = edits({"contentModeration": "report"}) + edits({"contentModeration": "reject"})
    with pytest.raises(Rejected):
        decided(asked, context())


def test_the_report_names_what_was_found() -> None:
    verdict = decided(edits({"contentModeration": "report"}), context())
    assert verdict.report is not None
    assert verdict.report.content == {
        "judged": True,
        "flagged": True,
        "minConfidence": 75.0,
        "moderationLabels": [{"name": "Exposed Skin", "confidence": 90.0, "above": ["Nudity", "Explicit"]}],
    }
    assert run(pictures.jpeg(), edits({"contentModeration": "report"}), Output(), context()) == verdict.report


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


def test_it_hides_after_everything_else_but_before_a_report() -> None:
    names = [step.feature.name for step in edits({"info": True, "contentModeration": True, "watermark": "logo.png"})]
    assert names == ["watermark", "contentModeration", "info"]


def test_with_nobody_to_judge_it_is_refused() -> None:
    with pytest.raises(Unavailable):
        run(pictures.jpeg(), edits({"contentModeration": True}), Output(), Context())


def test_a_report_is_what_a_run_gives_as_well() -> None:
    assert isinstance(run(pictures.jpeg(), edits({"contentModeration": "report"}), Output(), context(())), Report)
