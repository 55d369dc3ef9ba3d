"""The operations of the OpenAPI document of the gallery, which its visitors use."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from handler.entrypoints.gallery.pictures import DEFAULT_LISTED, MAX_LISTED, MIN_SHARED, SIDES
from handler.entrypoints.gallery.request import CSRF_HEADER, LOCAL_COOKIE, MAX_NAME, SECURE_COOKIE
from handler.gallery.gallery import MAX_RESULTS
from handler.reference.operations import error_references, object_schema, parameter
from handler.reference.schema import Schema

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TIME: Schema = {"type": "string", "format": "date-time"}
_URL: Schema = {"type": "string", "description": "Signed path and query, below the address of the service"}
_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_NAME}
_SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_EDITS: Schema = {
    "type": "object",
    "minProperties": 1,
    "description": "Edits as in the path of base64 JSON, toFormat and other output options included",
}
_PICTURE: Schema = {"$ref": "#/components/schemas/GalleryPicture"}
_SESSION: Schema = {"$ref": "#/components/schemas/GallerySession"}
_RESULT: Schema = {"$ref": "#/components/schemas/GalleryResult"}
_FILE: Schema = {"type": "string", "format": "binary"}
_DUPLICATE: Schema = {
    "enum": ["allow"],
    "description": "Keep the picture although there is one with the same bytes; else that is a 409 with `picture`",
}
_MADE_BY = {"recipe": _TEXT | {"description": "Name of a recipe of the session"}, "edits": _EDITS}
_VISITOR: list[dict[str, list[str]]] = [{"visitor": []}]
VISITOR_SCHEME = {
    "type": "apiKey",
    "in": "cookie",
    "name": SECURE_COOKIE,
    "description": "The cookie of a visitor, which the first answer sets; its name is "
    f"{LOCAL_COOKIE} on a loopback address without https. Every method but GET needs the header "
    f"{CSRF_HEADER.title()}: 1",
}


def gallery_paths() -> dict[str, Any]:
    """Return the operations by path and method."""
    one = "/_api/gallery/pictures/{id}"
    return {
        "/_api/gallery/session": {"get": _session(), "post": _enter()},
        "/_api/gallery/devices": {"post": _add_device()},
        "/_api/gallery/pictures": {"get": _list(), "post": _upload(), "delete": _delete_all()},
        "/_api/gallery/uploads": {"post": _upload_form()},
        one: {"get": _show(), "put": _rename(), "patch": _rename(), "delete": _delete("Delete a picture")},
        f"{one}/results": {"post": _apply()},
        f"{one}/results/{{result}}": {"delete": _delete("Delete a result", _id("result", "ID of the result"))},
        f"{one}/preview": {"post": _preview()},
        f"{one}/share": {"post": _share()},
        f"{one}/retry": {"post": _retry()},
    }


def gallery_schemas() -> dict[str, Schema]:
    """Return the schemas of what the gallery answers."""
    link = {"url": _URL, "thumbnail": _URL}
    result: dict[str, Schema] = {
        "id": _TEXT,
        "recipe": {"type": ["string", "null"], "description": "null: the visitor composed the edits"},
        "edits": {"anyOf": [_EDITS, {"type": "null"}], "description": "null: a preset, which its name tells"},
        "created": _TIME,
        **link,
    }
    original = object_schema({**link, "view": _URL | {"description": "The picture as WebP, for a screen"}})
    number: Schema = {"type": ["integer", "null"], "minimum": 0, "description": "null until it is known"}
    picture: dict[str, Schema] = {
        "id": _TEXT,
        "name": _NAME,
        "status": {"enum": ["uploading", "processing", "ready", "rejected", "failed"]},
        "bytes": number,
        "width": number,
        "height": number,
        "type": {"type": ["string", "null"], "description": "Media type; null until it is known"},
        "sha256": {"anyOf": [_SHA256, {"type": "null"}]},
        "created": _TIME,
        "expires": _TIME | {"description": "When the picture is deleted"},
        "error": {"anyOf": [object_schema({"code": _TEXT, "message": _TEXT}), {"type": "null"}]},
        "original": {"anyOf": [original, {"type": "null"}], "description": "null unless the picture is ready"},
        "results": {"type": "array", "items": _RESULT, "maxItems": MAX_RESULTS},
    }
    return {
        "GalleryPicture": object_schema(picture),
        "GalleryResult": object_schema(result),
        "GallerySession": _session_schema(),
    }


def _session_schema() -> Schema:
    recipe = object_schema(
        {
            "name": _TEXT,
            "edits": {"anyOf": [_EDITS, {"type": "null"}], "description": "null: a preset of the operator"},
            "features": {"type": "array", "items": _TEXT},
            "isExpensive": {"type": "boolean", "description": "Whether it takes seconds"},
        }
    )
    limits = {"pictures": _COUNT, "bytes": _COUNT, "uploadsPerHour": _COUNT}
    return object_schema(
        {
            "visitor": {"type": ["string", "null"], "description": "A short name of the visitor, not a secret"},
            "limits": object_schema({**limits, "formats": {"type": "array", "items": _TEXT}}),
            "used": object_schema({"pictures": _COUNT}),
            "expireDays": _COUNT,
            "recipes": {"type": "array", "items": recipe},
            "fineTune": {"type": "boolean"},
            "passwordNeeded": {"type": "boolean"},
            "uploads": {"enum": ["store", "server"], "description": "Where pictures are sent"},
        }
    )


def _session() -> dict[str, Any]:
    return _operation("Return limits, recipes and what the visitor has used", _answer("The session", _SESSION))


def _enter() -> dict[str, Any]:
    operation = _operation(
        "Give the password of the gallery, or the code of another device", _answer("The session", _SESSION)
    )
    either: list[Schema] = [object_schema({"password": _TEXT}), object_schema({"code": _TEXT})]
    return operation | _body({"oneOf": either})


def _add_device() -> dict[str, Any]:
    qr = _TEXT | {"description": "SVG of the QR code of `url`"}
    code = object_schema({"code": _TEXT, "url": _TEXT, "expires": _TIME, "qr": qr})
    answer = _answer("A code that is valid once, for five minutes", code)
    return _operation("Return a code that makes another device this visitor", answer, status=HTTPStatus.CREATED)


def _list() -> dict[str, Any]:
    cursor: Schema = {"type": ["string", "null"], "description": "Value of `cursor` for the next page"}
    pictures: Schema = {"type": "array", "items": _PICTURE}
    page = object_schema({"pictures": pictures, "cursor": cursor, "used": _COUNT, "limit": _COUNT})
    limit: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_LISTED, "default": DEFAULT_LISTED}
    operation = _operation("List the visitor's pictures, the latest upload first", _answer("One page", page))
    operation["responses"]["304"] = {"description": "Nothing has changed since the answer with this ETag"}
    return operation | {
        "parameters": [
            parameter("search", "Part of the name", _TEXT),
            parameter("limit", "Largest number of pictures", limit),
            parameter("cursor", "Value of `cursor` in the page before", _TEXT),
        ]
    }


def _upload() -> dict[str, Any]:
    known: dict[str, Schema] = {"name": _NAME, "sha256": _SHA256, "duplicate": _DUPLICATE}
    required = {"required": ["name", "image"]}
    form = object_schema({**known, "image": _FILE | {"description": "The last field of the form"}}) | required
    image: Schema = {"type": "string", "contentEncoding": "base64"}
    request = {**known, "bytes": {"type": "integer", "minimum": 1}, "type": _TEXT | {"description": "Media type"}}
    content = {
        "multipart/form-data": {"schema": form},
        "application/json": {
            "schema": {
                "anyOf": [
                    object_schema({**known, "image": image}) | required,
                    object_schema(request) | {"required": ["name", "bytes"]},
                ]
            }
        },
    }
    fields: Schema = {"type": "object", "additionalProperties": _TEXT}
    upload = object_schema({"upload": object_schema({"url": _TEXT, "fields": fields})}) | {"required": []}
    answer = _answer("The picture; with `bytes`, the form to which it is sent", {"allOf": [_PICTURE, upload]})
    operation = _operation("Upload a picture, or get a form for it", answer, status=HTTPStatus.CREATED)
    operation["description"] = (
        "409 `duplicate` has the earlier picture as `picture`; 409 `gallery_full` means USER_LIMIT, 507 `storage_full` "
        "GALLERY_MAX_BYTES, 429 GALLERY_UPLOADS_PER_HOUR. With `bytes` nothing is stored yet: post `fields` and then "
        "the file as `file` to `url`, within 15 minutes."
    )
    return operation | {"requestBody": {"required": True, "content": content}}


def _upload_form() -> dict[str, Any]:
    operation = _operation("Take the form of a picture", _answer("The picture", _PICTURE), status=HTTPStatus.CREATED)
    form: Schema = {"type": "object", "properties": {"file": _FILE}, "additionalProperties": _TEXT}
    body = {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    return operation | {"requestBody": body, "security": []}


def _show() -> dict[str, Any]:
    return _on_picture("Return a picture", _answer("The picture", _PICTURE))


def _rename() -> dict[str, Any]:
    return _on_picture("Rename a picture", _answer("The picture", _PICTURE)) | _body(object_schema({"name": _NAME}))


def _apply() -> dict[str, Any]:
    operation = _on_picture("Keep a result", _answer("The new result", _RESULT), status=HTTPStatus.CREATED)
    operation["responses"]["200"] = _answer("The result, which was there already", _RESULT)
    return operation | _body(_one_of({}))


def _preview() -> dict[str, Any]:
    side: Schema = {"type": "integer", "minimum": SIDES[0], "maximum": SIDES[1]}
    answer = _answer("The URL, which is valid for some minutes", object_schema({"url": _URL}))
    body = _one_of({"side": side | {"description": "Pixels into which the result fits"}})
    return _on_picture("Return the URL of a result that is not kept", answer) | _body(body)


def _share() -> dict[str, Any]:
    html = object_schema({"img": _TEXT, "picture": _TEXT})
    answer = _answer("The URL and elements with it", object_schema({"url": _URL, "expires": _TIME, "html": html}))
    seconds: Schema = {"type": "integer", "minimum": MIN_SHARED, "description": "At most GALLERY_EXPIRE_DAYS"}
    body = object_schema({"result": _TEXT | {"description": "ID; else the original"}, "seconds": seconds})
    return _on_picture("Return a URL that others may have", answer) | _body(body | {"required": ["seconds"]})


def _retry() -> dict[str, Any]:
    answer = _answer("The picture is or will be processed", _PICTURE)
    return _on_picture("Process a picture that has failed", answer, status=HTTPStatus.ACCEPTED)


def _delete_all() -> dict[str, Any]:
    return _operation("Delete all pictures of the visitor, and the cookie", _gone(), status=HTTPStatus.NO_CONTENT)


def _delete(summary: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    return _on_picture(summary, _gone(), *parameters, status=HTTPStatus.NO_CONTENT)


def _gone() -> dict[str, Any]:
    return {"description": "It is deleted"}


def _one_of(more: dict[str, Schema]) -> Schema:
    """Return the schema of a body that has either a recipe or edits."""
    either: list[Schema] = [{"required": ["recipe"]}, {"required": ["edits"]}]
    return {"type": "object", "properties": {**_MADE_BY, **more}, "oneOf": either}


def _id(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": _TEXT, "description": description}


def _on_picture(
    summary: str, answer: dict[str, Any], *parameters: dict[str, Any], status: int = HTTPStatus.OK
) -> dict[str, Any]:
    operation = _operation(summary, answer, status=status)
    operation["description"] = "A picture of another visitor is a 404 like one that does not exist."
    return operation | {"parameters": [_id("id", "ID of the picture"), *parameters]}


def _operation(summary: str, answer: dict[str, Any], *, status: int = HTTPStatus.OK) -> dict[str, Any]:
    responses = {str(int(status)): answer, **error_references()}
    return {"summary": summary, "security": _VISITOR, "responses": responses}


def _answer(description: str, schema: Schema) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _body(schema: Schema) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
