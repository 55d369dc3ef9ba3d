"""Overlays that are images at addresses: each is rendered for the image that it is laid over, within one budget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import msgspec

from handler.core.errors import PayloadTooLarge
from handler.core.ports import DetectionInput, ObjectInfo
from handler.render.inputs import Inputs
from handler.render.results import ResultFacts
from handler.requests.image_request import ImageRequest
from imaging import DamagedSource, InvalidParameter, Limits, ObjectRef, Rendered, Report, UnsupportedSource


class Spent:
    """The processor time that the images of one request were estimated to take so far."""

    def __init__(self) -> None:
        self._work = 0.0

    def left(self, limits: Limits, held: int) -> Limits:
        """Return the limits with what is left of the processor time, and of the memory beside `held` bytes."""
        if not self._work and not held:
            return limits
        return msgspec.structs.replace(limits, work=limits.work - self._work, memory=limits.memory - held)

    def add(self, outcome: Rendered | Report) -> None:
        """Count an image."""
        self._work += outcome.work if isinstance(outcome, Rendered) else 0.0


class Rendering(Protocol):
    """A request whose inputs are requested."""

    @property
    def request(self) -> ImageRequest: ...
    @property
    def inputs(self) -> Inputs: ...
    @property
    def facts(self) -> ResultFacts: ...
    @property
    def is_expensive(self) -> bool: ...
    @property
    def overlays(self) -> Mapping[ObjectRef, RenderedOverlay]: ...
    def run(self, spent: Spent | None = None, held: int = 0) -> Rendered | Report: ...


class RenderedOverlay:
    """The image at an address, which is rendered when its bytes are first read."""

    def __init__(self, name: str, ref: ObjectRef, rendering: Rendering) -> None:
        self._name = name
        self.rendering = rendering
        facts = rendering.facts
        size = sum(info.size for info in rendering.inputs.infos)
        self.info = ObjectInfo(ref, size, facts.etag, facts.last_modified, facts.cache_control)
        self._body: bytes | None = None

    @property
    def tags(self) -> tuple[str, ...]:
        """The cache tags of all that it is made of."""
        return self.rendering.inputs.tags

    @property
    def detection_input(self) -> DetectionInput:
        """What detectors look at: the original, before any edit could hide something from them."""
        return self.rendering.inputs.detection_input

    def read(self) -> bytes:
        """Return the image as a file."""
        return self.render(Spent(), 0)

    def render(self, spent: Spent, held: int) -> bytes:
        """Return the image as a file, rendered within what is left of the budget.

        `held` are the bytes of the files that are in memory for the image that it is laid over.
        """
        if self._body is None:
            try:
                outcome = self.rendering.run(spent, held)
            except (DamagedSource, UnsupportedSource) as error:
                expected = f"the address of an image that can be read ({error.message})"
                raise InvalidParameter(self._name, expected, self.info.ref.key, code="OverlayImageException") from error
            if isinstance(outcome, Report):
                raise TypeError("an overlay is no report")
            self._body = outcome.body
        return self._body


def list_overlays(request: ImageRequest, limits: Limits) -> Iterator[tuple[str, ObjectRef, ImageRequest]]:
    """Yield the overlays that are images at addresses: the parameter, the reference and the request of each.

    The steps that hide parts of every overlay come before its own. Raise PayloadTooLarge if there are too many steps.
    """
    if not request.overlays:
        return
    from handler.requests.overlay_addresses import find_addresses  # noqa: PLC0415 - few overlays have edits

    if (count := len(request.all_steps)) > limits.steps:
        raise PayloadTooLarge(f"a request may have {limits.steps} steps with those of its overlays, got {count}")
    hiding = tuple(step.of_overlay() for step in request.steps if step.redacts == "all" and not step.is_report)
    names = {ref: name for name, ref in find_addresses(request.steps)}
    for ref, overlay in request.overlays.items():
        yield names[ref], ref, msgspec.structs.replace(overlay, steps=hiding + overlay.steps)


def read_overlays(inputs: Inputs, spent: Spent, held: int) -> dict[ObjectRef, bytes]:
    """Return the bytes of the overlays; those of addresses are rendered one after the other within the budget.

    `held` are the bytes of files that are in memory already, beside those of the original.
    """
    named: dict[ObjectRef, bytes] = {}
    held += len(inputs.read_original())
    for ref, stored in inputs.named.items():
        named[ref] = stored.render(spent, held) if isinstance(stored, RenderedOverlay) else stored.read()
        held += len(named[ref])
    return named


def seen_objects(overlays: Mapping[ObjectRef, RenderedOverlay]) -> dict[ObjectRef, DetectionInput]:
    """Return what detectors look at of the overlays that the images at addresses have themselves."""
    seen: dict[ObjectRef, DetectionInput] = {}
    for overlay in overlays.values():
        seen |= {ref: stored.detection_input for ref, stored in overlay.rendering.inputs.named.items()}
        seen |= seen_objects(overlay.rendering.overlays)
    return seen
