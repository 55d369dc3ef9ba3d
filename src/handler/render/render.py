"""Render an ImageRequest: the same function for every entrypoint, without events and status codes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from handler.core.errors import HandlerError
from handler.core.http_headers import strictest
from handler.core.ports import DetectionService, ObjectReader, Objects
from handler.observability.logs import add_log_fields
from handler.observability.redaction import redact_text
from handler.render.inputs import Inputs, fetch_inputs
from handler.render.results import (
    FORMAT_NAMES,
    REPORT,
    Delegated,
    RenderedResult,
    Result,
    ResultCache,
    ResultFacts,
    not_modified,
)
from handler.requests.image_request import Conditions, ImageRequest
from imaging import (
    Context,
    Deadline,
    Decision,
    FeatureError,
    Limits,
    ObjectRef,
    Rendered,
    Report,
    decide_all,
    describe,
    describe_steps,
    run,
)

if TYPE_CHECKING:
    from handler.render.overlays import RenderedOverlay, Spent
    from imaging import PixelCache


class RenderContext(msgspec.Struct, frozen=True):
    """What rendering needs beside the request."""

    objects: Objects
    limits: Limits
    version: str
    """Version of the rendering code: part of every ETag."""
    deployed_at: datetime
    detection: Callable[[], DetectionService] | None = None
    """Opens the detectors; called only for steps that may detect something."""
    weights: str | None = None
    """Folder of the models' weights."""
    cutout_model: str = "auto"
    """The model of cut-outs whose request names none."""
    delegates_expensive: bool = False
    """Whether the model function renders what is expensive."""
    pixels: PixelCache | None = None
    """Decoded originals; None if they are not kept."""


def render(
    request: ImageRequest,
    render_context: RenderContext,
    *,
    deadline: Deadline,
    conditions: Conditions,
    result_cache: ResultCache | None,
) -> Result:
    """Return what an HTTP client gets; cheap answers come first. Raises FeatureError or HandlerError."""
    rendering = _prepare(request, render_context, deadline)
    unchanged = not_modified(conditions, rendering.facts, request)
    if unchanged is not None:
        return unchanged
    size = sum(info.size for info in rendering.inputs.infos)
    found = result_cache.lookup(request, rendering.facts, size) if result_cache else None
    if found is not None:
        add_log_fields(kept=True)
        return found
    if render_context.delegates_expensive and rendering.is_expensive:
        return Delegated()
    result = rendering.finish()
    return result_cache.store(request, result, size, deadline) if result_cache else result


def render_or_delegate(
    request: ImageRequest, render_context: RenderContext, deadline: Deadline
) -> RenderedResult | Delegated:
    """Render for a caller without a cache. Raises FeatureError or HandlerError."""
    rendering = _prepare(request, render_context, deadline)
    return Delegated() if render_context.delegates_expensive and rendering.is_expensive else rendering.finish()


def render_here(request: ImageRequest, render_context: RenderContext, deadline: Deadline) -> RenderedResult:
    """Render in this process, however expensive it is. Raises FeatureError or HandlerError."""
    return _prepare(request, render_context, deadline).finish()


def render_each(
    requests: Sequence[ImageRequest], render_context: RenderContext, objects: ObjectReader, deadline: Deadline
) -> Iterator[tuple[int, RenderedResult | FeatureError | HandlerError]]:
    """Render several requests for one original in this process, however expensive they are.

    Yield the number of each request with its result or its error, in any order. The original is decoded once where
    that is possible. Raise FeatureError or HandlerError if the original itself cannot be read.
    """
    from imaging import Job, run_each  # noqa: PLC0415 - an HTTP request is for one result

    renderings: list[tuple[int, _Rendering]] = []
    for number, request in enumerate(requests):
        try:
            rendering = _prepare(request, render_context, deadline, objects)
        except (FeatureError, HandlerError) as error:
            yield number, error
            continue
        if rendering.decision.report is not None:
            yield number, rendering.result(rendering.decision.report)
        else:
            renderings.append((number, rendering))
    if not renderings:
        return
    original = renderings[0][1].inputs.read_original()
    ready, jobs = [], []
    for number, rendering in renderings:
        try:
            named = rendering.inputs.read_named()
        except (FeatureError, HandlerError) as error:  # of an overlay
            yield number, error
            continue
        ready.append((number, rendering))
        context = msgspec.structs.replace(rendering.context, objects=named)
        jobs.append(Job(rendering.decision.steps, rendering.request.output, context))
    for index, outcome in run_each(original, jobs) if jobs else ():
        number, rendering = ready[index]
        yield number, outcome if isinstance(outcome, FeatureError) else rendering.result(outcome)


