"""Direct invocations, from the Lambda console or an SDK: `{"imageKey": "cat.jpg", "feature": "resize", "width": 300}`.

Nested parameters may be written with dots or as objects. An event may send the image along: `{"image": "<base64>", …}`
is answered with JSON of the same form, as callers of the common background-remover function expect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from handler import response
from handler.auth.authenticate import Caller
from handler.core.errors import BadRequest, HandlerError, status_of
from handler.core.ports import InvokeFunction
from handler.entrypoints import inline_image
from handler.render.render import RenderContext, render_or_delegate
from handler.render.results import Delegated
from handler.requests.parse import parse_inline_request, parse_request
from handler.requests.parsed_request import KEY_PREFIX
from handler.requests.policy import Policy
from handler.response import Caching
from imaging import NEGOTIATED, Deadline, FeatureError

_ACCEPTS = frozenset(NEGOTIATED)
"""Formats from which `format=auto` chooses the smallest."""


class DirectInvocation(msgspec.Struct, frozen=True):
    """Answers direct invocations. IAM has admitted the caller, who may do what the operator may do."""

    render_context: RenderContext
    policy: Policy
    caching: Caching
    max_bytes: int = 0
    """Size of the largest answer; 0 means no limit."""
    expensive_function: InvokeFunction | None = None
    """Invokes the function for expensive work; None if the stack has no such function."""

    def invoke(self, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
        """Answer an event like an HTTP request, or with JSON if the event has sent an image along."""
        try:
            return self._delegate_expensive(event, deadline)
        except (FeatureError, HandlerError) as error:
            if "image" in event:
                return {"status": int(status_of(error)), "code": error.code, "message": error.message}
            return response.refusal(error, self.caching).as_event()

    def _delegate_expensive(self, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
        answer = self._render_inline(event, deadline) if "image" in event else self._render_key(event, deadline)
        if not isinstance(answer, Delegated):
            return answer
        if self.expensive_function is None:
            raise HandlerError("an expensive feature is delegated, but HEAVY_FUNCTION is not set", code="Configuration")
        return self.expensive_function(event, deadline)

    def _render_key(self, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object] | Delegated:
        key = event.get("imageKey")
        if not isinstance(key, str) or not key:
            raise BadRequest(f"`imageKey` must be the key of an image, got {key!r}")
        params = inline_image.flatten_params({name: value for name, value in event.items() if name != "imageKey"})
        request = parse_request(KEY_PREFIX + key, params, self.policy, caller=Caller.OPERATOR, accepts=_ACCEPTS)
        result = render_or_delegate(request, self.render_context, deadline)
        if isinstance(result, Delegated):
            return result
        answer = response.of_result(result, request, self.caching)
        answer.refuse_above(self.max_bytes)
        return answer.as_event()

    def _render_inline(self, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object] | Delegated:
        original, params = inline_image.parse_object(event)
        request = parse_inline_request(original, params, self.policy, accepts=_ACCEPTS)
        result = render_or_delegate(request, self.render_context, deadline)
        if isinstance(result, Delegated):
            return result
        answer = inline_image.to_json(result)
        response.refuse_too_large(len(str(answer.get("image", ""))), self.max_bytes)
        return answer


def is_direct_invocation(event: Mapping[str, Any]) -> bool:
    """Whether an event is a direct invocation."""
    return "imageKey" in event or "image" in event
