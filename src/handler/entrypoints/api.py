"""Answer requests under `/_api/`: JSON endpoints, the gallery and the operator API; admit large bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handler import response
from handler.core.errors import NoSuchPage
from handler.entrypoints.http_call import require_read
from handler.entrypoints.own_pages import read_query
from handler.entrypoints.services import Services
from handler.render.results import Delegated
from handler.response import Answer
from imaging import Deadline

if TYPE_CHECKING:
    from handler.entrypoints.http_call import HttpRequest

API, GALLERY, UPLOAD = "/_api/", "/_api/gallery/", "/_upload"


def answer_api(services: Services, page: str, call: HttpRequest, deadline: Deadline) -> Answer | Delegated:
    """Answer a request for a page under `/_api/`."""
    if services.gallery is not None and page.startswith("gallery/"):
        return services.gallery().answer(page.removeprefix("gallery/"), call, deadline)
    if services.json_endpoints and page in services.json_endpoints(False):
        require_read(call.method)
        is_operator = services.operator is not None and services.operator().is_operator(call)
        endpoint = services.json_endpoints(is_operator)[page]
        return response.report(endpoint.answer(**read_query(endpoint.parameters, call)))
    if services.operator is None:
        raise NoSuchPage(API + page)
    return services.operator().answer(page, call, deadline)


def admit(services: Services, path: str, call: HttpRequest) -> None:
    """Raise a HandlerError if the request sends a large body to this path and may not do so."""
    if path.startswith(UPLOAD) and services.ingest is not None:
        from handler.entrypoints.uploads import forms  # noqa: PLC0415 - of services that take uploads

        forms.admit(path, call, services.ingest())
    if path.startswith(GALLERY) and services.gallery is not None:
        services.gallery().admit(path.removeprefix(GALLERY), call)
    elif path.startswith(API):
        if services.json_endpoints and path.removeprefix(API) in services.json_endpoints(False):
            require_read(call.method)
        if services.operator is None:
            raise NoSuchPage(path)
        services.operator().admit(path.removeprefix(API), call)
