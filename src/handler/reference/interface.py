"""The interface as an OpenAPI 3.1 document."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from features import CATALOGUE, by_name, feature_aliases
from handler.errors import STATUSES, HandlerError
from handler.reference.schema import (
    Schema,
    about,
    edits_schema,
    model_schema,
    schema_of,
    switch_schema,
)
from handler.storage.purge import MOST
from imaging import MEDIA_TYPES, Feature, Output, Params, fields, main_field

_CONTROLS = {
    "bucket": "Another of the configured sources; nothing: the first",
    "feature": "Features by name, comma-separated: switches them on, and undotted parameters are theirs",
    "preset": "What the operator has named so; what stands beside it wins",
    "v": "Any text; only makes another address for caches",
    "expires": "End of a signed address, YYYYMMDDTHHmmssZ in UTC",
    "signature": "Proof that the site made this address (docs/signing.md)",
}
_ANYTHING: Schema = {"type": "string", "format": "binary"}


def openapi() -> dict[str, Any]:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Image handler",
            "version": "1",
            "description": "One URL turns an original in a bucket into the asked picture. "
            "Features apply in the order of this document, whatever their order in the URL.",
        },
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "parameters": _parameters(),
            "responses": {"Picture": _picture(), **_refusals()},
            "securitySchemes": {"operator": {"type": "http", "scheme": "bearer"}},
        },
    }


def _paths() -> dict[str, Any]:
    key = {
        "name": "key",
        "in": "path",
        "required": True,
        "description": "Key of the original, percent-encoded once; slashes stay as they are",
        "schema": {"type": "string"},
    }
    asked = [{"$ref": f"#/components/parameters/{name}"} for name in _parameters()]
    return {
        "/{key}": {"get": _get("The picture as asked", [key, *asked], _ANY_LANGUAGE)},
        "/_key/{key}": {"get": _get("The same, for keys that look like something else", [key, *asked], "")},
        "/_api/transform": {"post": _transform(asked, "A picture that is sent along")},
        "/_api/remove-background": {"post": _transform(asked, "The same, cut out; PNG unless a format is asked")},
        "/_api/sign": _sign(),
        "/_api/images": {"get": _images()},
        "/_api/purge": {"post": _purge()},
        "/_api/explain": {"get": _explain()},
        "/_api/translate": {"get": _translate()},
        "/_api/openapi.json": {"get": _json("This document", {"type": "object"})},
        "/_health": {"get": _json("Whether the service runs", _object({"status": {"const": "ok"}}))},
    }


_ANY_LANGUAGE = (
    "A path that is base64 of JSON with a `key` (bucket, key, edits, outputFormat, effort, headers) is read as AWS's "
    "image handler reads it; one that begins with `unsafe` or Thumbor's signature as Thumbor reads it, and one that "
    "begins with `fit-in`, a size, a crop, `filters:` or `s3:` as AWS's handler reads those. Query parameters apply on "
    "top, but beside a signature in the path only if `signature` covers them."
)


def _get(summary: str, parameters: list[dict[str, Any]], description: str) -> dict[str, Any]:
    unchanged = {"description": "The client has it already (If-None-Match, If-Modified-Since)"}
    answers = {"200": {"$ref": "#/components/responses/Picture"}, "304": unchanged, **_refused()}
    return {"summary": summary, "description": description, "parameters": parameters, "responses": answers}


def _transform(asked: list[dict[str, Any]], summary: str) -> dict[str, Any]:
    in_base64: Schema = {"type": "string", "contentEncoding": "base64"}
    sent = _object({"image": in_base64}) | {
        "description": "The picture, and beside it the parameters of a URL",
        "additionalProperties": True,
    }
    picture = _object({"image": in_base64, "contentType": {"type": "string"}})
    report: Schema = {"type": "object", "description": "What `info` and their like say"}
    answered = {"application/json": {"schema": {"anyOf": [picture, report]}}}
    return {
        "summary": summary,
        "description": "For the operator. A picture in JSON is answered in JSON, a report as it is.",
        "security": [{"operator": []}],
        "parameters": asked,
        "requestBody": {
            "required": True,
            "content": {"image/*": {"schema": _ANYTHING}, "application/json": {"schema": sent}},
        },
        "responses": {"200": {**_picture(), "content": _picture()["content"] | answered}, **_refused()},
    }


def _sign() -> dict[str, Any]:
    life: Schema = {"type": ["string", "null"], "pattern": "^[0-9]{1,9}[smhdw]$", "examples": ["15m", "1h", "7d"]}
    url: Schema = {"type": "string", "examples": ["/cat.jpg?width=300"]}
    asked = _object({"url": url}) | {"additionalProperties": False}
    asked["properties"]["expires"] = {"description": "How long it shall be valid; null: for good", **life}
    query = [_parameter("url", "The address to sign, as a parameter of its own", url) | {"required": True}]
    query.append(_parameter("expires", "How long it shall be valid", {**life, "type": "string"}))
    about = "For the operator. Where signatures are off, the address comes back as it is."
    common = {"summary": "An address with its signature", "description": about, "security": [{"operator": []}]}
    answers = {**_json("The signed address", _object({"url": {"type": "string"}}))["responses"], **_refused()}
    body = {"required": True, "content": {"application/json": {"schema": asked}}}
    return {
        "get": {**common, "parameters": query, "responses": answers},
        "post": {**common, "requestBody": body, "responses": answers},
    }


_URL: Schema = {"type": "string", "examples": ["/unsafe/fit-in/300x200/filters:blur(3)/cat.jpg"]}


def _explain() -> dict[str, Any]:
    text: Schema = {"type": "string"}
    step = _object({"feature": text}) | {"additionalProperties": True}
    meaning = _object(
        {
            "dialect": {"enum": ["query", "json", "thumbor"]},
            "bucket": text,
            "key": text,
            "steps": {"type": "array", "items": step, "description": "In the order in which they apply"},
            "output": {"$ref": "#/components/schemas/Output"},
            "signature": {"enum": ["none", "valid", "invalid", "missing"]},
        }
    )
    # Who is not the operator gets neither where signatures are on, or presets alone are allowed.
    meaning["required"] = [name for name in meaning["required"] if name not in ("bucket", "signature")]
    url = _parameter("url", "An address in any language, as a parameter of its own", _URL) | {"required": True}
    return _question("What an address means; no picture is read", [url], meaning)


def _translate() -> dict[str, Any]:
    unsaid = {"type": "array", "items": {"type": "string"}, "description": "What the other language cannot say"}
    url = _parameter("url", "An address in any language, as a parameter of its own", _URL) | {"required": True}
    to = _parameter("to", "The other language", {"enum": ["query", "json", "thumbor"]}) | {"required": True}
    return _question("The same in another language", [url, to], _object({"url": _URL, "unsaid": unsaid}))


def _question(summary: str, parameters: list[dict[str, Any]], schema: Schema) -> dict[str, Any]:
    answers = {**_json(summary, schema)["responses"], **_refused()}
    return {"summary": summary, "parameters": parameters, "responses": answers}


def _images() -> dict[str, Any]:
    text: Schema = {"type": "string"}
    image = _object({"key": text, "bytes": {"type": "integer"}, "lastModified": text | {"format": "date-time"}})
    listed = _object(
        {
            "buckets": {"type": "array", "items": text, "description": "All that are listed, the default one first"},
            "bucket": text,
            "prefix": text,
            "images": {"type": "array", "items": image},
            "prefixes": {"type": "array", "items": text, "description": "Folders directly under the prefix"},
            "cursor": {"type": ["string", "null"], "description": "Asks for the next page; null: this is the last"},
        }
    )
    limit: Schema = {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}
    asked = [
        _parameter("bucket", _CONTROLS["bucket"], text),
        _parameter("prefix", "What the keys begin with; one that ends in a slash is a folder", text),
        _parameter("limit", "Keys and folders of one page", limit),
        _parameter("cursor", "Where the page before ended", text),
    ]
    about = "For the operator, unless LIST_IMAGES=No. Folders are not descended into."
    answer = _json("What lies directly under a prefix of a source", listed)
    common = {"description": about, "security": [{"operator": []}], "parameters": asked}
    return {**answer, **common, "responses": {**answer["responses"], **_refused()}}


def _purge() -> dict[str, Any]:
    keys: Schema = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST}
    asked = _object({"keys": keys}) | {"additionalProperties": False}
    asked["properties"]["bucket"] = {"type": "string", "description": _CONTROLS["bucket"]}
    answered = _object(
        {
            "keys": {"type": "integer", "description": "Originals that were named"},
            "results": {"type": "integer", "description": "Kept pictures that were deleted"},
            "invalidation": {"type": ["string", "null"], "description": "Id at the CDN; null: there is none"},
        }
    )
    about = (
        "For the operator. Deletes what was kept of these originals and what was seen in them, and withdraws every "
        "variation from the CDN, in whatever language it was asked for. Browsers keep what they have."
    )
    answer = _json("Originals withdrawn with all that was made of them", answered)
    body = {"required": True, "content": {"application/json": {"schema": asked}}}
    common = {"description": about, "security": [{"operator": []}], "requestBody": body}
    return {**answer, **common, "responses": {**answer["responses"], **_refused()}}


def _json(summary: str, schema: Schema) -> dict[str, Any]:
    answer = {"description": summary, "content": {"application/json": {"schema": schema}}}
    return {"summary": summary, "responses": {"200": answer}}


def _object(properties: dict[str, Schema]) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _picture() -> dict[str, Any]:
    content = {kind: {"schema": _ANYTHING} for name, kind in MEDIA_TYPES.items() if name not in ("bmp", "ico", "heif")}
    report = {"schema": {"type": "object", "description": "What `info` reports"}}
    return {"description": "The picture, or a report", "content": {**content, "application/json": report}}


def _refusals() -> dict[str, Any]:
    """Every status that a refusal can have, with what it means."""
    told: dict[HTTPStatus, list[str]] = {}
    for kind in HandlerError.__subclasses__():
        if kind.__module__ == HandlerError.__module__:
            told.setdefault(kind.status, []).append(_line(kind))
    for refused, status in STATUSES.items():
        told.setdefault(status, []).append(_line(refused))
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        str(int(status)): {"description": " ".join(dict.fromkeys(meanings)), "content": error}
        for status, meanings in sorted(told.items())
    }


def _refused() -> dict[str, Any]:
    return {status: {"$ref": f"#/components/responses/{status}"} for status in _refusals()}


def _line(documented: type) -> str:
    return (documented.__doc__ or "").strip().splitlines()[0]


def _schemas() -> dict[str, Schema]:
    models: list[type[Params]] = [*(feature.params for feature in CATALOGUE), Output]
    error = _object({"status": {"type": "integer"}, "code": {"type": "string"}, "message": {"type": "string"}})
    return {**{model.__name__: model_schema(model) for model in models}, "Edits": edits_schema(), "Error": error}


def _parameters() -> dict[str, Any]:
    """Every query parameter, features dotted."""
    found = [_parameter(name, description, {"type": "string"}) for name, description in _CONTROLS.items()]
    sizes = fields(by_name("resize").params)
    found += [_parameter(name, f"Short for resize.{name}", schema_of(sizes[name])) for name in ("width", "height")]
    for feature in CATALOGUE:
        found += _of_feature(feature)
    found += [_parameter(field.name, about(field), schema_of(field)) for field in fields(Output).values()]
    return {each["name"]: each for each in found}


def _of_feature(feature: Feature) -> list[dict[str, Any]]:
    main = main_field(feature.params)
    switch = feature.help.rstrip(".") + (f"; sets `{feature.name}.{main.name}`" if main else "")
    if feature_aliases(feature.name):
        switch += f"; also called {', '.join(feature_aliases(feature.name))}"
    return [
        _parameter(feature.name, switch, switch_schema(feature)),
        *(
            _parameter(f"{feature.name}.{field.name}", about(field), schema_of(field))
            for field in fields(feature.params).values()
        ),
    ]


def _parameter(name: str, description: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}
