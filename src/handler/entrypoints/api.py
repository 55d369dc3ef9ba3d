"""Answer requests under `/_api/`: JSON endpoints, the gallery and the operator API; admit large bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handler import response
from handler.core.errors import NoSuchPage
from handler.entrypoints.http_call import require_read
from handler.entrypoints.own_pages import read_query
from handler.render.results import Delegated
from handler.response import Answer
from imaging import Deadline

if TYPE_CHECKING:
    from handler.entrypoints.http import HttpEntrypoint
    from handler.entrypoints.http_call import HttpRequest

API, GALLERY, UPLOAD = "/_api/", "/_api/gallery/", "/_upload"


def answer_api(http: HttpEntrypoint, page: str, call: HttpRequest, deadline: Deadline) -> Answer | Delegated:
    """Answer a request for a page under `/_api/`."""
    if http.gallery is not None and page.startswith("gallery/"):
        return http.gallery().answer(page.removeprefix("gallery/"), call, deadline)
    if http.json_endpoints and page in http.json_endpoints(False):
        require_read(call.method)
        is_operator = http.operator is not None and http.operator().is_operator(call)
        endpoint = http.json_endpoints(is_operator)[page]
        return response.report(endpoint.answer(**read_query(endpoint.parameters, call)))
    if http.operator is None:
        raise NoSuchPage(API + page)
    answer = http.operator().answer(page, call, deadline)
    if isinstance(answer, Answer):
        answer.refuse_above(http.max_bytes)
    return answer


def admit(http: HttpEntrypoint, path: str, call: HttpRequest) -> None:
    """Raise a HandlerError if the request sends a large body to this path and may not do so."""
    if path.startswith(UPLOAD) and http.ingest is not None:
        from handler.entrypoints import upload_forms  # noqa: PLC0415 - of services that take uploads

        upload_forms.admit(path, call, http.ingest())
    if path.startswith(GALLERY) and http.gallery is not None:
        http.gallery().admit(path.removeprefix(GALLERY), call)
    elif path.startswith(API):
        if http.json_endpoints and path.removeprefix(API) in http.json_endpoints(False):
            require_read(call.method)
        if http.operator is None:
            raise NoSuchPage(path)
        http.operator().admit(path.removeprefix(API), call)
