"""Events typed into the Lambda console or sent by an SDK: `{"imageKey": "cat.jpg", "feature": "resize", "width": 300}`.

Nested parameters may be written dotted or as objects. `{"image": "<base64>", …}` brings the picture along and is
answered in kind, as callers of the common background-remover function expect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from handler import response
from handler.entrypoints import inline_image
from handler.errors import BadRequest, HandlerError, status_of
from handler.ports import InvokeFunction
from handler.render.render import Delegate, RenderContext, render
from handler.requests.parse import KEY_PREFIX, Caller, Policy, parse_inline_request, parse_request
from handler.response import Caching
from imaging import Deadline, FeatureError


class DirectInvocation(msgspec.Struct, frozen=True):
    """Answers direct invocations; IAM has let the caller in, who may what the operator may."""

    render_context: RenderContext
    policy: Policy
    caching: Caching
    most: int = 0
    """Bytes of the largest answer; 0: no limit."""
    heavy: InvokeFunction | None = None

    def invoke(self, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
        """Answer an event in the shape of an HTTP answer, or of the picture that it brought."""
        try:
            return self._answered(event, deadline)
        except (FeatureError, HandlerError) as error:
            if "image" in event:
                return {"status": int(status_of(error)), "code": error.code, "message": error.message}
            return response.refusal(error, self.caching).as_event()

    def _answered(self, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
        try:
            return self._with_picture(event, deadline) if "image" in event else self._by_key(event, deadline)
        except Delegate:
            if self.heavy is None:
                raise
            return self.heavy(event, deadline)

    def _by_key(self, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
        key = event.get("imageKey")
        if not isinstance(key, str) or not key:
            raise BadRequest(f"`imageKey` must be the key of a picture, got {key!r}")
        pairs = inline_image.parameters({name: value for name, value in event.items() if name != "imageKey"})
        request = parse_request(KEY_PREFIX + key, pairs, self.policy, caller=Caller.OPERATOR, accepts=_ACCEPTS)
        result = render(request, self.render_context, deadline=deadline)
        answer = response.picture(result, request, self.caching)
        answer.refuse_above(self.most)
        return answer.as_event()

    def _with_picture(self, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
        picture, said = inline_image.picture_of(event)
        request = parse_inline_request(picture, said, self.policy, accepts=_ACCEPTS)
        result = render(request, self.render_context, deadline=deadline)
        answer = inline_image.as_json(result)
        response.refuse_too_large(len(str(answer.get("image", ""))), self.most)
        return answer


# Whoever writes `format=auto` into an event takes whatever is smallest.
_ACCEPTS = frozenset({"avif", "webp"})


def is_direct_invocation(event: Mapping[str, Any]) -> bool:
    """Whether an event is a direct invocation."""
    return "imageKey" in event or "image" in event
