"""The one way from an ImageRequest to its Result, for every door. It knows no events and no status codes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from handler.cache_control import strictest
from handler.observability import add_log_fields
from handler.ports import DetectionService, Objects
from handler.render.inputs import Inputs, fetch_inputs, tag_of
from handler.requests.image_request import Conditions, ImageRequest
from imaging import (
    Context,
    Deadline,
    Decision,
    ImageHeader,
    Limits,
    Rendered,
    Report,
    Step,
    decide_all,
    describe,
    describe_steps,
    run,
)

REPORT = "application/json"
"""Media type of what is no picture: `info`, palettes, verdicts."""

_VARIES = "-v"


class RenderContext(msgspec.Struct, frozen=True):
    """What `produce` works with."""

    objects: Objects
    limits: Limits
    version: str
    """Of the code that draws: part of every ETag."""
    deployed_at: datetime
    detection: Callable[[], DetectionService] | None = None
    """Opens those who see; asked by the features that are billed."""
    weights: str | None = None
    """Folder of the models' weights."""
    delegates_expensive: bool = False
    """Whether another function does what is heavy."""


class Delegate(Exception):
    """What is to be made is heavy, and another function makes such."""


class Result(msgspec.Struct, frozen=True):
    """A finished answer: a picture, or a report in JSON; without a body when the client has it already."""

    body: bytes
    media_type: str
    etag: str
    """Unquoted; it names the stored answer too."""
    last_modified: datetime
    not_modified: bool = False
    negotiated: bool = False
    """Whether another `Accept` could have had another answer."""
    cache_control: str = ""
    """What the original asks for."""
    tags: tuple[str, ...] = ()
    """Cache tags, one for each object that went in."""
    source: ImageHeader | None = None
    width: int = 0
    height: int = 0
    is_cacheable: bool = True
    """Otherwise the next request may be answered differently, and nobody may keep this answer."""
    offloaded_key: str = ""
    """Where in the results bucket the body lies, instead of here."""

    @property
    def validator(self) -> str:
        """The ETag as clients get it: with it comes back whether `Accept` counts, which a 304 has to say again."""
        return self.etag + (_VARIES if self.negotiated else "")


class ResultCache(Protocol):
    """Where finished answers may be kept; `size` is that of the original in bytes."""

    def find(self, request: ImageRequest, bare: Result, size: int) -> Result | None:
        """The answer whose facts `bare` holds, if it was kept."""
        ...

    def keep(self, request: ImageRequest, result: Result, size: int, deadline: Deadline) -> Result:
        """The same answer, kept if that is worth it and done before the deadline."""
        ...


def render(
    request: ImageRequest,
    render_context: RenderContext,
    *,
    deadline: Deadline,
    conditions: Conditions | None = None,
    result_cache: ResultCache | None = None,
) -> Result:
    """Fetch, apply, encode. FeatureError or HandlerError for whatever does not work, HandOver for what is not ours."""
    add_log_fields(features="+".join(dict.fromkeys(step.feature.name for step in request.steps)) or "none")
    inputs = fetch_inputs(request, render_context.objects, render_context.limits)
    context = _context(request, inputs, render_context, deadline)
    decision = decide_all(request.steps, context)
    bare = _bare(request, inputs, render_context, decision)
    had = _had(conditions, bare, request) if conditions is not None else None
    if had is not None:
        return had
    size = sum(info.size for info in inputs.infos)
    found = result_cache.find(request, bare, size) if result_cache else None
    if found is not None:
        add_log_fields(kept=True)
        return found
    if render_context.delegates_expensive and any(step.feature.expensive for step in decision.steps):
        raise Delegate
    outcome = decision.report or _run(request, inputs, decision.steps, context)
    made = _made(bare, outcome)
    return result_cache.keep(request, made, size, deadline) if result_cache else made


def _bare(request: ImageRequest, inputs: Inputs, render_context: RenderContext, decision: Decision) -> Result:
    """What is known of an answer before it is made."""
    original = inputs.original
    return Result(
        b"",
        "",
        _etag(request, inputs, render_context.version, decision.etag_parts),
        max([render_context.deployed_at, *(info.last_modified for info in inputs.infos)]),
        cache_control=strictest(
            "" if isinstance(original, bytes) else original.info.cache_control,
            (each.info.cache_control for each in inputs.named.values()),
        ),
        tags=tuple(tag_of(info.ref) for info in inputs.infos),
        is_cacheable=decision.is_cacheable,
        negotiated=request.negotiated or request.output.format == "auto",
    )


def _made(bare: Result, outcome: Rendered | Report) -> Result:
    if isinstance(outcome, Rendered):
        return msgspec.structs.replace(
            bare,
            body=outcome.body,
            media_type=outcome.media_type,
            negotiated=bare.negotiated or outcome.negotiated,
            source=outcome.source,
            width=outcome.width,
            height=outcome.height,
        )
    body = json.dumps(outcome.content, ensure_ascii=False).encode()
    return msgspec.structs.replace(bare, body=body, media_type=REPORT, negotiated=False)


def _context(request: ImageRequest, inputs: Inputs, render_context: RenderContext, deadline: Deadline) -> Context:
    """What surrounds the run, without the bytes of other objects: to decide something they need not be read."""
    context = Context(
        limits=render_context.limits, deadline=deadline, accepts=request.accepts, weights=render_context.weights
    )
    if render_context.detection is None or not any(step.feature.billed for step in request.steps):
        return context
    original, *overlays = inputs.detection_inputs
    vision = render_context.detection().on(original, overlays, render_context.limits, deadline)
    return msgspec.structs.replace(context, vision=vision)


def _run(request: ImageRequest, inputs: Inputs, steps: Sequence[Step], context: Context) -> Rendered | Report:
    original, named = inputs.read()
    return run(original, steps, request.output, msgspec.structs.replace(context, objects=named))


def _etag(request: ImageRequest, inputs: Inputs, version: str, decision: tuple[str, ...]) -> str:
    named = [
        version,
        inputs.posted,
        [(*info.ref, info.etag) for info in inputs.infos],
        describe_steps(request.steps),
        decision,
        describe(request.output),
        # Where no format is named, what the original is decides whether `Accept` counts (HEIC): not yet known.
        sorted(request.accepts) if request.output.format in (None, "original", "auto") else [],
    ]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:32]


def _had(conditions: Conditions, bare: Result, request: ImageRequest) -> Result | None:
    """The answer without a body, if the client has it already.

    RFC 9110, 13.2.2: If-Modified-Since counts only where If-None-Match is absent.
    """
    tags: set[str] = set()
    if conditions.none_match:
        tags = {tag.strip().removeprefix("W/").strip('"') for tag in conditions.none_match.split(",")}
        if not tags & {"*", bare.etag, bare.etag + _VARIES}:
            return None
    elif conditions.modified_since is None or bare.last_modified.replace(microsecond=0) > conditions.modified_since:
        return None
    # Without its own ETag nobody knows whether the original is one whose format the client decides.
    may_vary = bare.negotiated or request.output.format in (None, "original")
    varies = bare.etag + _VARIES in tags or (may_vary and bare.etag not in tags)
    return msgspec.structs.replace(bare, not_modified=True, negotiated=varies)
