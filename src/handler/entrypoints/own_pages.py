"""Answers of the service's own pages, which no image needs: JSON endpoints, stored results, preflights, and 304."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from handler import response
from handler.core.errors import BadRequest, NotFound
from handler.entrypoints.http_call import HttpRequest
from handler.response import Answer
from handler.storage.result_cache import BucketResultCache


def if_changed(answer: Answer, none_match: str) -> Answer:
    """Return the answer; 304 without a body if `none_match`, an If-None-Match header, has its ETag."""
    etag = answer.headers.get("ETag", "").removeprefix("W/")
    known = [each.strip().removeprefix("W/") for each in none_match.split(",")]
    if not etag or etag not in known:
        return answer
    kept = ("ETag", "Cache-Control", "Vary")
    return Answer(HTTPStatus.NOT_MODIFIED, {name: answer.headers[name] for name in kept if name in answer.headers})


def answer_stored_result(cache: BucketResultCache, path: str, call: HttpRequest) -> Answer:
    """Answer with an offloaded result of any size, where neither a CDN nor S3 does: so not on Lambda."""
    params = dict(call.pairs(None))
    stored = cache.read(path, params.get("until", ""), params.get("proof", ""))
    if stored is None:
        raise NotFound("there is no such result, or the address has expired", code="NotFound")
    return response.stored(stored)


def answer_preflight(*, has_cors: bool) -> Answer:
    """Answer OPTIONS: with what other sites may send, if they may send anything."""
    headers = {"Allow": "GET, HEAD, OPTIONS", "X-Content-Type-Options": "nosniff"}
    if has_cors:
        headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
        headers["Access-Control-Allow-Headers"] = "Content-Type, Authorization"
        headers["Access-Control-Max-Age"] = "86400"
    return Answer(HTTPStatus.NO_CONTENT, headers)


def read_query(parameters: Sequence[str], call: HttpRequest) -> dict[str, str]:
    """Return the values of exactly these parameters. Raise BadRequest if one is missing or another one is sent."""
    params = dict(call.pairs(None))
    for name in (*parameters, *params):
        if name not in parameters or not params.get(name):
            expected = " and ".join(f"`{each}`" for each in parameters) or "no parameter"
            raise BadRequest(f"the query must hold {expected}, got {', '.join(params) or 'nothing'}")
    return params
