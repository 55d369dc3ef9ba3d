"""Events in any order, more than once, at the same time, and in processes that are killed: the newest version stands.

`check` is the model: of an original that exists there are exactly the variants and the record of its newest event; of
one that was deleted there is nothing but its record.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.handler.uploads.studio import CAT, MemoryRecords, MemoryStore, Studio, shade_of
from tests.stand_ins.moto import Moto

from handler.core.errors import HandlerError, UpstreamError
from handler.storage.results import open_results

KEYS = ("large/photos/cat.png", "thumb/photos/cat.png")
DELETED = -1
"""Stands for the shade of an original that was deleted."""


def change(studio: Studio, shade: int) -> str:
    """Change the original, and return the kind of the change."""
    if shade == DELETED:
        studio.originals.bodies.pop(CAT, None)
        return "deleted"
    studio.put(shade)
    return "created"


def check(studio: Studio, shade: int, sequencer: str | None = None) -> None:
    """Check that exactly the newest version is there."""
    if shade == DELETED:
        assert studio.output.objects == {}
        assert studio.record().status == "deleted"
        assert studio.record().variants == ()
    else:
        assert studio.output.shades() == dict.fromkeys(KEYS, shade)
        record = studio.record()
        assert record.status == "ready"
        assert sorted(variant.key for variant in record.variants) == sorted(KEYS)
        assert record.etag == studio.originals.head(CAT).etag
        assert set(studio.output.sequencers().values()) == {record.sequencer}
    if sequencer is not None:
        assert studio.record().sequencer == sequencer


@pytest.mark.parametrize(
    ("older", "newer"),
    [("0A", "0B"), ("0a", "0B"), ("9", "10"), ("0055AED6DCD90281E5", "55AED6DCD90281E6"), ("FF", "0100")],
)
@pytest.mark.parametrize("kind", ["studio", "unrecorded"])
def test_an_older_event_gives_way(kind: str, older: str, newer: str, request: pytest.FixtureRequest) -> None:
    studio: Studio = request.getfixturevalue(kind)
    for order in (((newer, 90), (older, 40)), ((older, 40), (newer, 90))):
        studio.output.objects.clear()
        for sequencer, shade in order:
            studio.put(shade)
            studio.process(sequencer)
        if kind == "unrecorded":
            assert set(studio.output.sequencers().values()) == {newer.upper().lstrip("0")}
            assert order[0][0] == newer or set(studio.output.shades().values()) == {90}


@settings(max_examples=40)
@given(
    versions=st.lists(st.sampled_from([40, 90, 140, DELETED]), min_size=1, max_size=5),
    order=st.randoms(use_true_random=False),
    copies=st.integers(1, 3),
)
def test_in_any_order_and_however_often(versions: list[int], order: random.Random, copies: int) -> None:
    """Each change is reported several times, in any order and at any time after it."""
    studio = Studio(MemoryRecords())
    pending: list[tuple[str, str]] = []
    for number, version in enumerate(versions, 1):
        pending += [(f"{number:X}", change(studio, version))] * copies
        order.shuffle(pending)
        for _ in range(order.randrange(len(pending))):
            studio.process(*pending.pop())
    for sequencer, kind in pending:
        studio.process(sequencer, kind)
    check(studio, versions[-1], f"{len(versions):X}")


@settings(max_examples=40)
@given(
    versions=st.lists(st.sampled_from([40, 90, 140]), min_size=1, max_size=5),
    order=st.randoms(use_true_random=False),
)
def test_without_a_database_the_newest_variants_stand(versions: list[int], order: random.Random) -> None:
    studio = Studio()
    pending: list[str] = []
    for number, version in enumerate(versions, 1):
        studio.put(version)
        pending += [f"{number:X}"] * 2
        order.shuffle(pending)
        for _ in range(order.randrange(len(pending))):
            studio.process(pending.pop())
    for sequencer in pending:
        studio.process(sequencer)
    assert studio.output.shades() == dict.fromkeys(KEYS, versions[-1])
    assert len(studio.output.writes) <= 4 * len(versions)


MOMENTS: dict[str, Callable[[Studio, Callable[[], object]], None]] = {
    "rendering": lambda studio, hook: setattr(studio.originals, "during_read", hook),
    "writing": lambda studio, hook: setattr(studio.output, "before_put", hook),
    "deleting": lambda studio, hook: setattr(studio.output, "before_delete", hook),
}


@pytest.mark.parametrize("kind", ["studio", "unrecorded"])
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("versions", list(itertools.product([40, DELETED], [90, 40, DELETED], [90, 40, DELETED])))
def test_an_event_that_is_overtaken(
    kind: str, moment: str, versions: tuple[int, int, int], request: pytest.FixtureRequest
) -> None:
    """The first version is processed. While the second is, the third comes and is processed completely.

    S3's ETags of equal pictures are equal, so that a conditional write of the second can replace the third.
    """
    studio: Studio = request.getfixturevalue(kind)
    first, second, third = versions
    studio.process("1", change(studio, first))
    second_kind = change(studio, second)

    def overtake() -> None:
        studio.process("3", change(studio, third))

    MOMENTS[moment](studio, overtake)
    studio.process("2", second_kind)
    studio.originals.during_read = studio.output.before_put = studio.output.before_delete = lambda: None
    if change(studio, third) == "created" or kind == "studio":
        studio.process("3", change(studio, third))
    if kind == "studio":
        check(studio, third, "3")
    elif third != DELETED:
        assert studio.output.shades() == dict.fromkeys(KEYS, third)


class Killed(BaseException):
    """Ends a process at once: no handler of exceptions runs."""


class Steps:
    """Counts the calls of a store and of a database, and fails at one of them, before or after it has an effect."""

    def __init__(self, fail_at: int, error: BaseException, *, after: bool) -> None:
        self.count = 0
        self._fail_at = fail_at
        self._error = error
        self._after = after

    @property
    def has_failed(self) -> bool:
        return self.count >= self._fail_at

    def process_of(self, studio: Studio) -> Studio:
        """Return another process on the same originals, bucket and database, which fails."""
        records = self._wrap(studio.records, ("get", "write"))
        return replace(studio, records=records, output=self._wrap(studio.output, ("head", "put", "delete")))

    def _wrap(self, target: Any, names: tuple[str, ...]) -> Any:
        steps = self

        class Failing:
            def __getattr__(self, name: str) -> Any:
                method = getattr(target, name)
                return steps._guard(method) if name in names else method

        return Failing()

    def _guard(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            is_due = self.count == self._fail_at
            if is_due and not self._after:
                raise self._error
            result = method(*args, **kwargs)
            if is_due:
                raise self._error
            return result

        return guarded


ERRORS = pytest.mark.parametrize("error", [Killed(), UpstreamError("down")], ids=["killed", "failing"])
VERSIONS = pytest.mark.parametrize("versions", list(itertools.product([40, DELETED], [90, 40, DELETED])))


def each_step() -> Iterator[tuple[int, bool]]:
    """Yield the calls at which a process fails, and whether it fails after the call had its effect."""
    return itertools.product(range(1, 100), (False, True))


@VERSIONS
@ERRORS
@pytest.mark.parametrize("newer_first", [True, False], ids=["newer first", "older first"])
def test_a_process_that_ends_at_any_step(versions: tuple[int, int], error: BaseException, newer_first: bool) -> None:
    """The message comes again, and a later event comes as well, before it or after it."""
    for fail_at, after in each_step():
        studio = Studio(MemoryRecords())
        steps = Steps(fail_at, error, after=after)
        studio.process("1", change(studio, 140))
        older = change(studio, versions[0])
        with suppress(Killed, HandlerError):
            steps.process_of(studio).process("2", older)
        newer = change(studio, versions[1])
        events = [("2", older), ("3", newer)]
        for sequencer, kind in reversed(events) if newer_first else events:
            studio.process(sequencer, kind, attempt=2)
        check(studio, versions[1], "3")
        if not steps.has_failed:
            return
    pytest.fail("an event takes 100 calls")


@pytest.mark.slow
@VERSIONS
@ERRORS
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_process_that_is_overtaken_and_ends_at_any_step(
    versions: tuple[int, int], error: BaseException, moment: str
) -> None:
    """Its message comes again; that of the event that has overtaken it does not."""
    for fail_at, after in each_step():
        studio = Studio(MemoryRecords())
        steps = Steps(fail_at, error, after=after)
        studio.process("1", change(studio, 140))
        older = change(studio, versions[0])

        def overtake(studio: Studio = studio) -> None:
            studio.process("3", change(studio, versions[1]))

        MOMENTS[moment](studio, overtake)
        with suppress(Killed, HandlerError):
            steps.process_of(studio).process("2", older)
        studio.originals.during_read = studio.output.before_put = studio.output.before_delete = lambda: None
        if studio.record().sequencer != "3":
            overtake()
        studio.process("2", older, attempt=2)
        check(studio, versions[1], "3")
        if not steps.has_failed:
            return
    pytest.fail("an event takes 100 calls")


@pytest.mark.parametrize("kind", ["memory", "folder", "moto"])
@pytest.mark.parametrize("seed", range(3))
def test_many_functions_at_once(
    kind: str, seed: int, studio: Studio, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Versions come while six threads process the events of earlier ones, each delivered twice and in any order."""
    store: Any = MemoryStore()
    if kind == "folder":
        (tmp_path / "out").mkdir()
        store = open_results(f"out={(tmp_path / 'out').as_uri()}")
    if kind == "moto":
        moto: Moto = request.getfixturevalue("moto")
        store = open_results(moto.bucket(), aws=moto.access)
    studio.output = store
    shuffled = random.Random(seed)
    versions = [*(shuffled.choice([40, 90, 140, DELETED]) for _ in range(11)), shuffled.choice([40, DELETED])]
    with ThreadPoolExecutor(6) as pool:
        running = []
        for first in (0, 4, 8):
            events = []
            for number in range(first, first + 4):
                events += [(f"{number + 1:X}", change(studio, versions[number]))] * 2
            shuffled.shuffle(events)
            running += [pool.submit(deliver, studio, *event) for event in events]
        for each in running:
            each.result()
    assert studio.record().status == ("deleted" if versions[-1] == DELETED else "ready")
    found = {key: shade_of(body) for key in KEYS if (body := store.read(key)) is not None}
    assert found == ({} if versions[-1] == DELETED else dict.fromkeys(KEYS, versions[-1]))


def deliver(studio: Studio, sequencer: str, kind: str) -> None:
    """Deliver a message until it is accepted, as a queue does."""
    for attempt in range(1, 20):
        try:
            studio.process(sequencer, kind, attempt=1)
        except HandlerError:
            assert attempt < 19
        else:
            return


def test_a_version_is_announced_once_although_it_is_rendered_again(studio: Studio) -> None:
    """Between two of its variants the original changes, and a duplicate of the event ends; then it changes again."""
    studio.put(40)
    studio.process("1")
    studio.put(90)

    def overwrite() -> None:
        studio.put(140)
        studio.process("2")
        studio.put(200)

    studio.output.before_put = lambda: setattr(studio.output, "before_put", overwrite)
    studio.process("2")
    assert studio.notices() == ["image.ready"] * 2
    studio.process("3")
    check(studio, 200, "3")
    assert studio.notices() == ["image.ready"] * 3
