"""Each kind of result comes from `render` where it should, and cheaper ones come first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests import pictures

from features import edits
from handler.core.errors import NotFound
from handler.render.render import RenderContext, render, render_here, render_or_delegate
from handler.render.results import Delegated, NotModified, Offloaded, RenderedResult, Result, ResultFacts
from handler.requests.image_request import Conditions, ImageRequest
from handler.storage.sources import open_sources
from imaging import Deadline, Limits, ObjectRef, Output

MOMENT = datetime(2026, 8, 1, tzinfo=UTC)
CAT = ImageRequest(ObjectRef("pictures", "cat.jpg"), output=Output(format="png"))
CUT = ImageRequest(ObjectRef("pictures", "cat.jpg"), edits({"removeBackground": {}}))
NEVER = Conditions(none_match='"another"')


@dataclass
class Cache:
    """Stores results in memory, and says that those of more than `max_bytes` are offloaded."""

    max_bytes: int = 1_000_000
    stored: dict[str, RenderedResult] = field(default_factory=dict)
    lookups: int = 0

    def lookup(self, _request: ImageRequest, facts: ResultFacts, size: int) -> RenderedResult | Offloaded | None:
        assert size > 0
        self.lookups += 1
        return self.stored.get(facts.etag)

    def store(
        self, _request: ImageRequest, result: RenderedResult, size: int, deadline: Deadline
    ) -> RenderedResult | Offloaded:
        assert size > 0
        deadline.check()
        self.stored[result.facts.etag] = result
        return Offloaded(result.facts, "/elsewhere", 60) if len(result.body) > self.max_bytes else result


@pytest.fixture
def context(tmp_path: Path) -> RenderContext:
    (tmp_path / "cat.jpg").write_bytes(pictures.jpeg())
    sources = open_sources(f"pictures=file://{tmp_path}", limit=10**6)
    return RenderContext(sources, Limits(), "1", MOMENT, delegates_expensive=True)


def outcome(
    request: ImageRequest, context: RenderContext, cache: Cache | None = None, conditions: Conditions = NEVER
) -> Result:
    return render(request, context, deadline=Deadline(), conditions=conditions, result_cache=cache)


def test_a_result_is_rendered_once_and_then_found(context: RenderContext) -> None:
    cache = Cache()
    first = outcome(CAT, context, cache)
    assert isinstance(first, RenderedResult)
    assert first.media_type == "image/png"
    assert outcome(CAT, context, cache) is cache.stored[first.facts.etag]


def test_a_result_that_the_client_has_is_not_looked_up(context: RenderContext) -> None:
    cache = Cache()
    first = outcome(CAT, context)
    assert isinstance(first, RenderedResult)
    again = outcome(CAT, context, cache, Conditions(none_match=f'"{first.facts.etag}"'))
    assert again == NotModified(first.facts)
    assert cache.lookups == 0


def test_a_result_that_is_too_large_is_offloaded(context: RenderContext) -> None:
    large = outcome(CAT, context, Cache(max_bytes=9))
    assert isinstance(large, Offloaded)
    assert (large.location, large.max_age) == ("/elsewhere", 60)


def test_an_expensive_result_is_delegated_unless_it_is_cached_or_the_client_has_it(context: RenderContext) -> None:
    cache = Cache()
    assert outcome(CUT, context, cache) == render_or_delegate(CUT, context, Deadline()) == Delegated()
    assert cache.stored == {}
    known = outcome(CUT, context, conditions=Conditions(none_match="*"))
    assert isinstance(known, NotModified)
    cache.stored[known.facts.etag] = RenderedResult(known.facts, b"png", "image/png")
    assert outcome(CUT, context, cache) is cache.stored[known.facts.etag]


def test_the_cheap_ones_are_rendered_here(context: RenderContext) -> None:
    assert render_or_delegate(CAT, context, Deadline()) == render_here(CAT, context, Deadline())


def test_a_missing_original_is_an_error(context: RenderContext) -> None:
    with pytest.raises(NotFound):
        outcome(ImageRequest(ObjectRef("pictures", "dog.jpg")), context)
