"""The operations of the OpenAPI document with which originals are uploaded."""

from __future__ import annotations

from typing import Any

from handler.reference.operations import error_references, object_schema, parameter
from handler.reference.schema import Schema
from handler.uploads.ingest.form_policy import FILE, FORM_PATH, PART_PATH

_TEXT: Schema = {"type": "string"}
_BYTES: Schema = {"type": "integer", "minimum": 1}
_TIME: Schema = {"type": "string", "format": "date-time"}
_LIFE: Schema = {"type": "string", "pattern": "^[0-9]{1,9}[smhdw]$", "default": "15m", "examples": ["15m", "1d"]}
_SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_OVERWRITE: Schema = {"type": "boolean", "default": False, "description": "Whether an existing original is replaced"}
_KEY: Schema = {"type": "string", "description": "Key of the original in UPLOAD_SOURCE"}
_UPLOAD: Schema = {"type": "string", "description": "ID of an upload in parts, as /_api/uploads returned it"}
_ETAG: Schema = {"type": "string", "description": "ETag that the answer to the part's PUT had"}
_FILE: Schema = {"type": "string", "format": "binary"}
_PARTS: Schema = {"type": "array", "items": object_schema({"number": _BYTES, "url": _TEXT})}
_NAMES: dict[str, Schema] = {"id": _TEXT | {"description": "ID of the record"}, "source": _TEXT, "key": _KEY}
_OPERATOR: list[dict[str, list[str]]] = [{"operator": []}]

_REQUEST: dict[str, Schema] = {
    "key": _KEY | {"description": "Key of the original. Default: one is made by UPLOAD_KEY"},
    "prefix": _TEXT | {"description": "Beginning of the key that is made"},
    "name": _TEXT | {"maxLength": 200, "description": "Name that people see, such as the name of the file"},
    "contentType": _TEXT | {"description": "Media type, image/…; by default that of the extension"},
    "bytes": _BYTES | {"description": "Size of the file; nothing of another size is accepted then"},
    "sha256": _SHA256 | {"description": "SHA-256 of the file: if the key has it already, nothing is uploaded"},
    "overwrite": _OVERWRITE,
    "expires": _LIFE | {"description": "How long the form is valid, up to 7d"},
    "metadata": {"type": "object", "additionalProperties": _TEXT, "description": "User metadata of the object in S3"},
    "multipart": {
        "type": "boolean",
        "default": False,
        "description": "Upload in parts; needs `bytes`",
    },
}


def upload_paths() -> dict[str, Any]:
    """Return the operations by path and method."""
    return {
        "/_api/uploads": {"post": _begin()},
        "/_api/uploads/{key}": {"put": _put()},
        "/_api/uploads/parts": {"post": _sign_parts()},
        "/_api/uploads/complete": {"post": _complete()},
        "/_api/uploads/abort": {"post": _abort()},
        FORM_PATH: {"post": _form()},
        PART_PATH: {"put": _part()},
    }


def _begin() -> dict[str, Any]:
    form = object_schema(
        _NAMES
        | {
            "method": {"const": "POST"},
            "url": _TEXT | {"description": "URL to post the form to, relative to this one"},
            "fields": {"type": "object", "additionalProperties": _TEXT},
            "maxBytes": _BYTES,
            "expires": _TIME,
        }
    )
    parts = object_schema(_NAMES | {"upload": _UPLOAD, "partBytes": _BYTES, "parts": _PARTS, "expires": _TIME})
    description = (
        "Needs the operator token and UPLOAD_SOURCE. The file is posted to `url` as a form with all `fields`, and with "
        f"the bytes as its last field, `{FILE}`. If the source is in S3, `url` is the bucket's (a presigned POST). "
        "With `multipart`, each part of `partBytes` is sent to its URL by PUT, and /_api/uploads/complete joins them."
    )
    same = {"200": _answer("The key has a file with this SHA-256 already", _stored())}
    granted = {"201": _answer("The form, or the URLs of the parts", {"anyOf": [form, parts]})}
    body = object_schema(_REQUEST) | {"required": [], "additionalProperties": False}
    return _operation("Begin an upload", description, body, {**same, **granted})


def _put() -> dict[str, Any]:
    key = {"name": "key", "in": "path", "required": True, "schema": _TEXT, "description": "Key, percent-encoded once"}
    overwrite: Schema = {"enum": ["true", "false"], "default": "false"}
    return {
        "summary": "Upload the bytes of a file",
        "description": "Needs the operator token. For small files: Lambda takes at most 6 MB.",
        "security": _OPERATOR,
        "parameters": [
            key,
            parameter("overwrite", "Whether an existing original is replaced", overwrite),
            parameter("name", "Name that people see", _TEXT),
            parameter("sha256", "SHA-256 of the file: if the key has it already, nothing is stored", _SHA256),
        ],
        "requestBody": {"required": True, "content": {"image/*": {"schema": _FILE}}},
        "responses": {**_stored_answers(), **error_references()},
    }


def _sign_parts() -> dict[str, Any]:
    numbers: Schema = {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 10_000}, "minItems": 1}
    body = object_schema({"key": _KEY, "upload": _UPLOAD, "numbers": numbers})
    body["properties"]["expires"] = _LIFE
    answer = _answer("The URLs", object_schema({"parts": _PARTS, "expires": _TIME}))
    return _operation("Return new URLs of parts", "Needs the operator token.", body, {"200": answer})


def _complete() -> dict[str, Any]:
    parts: Schema = {"type": "array", "items": object_schema({"number": _BYTES, "etag": _ETAG}), "minItems": 1}
    body = object_schema({"key": _KEY, "upload": _UPLOAD, "parts": parts})
    body["properties"]["overwrite"] = _OVERWRITE
    return _operation("Join the parts of an upload", "Needs the operator token.", body, _stored_answers())


def _abort() -> dict[str, Any]:
    body = object_schema({"key": _KEY, "upload": _UPLOAD})
    answers = {"204": {"description": "There are no parts of this upload any more"}}
    return _operation("Delete the parts of an upload", "Needs the operator token.", body, answers)


def _form() -> dict[str, Any]:
    form = object_schema({FILE: _FILE}) | {"additionalProperties": _TEXT}
    return {
        "summary": "Upload a file with a form",
        "description": "Takes the forms of /_api/uploads, which are signed. The file must be the last field.",
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}},
        "responses": {**_stored_answers(), **error_references()},
    }


def _part() -> dict[str, Any]:
    names = ("key", "upload", "part", "bytes", "until", "signature")
    return {
        "summary": "Upload a part of a file",
        "description": "Takes the URLs of /_api/uploads, which hold a signature. The header ETag identifies the part.",
        "parameters": [parameter(name, "As in the URL", _TEXT) | {"required": True} for name in names],
        "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": _FILE}}},
        "responses": {"200": {"description": "The part is stored"}, **error_references()},
    }


def _operation(summary: str, description: str, body: Schema, answers: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": body | {"additionalProperties": False}}}
    return {
        "summary": summary,
        "description": description,
        "security": _OPERATOR,
        "requestBody": {"required": True, "content": content},
        "responses": {**answers, **error_references()},
    }


def _stored() -> Schema:
    is_new: Schema = {"type": "boolean", "description": "False if the same file was there already"}
    return object_schema(_NAMES | {"bytes": _BYTES, "etag": _TEXT, "isNew": is_new})


def _stored_answers() -> dict[str, Any]:
    return {
        "200": _answer("The key has a file with this SHA-256 already", _stored()),
        "201": _answer("The original is stored", _stored()),
    }


def _answer(description: str, schema: Schema) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
