"""What becomes of one original: its states, its variants and its notices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests import pictures
from tests.handler.uploads.studio import CAT, PRESETS, Studio, picture

from handler.core.errors import BadRequest, Forbidden, HandlerError, PayloadTooLarge, UpstreamError
from handler.records.record import AppliedRecipe
from handler.uploads.change import Kind, OriginalChange, make_forced_change
from handler.uploads.outcome import KeyFilter
from handler.uploads.recovery import Sweep
from imaging import (
    DamagedSource,
    Deadline,
    Limits,
    ObjectRef,
    Rejected,
    TimeExceeded,
    TooLarge,
    Unavailable,
    UnsupportedSource,
)

BOTH = {"thumb/photos/cat.png", "large/photos/cat.png"}


def test_a_new_original_has_facts_variants_and_a_notice(studio: Studio) -> None:
    studio.put(40)
    assert set(studio.process("0055AED6DCD90281E5").stored) == BOTH
    record = studio.record()
    assert (record.status, record.error, record.attempts) == ("ready", None, 1)
    assert (record.facts["width"], record.facts["format"]) == (8, "png")
    assert record.etag == studio.originals.head(CAT).etag
    thumb, large = record.variants
    assert (thumb.preset, thumb.key, thumb.media_type) == ("thumb", "thumb/photos/cat.png", "image/png")
    assert (thumb.width, thumb.height, large.width) == (2, 2, 4)
    assert thumb.bytes == len(studio.output.objects[thumb.key][0])
    assert studio.notices() == ["image.ready"]
    assert studio.output.shades() == dict.fromkeys(BOTH, 40)


def test_the_same_event_again_changes_nothing(studio: Studio) -> None:
    studio.put(40)
    studio.process("0A")
    first = studio.record()
    for sequencer in ("0A", "a", "00A"):
        assert studio.process(sequencer).status == "repeated"
    assert studio.record() == first
    assert (len(studio.output.writes), len(studio.originals.reads)) == (2, 1)
    assert studio.notices() == ["image.ready"]


def test_an_overwritten_original_replaces_its_variants(studio: Studio) -> None:
    studio.put(40)
    studio.process("1")
    studio.put(90)
    studio.process("2")
    assert studio.output.shades() == dict.fromkeys(BOTH, 90)
    assert studio.notices() == ["image.ready", "image.ready"]
    assert studio.process("1").status == "superseded"
    assert studio.output.shades() == dict.fromkeys(BOTH, 90)


def test_a_deleted_original_leaves_nothing_but_its_record(studio: Studio) -> None:
    studio.put(40)
    studio.process("1")
    del studio.originals.bodies[CAT]
    assert studio.process("2", "deleted").status == "deleted"
    record = studio.record()
    assert (record.status, record.variants, record.facts) == ("deleted", (), {})
    assert record.expires_at is not None
    assert record.expires_at > studio.now + timedelta(days=14)
    assert studio.output.objects == {}
    assert studio.notices() == ["image.ready", "image.deleted"]
    assert studio.process("2", "deleted").status == "repeated"


def test_a_late_event_of_a_deleted_original_makes_nothing(studio: Studio) -> None:
    studio.put(40)
    assert studio.process("2", "deleted").status == "deleted"
    assert studio.process("1").status == "superseded"
    assert studio.output.objects == {}
    assert studio.notices() == ["image.deleted"]


def test_an_original_that_is_created_again(studio: Studio) -> None:
    studio.put(40)
    studio.process("1")
    studio.process("2", "deleted")
    studio.process("3")
    assert studio.record().status == "ready"
    assert studio.record().expires_at is None
    assert studio.output.sequencers() == dict.fromkeys(BOTH, "3")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"this is no image", "UnsupportedMediaType"),
        (pictures.jpeg()[:600], "DamagedImage"),
        (pictures.png(pictures.scene(64, 64)), "TooLargeImageException"),
    ],
    ids=["no image", "cut off", "too large"],
)
def test_a_file_that_cannot_be_processed_is_rejected(studio: Studio, body: bytes, code: str) -> None:
    studio.limits = Limits(source_pixels=64 * 63 if code.startswith("TooLarge") else 10**6)
    studio.put(40)
    studio.process("1")
    studio.originals.bodies[CAT] = body
    outcome = studio.process("2")
    record = studio.record()
    assert record.error is not None
    assert (outcome.status, outcome.error) == ("rejected", record.error)
    assert (record.status, record.error.code, record.variants) == ("rejected", code, ())
    assert record.error.message
    assert studio.output.objects == {}, "the variants of the version before are removed"
    assert studio.notices() == ["image.ready", "image.rejected"]


def test_an_original_that_is_gone_is_deleted_and_announced_once(studio: Studio) -> None:
    assert studio.process("1").status == "deleted"
    assert (studio.record().status, studio.record().error) == ("deleted", None)
    assert studio.process("2", "deleted").status == "deleted"
    assert studio.record().sequencer == "2"
    assert studio.notices() == ["image.deleted"]
    studio.put(40)
    assert studio.process("3").status == "ready"
    del studio.originals.bodies[CAT]
    studio.process("4", "deleted")
    assert studio.notices() == ["image.deleted", "image.ready", "image.deleted"]


@pytest.mark.parametrize("kind", ["created", None])
def test_an_original_whose_overlay_is_missing_is_rejected(studio: Studio, kind: Kind | None) -> None:
    studio.presets = {"marked": {"watermark": {"key": "logo.png"}, "toFormat": "png"}}
    studio.put(40)
    outcome = studio.process("1", kind)
    assert outcome.error is not None
    assert (outcome.status, outcome.error.code) == ("rejected", "NoSuchKey")


LASTING = [
    DamagedSource("cut"), UnsupportedSource("text"), TooLarge("pixels"), Rejected("moderation"),
    PayloadTooLarge("bytes"), BadRequest("a key of 1,025 bytes"),
]  # fmt: skip
PASSING = [
    UpstreamError("down"), TimeExceeded("late"), Unavailable("no model"), Forbidden("no rights"), HandlerError("?"),
    MemoryError(),
]  # fmt: skip


@pytest.mark.parametrize("error", LASTING, ids=lambda error: type(error).__name__)
def test_an_error_that_would_occur_again_is_final(studio: Studio, error: Exception) -> None:
    studio.put(40)
    studio.originals.errors[CAT] = [error]
    assert studio.process("1").status == "rejected"
    assert studio.process("1").status == "repeated"
    assert studio.notices() == ["image.rejected"]


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_an_error_that_may_pass_is_raised_and_recorded(studio: Studio, error: Exception) -> None:
    studio.put(40)
    studio.originals.errors[CAT] = [error]
    with pytest.raises(type(error)):
        studio.process("1", attempt=1)
    record = studio.record()
    assert record.error is not None
    assert (record.status, record.error.attempts) == ("processing", 1)
    assert studio.notices() == []
    assert studio.process("1", attempt=2).status == "ready"
    assert (studio.record().error, studio.record().attempts) == (None, 2)
    assert studio.notices() == ["image.ready"]


def test_after_the_last_attempt_an_original_has_failed_until_it_is_redriven(studio: Studio) -> None:
    studio.put(40)
    studio.process("1")
    studio.put(90)
    studio.originals.errors[CAT] = [UpstreamError("down") for _ in range(3)]
    for attempt in (1, 2, 3):
        with pytest.raises(UpstreamError):
            studio.process("2", attempt=attempt)
    record = studio.record()
    assert record.error is not None
    assert (record.status, record.error.message, record.error.attempts) == ("failed", "down", 3)
    assert studio.output.objects == {}, "variants of the version before are outdated"
    assert studio.process("2", attempt=1).status == "ready"
    assert studio.notices() == ["image.ready", "image.failed", "image.ready"]


def test_what_is_stored_is_not_rendered_again_after_an_error(studio: Studio) -> None:
    """The overlay of the second preset cannot be read at first."""
    logo = ObjectRef("", "logo.png")
    studio.presets = {"thumb": PRESETS["thumb"], "marked": {"watermark": {"key": "logo.png"}, "toFormat": "png"}}
    studio.put(40)
    studio.put(9, logo)
    studio.originals.errors[logo] = [UpstreamError("down")]
    with pytest.raises(UpstreamError):
        studio.process("1")
    assert studio.output.writes == ["thumb/photos/cat.png"]
    assert studio.record().status == "processing"
    assert studio.process("1").status == "ready"
    assert studio.output.writes == ["thumb/photos/cat.png", "marked/photos/cat.png"]


def test_only_keys_that_the_filters_include_are_processed(studio: Studio) -> None:
    studio.filter = KeyFilter(("in/", "also/"), (".png", ".jpg"))
    for key, expected in {
        "in/a.PNG": "ready",
        "also/b.jpg": "ready",
        "in/a.txt": "ignored",
        "a.png": "ignored",
    }.items():
        ref = ObjectRef("photos", key)
        studio.put(40, ref)
        assert studio.process("1", ref=ref).status == expected
        assert studio.process("2", "deleted", ref=ref).status == ("deleted" if expected == "ready" else "ignored")


def test_variants_of_presets_that_are_no_more_are_removed(studio: Studio) -> None:
    studio.put(40)
    studio.process("1")
    less = Studio(studio.records, studio.originals, studio.output, presets={"thumb": studio.presets["thumb"]})
    less.process("2")
    assert set(studio.output.objects) == {"thumb/photos/cat.png"}
    assert [variant.preset for variant in less.record().variants] == ["thumb"]


def test_a_forced_change_renders_again_what_it_names(studio: Studio) -> None:
    studio.put(40)
    studio.process("1")
    studio.output.writes.clear()
    studio.process("", None, force=True, presets=frozenset({"thumb"}))
    assert studio.output.writes == ["thumb/photos/cat.png"]
    studio.process("", None, force=True, presets=frozenset())
    assert studio.output.writes == ["thumb/photos/cat.png"]
    studio.process("", None, force=True)
    assert len(studio.output.writes) == 3
    assert studio.record().sequencer == "1"
    assert studio.notices() == ["image.ready"], "the version was announced before"


@pytest.mark.parametrize("is_begun", [False, True], ids=["accepted", "begun"])
def test_a_sweep_renders_again_what_a_killed_process_was_to_render_again(studio: Studio, is_begun: bool) -> None:
    studio.put(40)
    studio.process("1")
    studio.output.writes.clear()
    change = make_forced_change(*CAT)
    studio.pipeline.accept(change)
    if is_begun:
        studio.originals.errors[CAT] = [UpstreamError("down")]
        with pytest.raises(UpstreamError):
            studio.pipeline.process(change, Deadline.after(60))
    assert studio.record().is_forced
    studio.now += timedelta(hours=1)
    sweep = Sweep(studio.pipeline, timedelta(minutes=30))
    assert sweep.run(Deadline.after(60)) == 1
    assert sorted(studio.output.writes) == sorted(BOTH)
    assert (studio.record().status, studio.record().is_forced) == ("ready", False)
    assert studio.notices() == ["image.ready"], "the version was announced before"


def test_a_newer_version_is_not_forced_because_the_one_before_was(studio: Studio) -> None:
    studio.put(40)
    studio.process("1")
    studio.pipeline.accept(make_forced_change(*CAT))
    studio.put(90)
    studio.pipeline.accept(OriginalChange(ref=CAT, sequencer="2"))
    assert not studio.record().is_forced
    assert studio.process("2").status == "ready"


def test_a_backfill_of_an_unknown_original_gives_way_to_any_event(studio: Studio) -> None:
    studio.put(40)
    assert studio.process("", None, force=True, presets=frozenset()).status == "ready"
    assert studio.record().sequencer == "0"
    assert studio.process("1").status == "ready"


def test_a_change_without_a_kind_follows_the_source(studio: Studio) -> None:
    studio.put(40)
    assert studio.process("1", None).status == "ready"
    assert studio.process("2", None).status == "repeated", "the same version is still there"
    del studio.originals.bodies[CAT]
    assert studio.process("3", None).status == "deleted"


def test_an_output_key_of_another_original_is_not_overwritten(studio: Studio) -> None:
    studio.template = "{preset}/{stem}"
    other = ObjectRef("photos", "cat.gif")
    studio.put(40)
    studio.put(90, other)
    studio.process("1")
    outcome = studio.process("1", ref=other)
    assert outcome.error is not None
    assert (outcome.status, outcome.error.code) == ("rejected", "OutputKeyTaken")
    assert set(studio.output.shades().values()) == {40}
    studio.process("2", "deleted", ref=other)
    assert set(studio.output.shades().values()) == {40}


def test_an_object_of_another_program_is_replaced_but_never_deleted(studio: Studio) -> None:
    from handler.core.ports import ObjectAttributes

    by_hand = (picture(7), ObjectAttributes("image/png", "", {}))
    studio.output.objects["thumb/photos/cat.png"] = by_hand
    studio.process("1", "deleted")
    assert studio.output.objects == {"thumb/photos/cat.png": by_hand}
    studio.put(40)
    studio.process("2")
    assert studio.output.shades() == dict.fromkeys(BOTH, 40)


@pytest.mark.parametrize("make", [lambda studio: studio.records, lambda _: None], ids=["recorded", "unrecorded"])
def test_no_time_left(studio: Studio, unrecorded: Studio, make: Callable[[Studio], object]) -> None:
    chosen = studio if make(studio) else unrecorded
    chosen.put(40)
    with pytest.raises(TimeExceeded):
        chosen.pipeline.process(OriginalChange(ref=CAT, sequencer="1"), Deadline(at=0))
    assert chosen.output.objects == {}


def test_what_the_owner_changes_while_an_original_is_processed_is_kept(studio: Studio) -> None:
    applied = AppliedRecipe(id="r", recipe="cutout", edits={"removeBackground": True}, created_at=studio.now)

    def rename() -> None:
        record = studio.record()
        assert record.status == "processing"
        changed = replace(record, name="My cat", owner="visitor", applied=(applied,))
        assert studio.records.write(changed, replaces=record.revision)

    studio.put(40)
    studio.originals.during_read = rename
    assert set(studio.process("1").stored) == BOTH
    record = studio.record()
    assert (record.status, record.name, record.owner, record.applied) == ("ready", "My cat", "visitor", (applied,))
    assert studio.notices() == ["image.ready"]
