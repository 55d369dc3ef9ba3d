"""The operations of the OpenAPI document with which the operator sees and changes records, and stores post events."""

from __future__ import annotations

from typing import Any, get_args

from handler.entrypoints.uploads.store_events import MAX_EVENTS
from handler.records.record import Status
from handler.records.store import MAX_PAGE
from handler.reference.operations import error_references, object_schema, parameter
from handler.reference.schema import Schema
from handler.uploads.change import REPROCESS

_TEXT: Schema = {"type": "string"}
_RECORD: Schema = {"$ref": "#/components/schemas/Record"}
_QUEUED = object_schema(
    {
        "task": {"const": REPROCESS},
        "records": {"type": "array", "items": _TEXT},
        "message": _TEXT | {"description": "ID of the message in the queue"},
    }
)
_CHANGED: Schema = {
    "allOf": [
        _RECORD,
        {
            "type": "object",
            "properties": {
                "queued": _QUEUED | {"description": "The message that was sent to UPLOAD_QUEUE, if one was"}
            },
        },
    ]
}
_ID = {"name": "id", "in": "path", "required": True, "schema": _TEXT, "description": "ID of a record"}
_NUMBER = {
    "name": "number", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0},
    "description": "Position of the variant in the record, from 0",
}  # fmt: skip


def record_paths() -> dict[str, Any]:
    """Return the operations by path and method."""
    one = f"/_api/records/{{{_ID['name']}}}"
    return {
        "/_api/records": {"get": _list()},
        one: {"get": _read(), "delete": _delete()},
        f"{one}/reprocess": {"post": _reprocess()},
        f"{one}/variants/{{{_NUMBER['name']}}}": {"get": _variant()},
        "/_api/events": {"post": _events()},
    }


def _list() -> dict[str, Any]:
    sources = {"type": "array", "items": _TEXT, "description": "All sources, the default first"}
    cursor = {"type": ["string", "null"], "description": "Value of `cursor` for the next page; null: there is no more"}
    source = _TEXT | {"description": "The source whose records these are; empty: all sources"}
    records = {"type": "array", "items": _RECORD}
    page = object_schema({"sources": sources, "source": source, "records": records, "cursor": cursor})
    limit: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 50}
    parameters = [
        parameter("source", "Name of a source. Default: all; with a prefix UPLOAD_SOURCE or the first one", _TEXT),
        parameter("prefix", "Beginning of the keys. Records are in the order of their keys then", _TEXT),
        parameter("status", "Only records with this status", {"enum": list(get_args(Status))}),
        parameter("owner", "Only records of this visitor of the gallery", _TEXT),
        parameter("limit", "Largest number of records in one page, which can have fewer", limit),
        parameter("cursor", "`cursor` of the page before, with the same filter", _TEXT),
    ]
    description = "Needs the operator token and RECORDS. Without a prefix, the latest update is first."
    return _operation("List records", description, parameters, {"200": _answer("A page of records", page)})


def _read() -> dict[str, Any]:
    description = "Needs the operator token and RECORDS."
    return _operation("Return a record", description, [_ID], {"200": _answer("The record", _RECORD)})


def _delete() -> dict[str, Any]:
    description = (
        "Needs the operator token, RECORDS, and the permission to delete from the source, which the stack gives with "
        "UploadApi for the bucket for uploads. Deletes the original from its source. Its variants, stored results, "
        "detections and copies in the CDN are removed as after any other deletion; the record stays for 30 days with "
        "the status `deleted`, so that an event that comes late changes nothing."
    )
    answers = {"202": _answer("The original is deleted; the record as it is now", _CHANGED)}
    return _operation("Delete an original and all that was made of it", description, [_ID], answers)


def _reprocess() -> dict[str, Any]:
    description = (
        "Needs the operator token and RECORDS. Reads the original again and renders all of its variants, whatever its "
        "status. If the original does not exist any more, its variants are removed. With UPLOAD_QUEUE, as in the "
        "stack, a message in that queue has the upload function do it. Without UPLOAD_QUEUE and OUTPUT_BUCKET a "
        "function answers 501."
    )
    answers = {"202": _answer("The original is or will be processed; the record as it is now", _CHANGED)}
    return _operation("Process an original again", description, [_ID], answers)


def _variant() -> dict[str, Any]:
    description = "Needs the operator token, RECORDS and OUTPUT_BUCKET."
    picture = {"description": "The variant", "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}
    return _operation("Return a variant", description, [_ID, _NUMBER], {"200": picture})


def _events() -> dict[str, Any]:
    event: Schema = {"type": "object", "description": "An event of S3 with `Records`, or an event of Cloudflare R2"}
    body: Schema = {"anyOf": [event, {"type": "array", "items": event}]}
    change = object_schema({"id": _TEXT | {"description": "ID of the record"}, "source": _TEXT, "key": _TEXT})
    refusal = object_schema({"source": _TEXT, "key": _TEXT, "code": _TEXT, "message": _TEXT})
    lists = {"accepted": {"type": "array", "items": change}, "refused": {"type": "array", "items": refusal}}
    accepted = object_schema(lists)
    description = (
        "Needs the operator token. For stores that post events, such as MinIO and Ceph: each created, overwritten "
        f"or deleted original is processed. At most {MAX_EVENTS} events. With status 200 each of them is processed, or "
        "written into its record, or is refused for good, such as one with a key that no database stores; with any "
        "other status the sender must send all of them again, which does no harm."
    )
    operation = _operation(
        "Take events of a store", description, [], {"200": _answer("The changed originals", accepted)}
    )
    return operation | {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}}


def _operation(
    summary: str, description: str, parameters: list[dict[str, Any]], answers: dict[str, Any]
) -> dict[str, Any]:
    return {
        "summary": summary,
        "description": description,
        "security": [{"operator": []}],
        "parameters": parameters,
        "responses": {**answers, **error_references()},
    }


def _answer(description: str, schema: Schema) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