class _Rendering(msgspec.Struct, frozen=True):
    """A request whose inputs are fetched and whose features have decided; nothing is decoded yet."""

    request: ImageRequest
    inputs: Inputs
    context: Context
    decision: Decision
    facts: ResultFacts
    pixels: PixelCache | None = None
    overlays: Mapping[ObjectRef, RenderedOverlay] = msgspec.field(default_factory=dict)
    """The overlays that are images at addresses."""

    @property
    def is_expensive(self) -> bool:
        own = self.request.output.searches or any(step.is_expensive for step in self.decision.steps)
        return own or any(overlay.rendering.is_expensive for overlay in self.overlays.values())

    def finish(self) -> RenderedResult:
        """Read the inputs, apply the steps and encode the result."""
        outcome: Rendered | Report | None = self.decision.report
        if outcome is None:
            outcome = self.run()
            if isinstance(outcome, Rendered) and outcome.gain_map:
                add_log_fields(gain_map=outcome.gain_map)
        result = self.result(outcome)
        self._log(result)
        return result

    def run(self, spent: Spent | None = None, held: int = 0) -> Rendered | Report:
        """Apply the steps and encode the result, after the overlays that are images at addresses are rendered.

        All of them share one budget. `held` are the bytes of files that are in memory for the image that this one is
        laid over.
        """
        limits = self.context.limits
        if self.overlays or spent is not None:
            from handler.render.overlays import Spent, read_overlays  # noqa: PLC0415 - few overlays have edits

            spent = spent or Spent()
            named = read_overlays(self.inputs, spent, held)
            limits = spent.left(limits, held)
        else:
            named = self.inputs.read_named()
        context = msgspec.structs.replace(self.context, objects=named, limits=limits)
        steps, output = self.decision.steps, self.request.output
        outcome = self.inputs.draw_from(self.pixels, steps, output, context) if self.pixels is not None else None
        outcome = outcome or run(self.inputs.open_original(), steps, output, context)
        if spent is not None:
            spent.add(outcome)
        return outcome

    def _log(self, result: RenderedResult) -> None:
        original = self.inputs.original
        inline = len(original) if isinstance(original, bytes) else 0
        add_log_fields(
            format=FORMAT_NAMES.get(result.media_type, "json"),
            source_bytes=sum((info.size for info in self.inputs.infos), inline),
            result_bytes=len(result.body),
        )

    def result(self, outcome: Rendered | Report) -> RenderedResult:
        """Return what the engine has made, with what is known of it."""
        facts = self.facts
        if isinstance(outcome, Rendered):
            # Only the original's own format may tell that `Accept` counted (HEIC).
            if outcome.negotiated and not facts.negotiated:
                facts = msgspec.structs.replace(facts, negotiated=True)
            return RenderedResult.of_image(facts, outcome, self.request)
        body = json.dumps(outcome.content, ensure_ascii=False).encode()
        return RenderedResult(msgspec.structs.replace(facts, negotiated=False), body, REPORT)


def _prepare(
    request: ImageRequest, render_context: RenderContext, deadline: Deadline, objects: ObjectReader | None = None
) -> _Rendering:
    """Fetch the inputs' facts and let the features decide. `objects` replaces those of the context."""
    overlays = _open_overlays(request, render_context, deadline, objects) if request.overlays else {}
    # The overlays have logged theirs: the last one to do so is the image as a whole.
    add_log_fields(features="+".join(dict.fromkeys(step.feature.name for step in request.all_steps)) or "none")
    if not isinstance(request.source, bytes):
        add_log_fields(source=request.source.bucket or "default", key=redact_text(request.source.key))
    inputs = fetch_inputs(request, objects or render_context.objects, render_context.limits, overlays)
    context = _context(request, inputs, overlays, render_context, deadline)
    decision = decide_all(request.steps, context)
    original = inputs.original
    facts = ResultFacts(
        _etag(request, inputs, render_context.version, decision.etag_parts),
        max([render_context.deployed_at, *(info.last_modified for info in inputs.infos)]),
        negotiated=request.negotiated or request.output.negotiates,
        cache_control=strictest(
            "" if isinstance(original, bytes) else original.info.cache_control,
            (each.info.cache_control for each in inputs.named.values()),
        ),
        tags=inputs.tags,
        is_cacheable=decision.is_cacheable and all(each.rendering.facts.is_cacheable for each in overlays.values()),
    )
    return _Rendering(request, inputs, context, decision, facts, render_context.pixels, overlays)


def _open_overlays(
    request: ImageRequest, render_context: RenderContext, deadline: Deadline, objects: ObjectReader | None
) -> dict[ObjectRef, RenderedOverlay]:
    from handler.render.overlays import RenderedOverlay, list_overlays  # noqa: PLC0415 - few overlays have edits

    return {
        ref: RenderedOverlay(name, ref, _prepare(overlay, render_context, deadline, objects))
        for name, ref, overlay in list_overlays(request, render_context.limits)
    }


def _context(
    request: ImageRequest,
    inputs: Inputs,
    overlays: Mapping[ObjectRef, RenderedOverlay],
    render_context: RenderContext,
    deadline: Deadline,
) -> Context:
    """Return the context in which features decide: the overlays' bytes, which only applying needs, are left out."""
    context = Context(
        limits=render_context.limits, deadline=deadline, accepts=request.accepts, weights=render_context.weights,
        cutout_model=render_context.cutout_model,
    )  # fmt: skip
    may_look = any(step.may_detect or step.is_expensive for step in request.steps)
    if render_context.detection is None or not may_look:
        return context
    original = inputs.detection_input
    seen = {ref: stored.detection_input for ref, stored in inputs.named.items()}
    if overlays:
        from handler.render.overlays import seen_objects  # noqa: PLC0415 - few overlays have edits

        seen |= seen_objects(overlays)
    service = render_context.detection()
    vision = service.on(original, seen, render_context.limits, deadline)
    masks = service.masks(original, render_context.version, deadline)
    return msgspec.structs.replace(context, vision=vision, masks=masks)


def _etag(request: ImageRequest, inputs: Inputs, version: str, decision: tuple[str, ...]) -> str:
    """Return a hash of all that the result depends on."""
    named = [
        version,
        inputs.inline_hash,
        [(*info.ref, info.etag) for info in inputs.infos],
        describe_steps(request.steps),
        decision,
        describe(request.output),
        # Unless the request names a format, the format of the original decides whether `Accept` counts (HEIC), and the
        # original is not read yet.
        sorted(request.accepts) if request.output.format in (None, "original") or request.output.negotiates else [],
    ]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:32]
