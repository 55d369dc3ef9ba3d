"""Any sequence of changes, deliveries, faults, sweeps and repetitions ends in what the newest versions ask for.

Rendering is replaced by a copy, so that thousands of sequences can be tried; everything else is real.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from tests.handler.uploads.studio import MOMENT, MemoryRecords, Studio
from tests.handler.uploads.test_order import MOMENTS, Killed, Steps

from handler.core.errors import HandlerError, UpstreamError
from handler.core.ports import ObjectReader
from handler.records.record import FINAL, notice_of, record_id
from handler.records.store import RecordFilter, RecordPage
from handler.render.render import RenderContext
from handler.render.results import RenderedResult, ResultFacts
from handler.requests.image_request import ImageRequest
from handler.uploads import rendering
from handler.uploads.change import OriginalChange, is_older
from handler.uploads.recovery import Sweep
from imaging import Deadline, FeatureError, ObjectRef, UnsupportedSource

REFS = [ObjectRef("photos", "a"), ObjectRef("photos", "b")]
JUNK, DELETED = b"junk", b""
VERSIONS = [json.dumps({"version": version}).encode() for version in (1, 2)]
BODIES = st.sampled_from([*VERSIONS, DELETED, JUNK])
FAULTS = st.none() | st.builds(
    Steps,
    st.integers(1, 16),
    st.sampled_from([Killed(), UpstreamError("down")]),
    after=st.booleans(),
)
MAX_ATTEMPTS = 3


def copy_each(
    requests: Sequence[ImageRequest], context: RenderContext, objects: ObjectReader, deadline: Deadline
) -> Iterator[tuple[int, RenderedResult | FeatureError | HandlerError]]:
    """Stands for `render_each`: each result is a copy of the original, which is JSON, as a report is."""
    ref = requests[0].source
    assert isinstance(ref, ObjectRef)
    original = objects.get(ref)
    body = original.read()
    if body == JUNK:
        raise UnsupportedSource("no image")
    for number in range(len(requests)):
        yield number, RenderedResult(ResultFacts(original.info.etag, MOMENT), body, "image/x-copy")


class SweptRecords(MemoryRecords):
    """Also finds what is in process."""

    def page(self, which: RecordFilter, cursor: str, limit: int) -> RecordPage:
        return RecordPage(tuple(each for each in self.all.values() if each.status == which.status), None)


@dataclass
class Message:
    """An event in the queue."""

    ref: ObjectRef
    sequencer: str
    kind: Any
    receives: int = 0


class Uploads(RuleBasedStateMachine):
    """A queue that delivers at least once and in any order, and functions that fail."""

    def __init__(self) -> None:
        super().__init__()
        self.studio = Studio(SweptRecords(), max_attempts=MAX_ATTEMPTS)
        self.newest: dict[ObjectRef, tuple[str, bytes]] = {}
        self.visible: list[Message] = []
        self.dead: list[Message] = []
        self.seen: dict[str, str] = {}
        self.repeated: set[ObjectRef] = set()
        """Originals that were processed again: perhaps a newer version, under the sequencer of an older one."""
        self.changes = 0

    @rule(ref=st.sampled_from(REFS), body=BODIES, copies=st.integers(1, 2))
    def change_an_original(self, ref: ObjectRef, body: bytes, copies: int) -> None:
        self.changes += 1
        sequencer = f"{self.changes * 7:X}"
        self.newest[ref] = sequencer, body
        if body == DELETED:
            self.studio.originals.bodies.pop(ref, None)
        else:
            self.studio.originals.bodies[ref] = body
        kind = "deleted" if body == DELETED else "created"
        self.visible += [Message(ref, sequencer, kind) for _ in range(copies)]

    @precondition(lambda self: self.visible)
    @rule(data=st.data(), faults=FAULTS)
    def deliver(self, data: st.DataObject, faults: Steps | None) -> None:
        self._deliver(data.draw(st.sampled_from(self.visible)), faults)

    @precondition(lambda self: len(self.visible) > 1)
    @rule(data=st.data(), moment=st.sampled_from([*MOMENTS]), faults=FAULTS, inner=FAULTS)
    def deliver_at_the_same_time(
        self, data: st.DataObject, moment: str, faults: Steps | None, inner: Steps | None
    ) -> None:
        first, second = data.draw(st.permutations(self.visible))[:2]
        MOMENTS[moment](self.studio, lambda: self._deliver(second, inner))
        self._deliver(first, faults)
        self._end_hooks()

    @precondition(lambda self: self.visible)
    @rule(
        data=st.data(), moment=st.sampled_from([*MOMENTS]), body=BODIES, reports=st.booleans(), faults=FAULTS,
        inner=FAULTS,
    )  # fmt: skip
    def change_during_a_delivery(
        self,
        data: st.DataObject,
        moment: str,
        body: bytes,
        reports: bool,
        faults: Steps | None,
        inner: Steps | None,
    ) -> None:
        message = data.draw(st.sampled_from(self.visible))

        def change() -> None:
            self.change_an_original(message.ref, body, 1)
            if reports:
                self._deliver(self.visible[-1], inner)

        MOMENTS[moment](self.studio, change)
        self._deliver(message, faults)
        self._end_hooks()

    @rule(ref=st.sampled_from(REFS), force=st.booleans(), faults=FAULTS)
    def process_again(self, ref: ObjectRef, force: bool, faults: Steps | None) -> None:
        """As the operator, or a backfill, asks for it."""
        if ref in self.newest:
            self.repeated.add(ref)
            with suppress(Killed, HandlerError):
                self._process(OriginalChange(ref=ref, kind=None, force=force), faults)

    @rule(faults=FAULTS)
    def sweep(self, faults: Steps | None) -> None:
        studio = faults.process_of(self.studio) if faults else self.studio
        with suppress(Killed, HandlerError):
            Sweep(studio.pipeline, timedelta(0)).run(Deadline.after(60))

    @rule()
    def redrive(self) -> None:
        self.visible += [dataclasses.replace(each, receives=0) for each in self.dead]
        self.dead.clear()

    @invariant()
    def records_do_not_go_back_in_time(self) -> None:
        self.studio.now += timedelta(seconds=1)
        for ref in REFS:
            record = self.studio.records.get(record_id(*ref))
            if record is not None:
                assert not is_older(record.sequencer, self.seen.get(record.id, "0"))
                self.seen[record.id] = record.sequencer

    def teardown(self) -> None:
        """Deliver everything; what has failed must be in the dead-letter queue. Then deliver that, too.

        What the operator had processed again has no message: if that failed, its record says so, and he asks once more.
        """
        self._drain()
        for ref, (sequencer, body) in self.newest.items():
            record = self.studio.records.get(record_id(*ref))
            if ref in self.repeated and record is not None and record.status == "failed":
                self.process_again(ref, force=True, faults=None)
            if not self._is_final(ref, sequencer, body):
                assert any((each.ref, each.sequencer) == (ref, sequencer) for each in self.dead)
        self.redrive()
        self._drain()
        assert not self.dead
        expected: dict[str, tuple[bytes, str]] = {}
        for ref, (sequencer, body) in self.newest.items():
            assert self._is_final(ref, sequencer, body)
            record = self.studio.record(ref)
            keys = [f"{preset}/{ref.bucket}/{ref.key}" for preset in self.studio.presets] if body in VERSIONS else []
            assert sorted(variant.key for variant in record.variants) == sorted(keys)
            expected |= dict.fromkeys(keys, (body, sequencer))
        stored = self.studio.output.objects.items()
        assert {key: (body, attributes.metadata["sequencer"]) for key, (body, attributes) in stored} == expected
        self._check_notices()

    def _deliver(self, message: Message, faults: Steps | None) -> None:
        if message not in self.visible:
            return
        self.visible.remove(message)
        message.receives += 1
        change = OriginalChange(
            ref=message.ref, sequencer=message.sequencer, kind=message.kind, attempt=message.receives
        )
        try:
            self._process(change, faults)
        except (Killed, HandlerError):
            (self.dead if message.receives >= MAX_ATTEMPTS else self.visible).append(message)

    def _process(self, change: OriginalChange, faults: Steps | None) -> None:
        studio = faults.process_of(self.studio) if faults else self.studio
        studio.pipeline.process(change, Deadline.after(60))

    def _drain(self) -> None:
        self._end_hooks()
        for _ in range(MAX_ATTEMPTS + 1):
            for message in [*self.visible]:
                self._deliver(message, None)
            Sweep(self.studio.pipeline, timedelta(0)).run(Deadline.after(60))
        assert not self.visible

    def _end_hooks(self) -> None:
        self.studio.originals.during_read = self.studio.output.before_put = lambda: None
        self.studio.output.before_delete = lambda: None

    def _is_final(self, ref: ObjectRef, sequencer: str, body: bytes) -> bool:
        record = self.studio.records.get(record_id(*ref))
        status = {DELETED: "deleted", JUNK: "rejected"}.get(body, "ready")
        return record is not None and (record.status, record.sequencer) == (status, sequencer)

    def _check_notices(self) -> None:
        records = self.studio.records
        assert isinstance(records, SweptRecords)
        states = Counter(
            (notice.record.id, notice.record.sequencer, notice.type)
            for notice in records.announced.values()
            if ObjectRef(notice.record.source, notice.record.key) not in self.repeated
        )
        assert max(states.values(), default=1) == 1, "a state of a version is announced twice"
        for record in records.all.values():
            assert record.status in FINAL
            own = [notice for notice in records.announced.values() if notice.record.id == record.id]
            last = max(own, key=lambda notice: notice.record.revision)
            # A deleted original is not announced again when an event of a newer deletion comes.
            is_known = (record.status, last.type) == ("deleted", "image.deleted")
            assert is_known or notice_of(record).id in records.announced


@pytest.mark.parametrize("runs", [100, pytest.param(2000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_any_sequence_ends_in_the_newest_versions(runs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "render_each", copy_each)
    checks = settings(
        max_examples=runs,
        stateful_step_count=20,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    run_state_machine_as_test(Uploads, settings=checks)
