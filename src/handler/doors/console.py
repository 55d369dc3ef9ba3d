"""Events typed into the Lambda console or sent by an SDK: `{"imageKey": "cat.jpg", "feature": "resize", "width": 300}`.

Nested parameters may be written dotted or as objects. `{"image": "<base64>", …}` brings the picture along and is
answered in kind, as callers of the common background-remover function expect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from features import Deadline, FeatureError
from handler import response
from handler.doors import posted
from handler.errors import BadRequest, HandlerError, status_of
from handler.ports import HandsOver
from handler.produce import HandOver, Workshop, produce
from handler.response import Caching
from handler.understand import KEY_PREFIX, Caller, House, understand, understand_posted


class ConsoleDoor(msgspec.Struct, frozen=True):
    """Answers direct invocations; IAM has let the caller in, who may what the operator may."""

    workshop: Workshop
    house: House
    caching: Caching
    most: int = 0
    """Bytes of the largest answer; 0: no limit."""
    heavy: HandsOver | None = None

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
        except HandOver:
            if self.heavy is None:
                raise
            return self.heavy(event, deadline)

    def _by_key(self, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
        key = event.get("imageKey")
        if not isinstance(key, str) or not key:
            raise BadRequest(f"`imageKey` must be the key of a picture, got {key!r}")
        pairs = posted.parameters({name: value for name, value in event.items() if name != "imageKey"})
        request = understand(KEY_PREFIX + key, pairs, self.house, caller=Caller.OPERATOR, accepts=_ACCEPTS)
        result = produce(request, self.workshop, deadline=deadline)
        answer = response.picture(result, request, self.caching)
        answer.refuse_above(self.most)
        return answer.as_event()

    def _with_picture(self, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
        picture, said = posted.picture_of(event)
        request = understand_posted(picture, said, self.house, accepts=_ACCEPTS)
        result = produce(request, self.workshop, deadline=deadline)
        answer = posted.as_json(result)
        response.refuse_too_large(len(str(answer.get("image", ""))), self.most)
        return answer


# Whoever writes `format=auto` into an event takes whatever is smallest.
_ACCEPTS = frozenset({"avif", "webp"})


def is_console_event(event: Mapping[str, Any]) -> bool:
    """Whether an event is a direct invocation."""
    return "imageKey" in event or "image" in event
