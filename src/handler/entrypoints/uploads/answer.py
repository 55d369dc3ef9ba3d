"""The answer about an upload, whichever way it came."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from handler import response
from handler.records.record import record_id
from handler.response import Answer
from handler.uploads.ingest.ingest import FormGrant, PartsGrant, Stored


def describe(made: FormGrant | PartsGrant | Stored, source: str) -> Answer:
    """Return the answer about an upload that may begin, or that is complete."""
    key = made.info.ref.key if isinstance(made, Stored) else made.key
    content: dict[str, object] = {"id": record_id(source, key), "source": source, "key": key}
    if isinstance(made, Stored):
        content |= {"bytes": made.info.size, "etag": made.info.etag, "isNew": made.is_new}
        return response.report(content, HTTPStatus.CREATED if made.is_new else HTTPStatus.OK)
    content["expires"] = f"{made.expires:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(made, FormGrant):
        content |= {
            "method": "POST",
            "url": made.form.url,
            "fields": dict(made.form.fields),
            "maxBytes": made.max_bytes,
        }
    else:
        content |= {"upload": made.upload, "partBytes": made.part_bytes, "parts": list_parts(made.urls)}
    return response.report(content, HTTPStatus.CREATED)


def list_parts(urls: Mapping[int, str]) -> list[dict[str, object]]:
    """Return the parts of an upload in JSON, each with the URL to send it to."""
    return [{"number": number, "url": url} for number, url in urls.items()]
