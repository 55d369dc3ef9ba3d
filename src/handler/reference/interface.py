"""Generate docs/openapi.json, the OpenAPI 3.1 document of the HTTP interface."""

from __future__ import annotations

from typing import Any

from features import CATALOGUE, by_name, feature_aliases
from handler.entrypoints.operator.entrypoint import MAX_PURGED_KEYS
from handler.reference.canvas_path import CANVAS, canvas_parameters
from handler.reference.capabilities_path import capabilities
from handler.reference.gallery_paths import VISITOR_SCHEME, gallery_paths, gallery_schemas
from handler.reference.notices import record_schema, webhooks
from handler.reference.operations import (
    endpoint,
    error_references,
    error_responses,
    image_headers,
    json_answer,
    object_schema,
    parameter,
)
from handler.reference.record_paths import record_paths
from handler.reference.schema import Schema, about, edits_schema, model_schema, schema_of, switch_schema
from handler.reference.upload_paths import upload_paths
from handler.requests import dialects
from imaging import FORMATS, MEDIA_TYPES, Feature, Output, Params, fields, main_field

CONTROLS = {
    "bucket": "Source that the original is read from. Default: the first source",
    "feature": "Comma-separated list of features to apply; parameters without a prefix belong to them",
    "preset": "Name of a preset of the operator; other parameters of the URL override its values",
    "v": "Any text; changes the URL, so that caches fetch the image again",
    "expires": "Time after which a signed URL is no longer valid, YYYYMMDDTHHmmssZ in UTC",
    "signature": "Signature of the URL, see docs/signing.md",
}
"""Parameters of a URL that belong to no feature."""
CHAIN = (
    "JSON list of edits, which are applied in its order behind all others; an element holds edits, as in JSON, or "
    'names a preset: [{"resize":{"width":300}},{"preset":"card"}], see docs/compose.md'
)
_ANYTHING: Schema = {"type": "string", "format": "binary"}


def openapi() -> dict[str, Any]:
    """Return the whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Image handler",
            "version": "1",
            "description": "A URL names an original and the features to apply to it; the answer is the result. "
            "Features apply in the order of this document, whatever their order in the URL.",
        },
        "paths": _paths(),
        "webhooks": webhooks(),
        "components": {
            "schemas": _schemas(),
            "parameters": _parameters(),
            "responses": {"Picture": {**_picture(), "headers": image_headers()}, **error_responses()},
            "securitySchemes": {"operator": {"type": "http", "scheme": "bearer"}, "visitor": VISITOR_SCHEME},
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
    references = [{"$ref": f"#/components/parameters/{name}"} for name in _parameters()]
    return {
        "/{key}": {"get": _get("Return an image", [key, *references], dialects.describe())},
        "/_key/{key}": {
            "get": _get("Return an image whose key looks like another request", [key, *references], _KEY_ONLY)
        },
        "/_canvas": {"get": _get("Return a canvas of one colour, edited", canvas_parameters(references), CANVAS)},
        "/_api/transform": {"post": _transform(references, "Transform an image that is sent in the body")},
        "/_api/remove-background": {
            "post": _transform(references, "Remove the background of an image; PNG if no format is given")
        },
        "/_api/sign": _sign(),
        "/_api/images": {"get": _images()},
        "/_api/purge": {"post": _purge()},
        "/_api/explain": {"get": _explain()},
        "/_api/translate": {"get": _translate()},
        "/_api/capabilities": {"get": capabilities()},
        "/_api/openapi.json": {"get": json_answer("This document", {"type": "object"})},
        **upload_paths(),
        **record_paths(),
        **gallery_paths(),
        "/_health": {"get": json_answer("Return whether the service is healthy", _HEALTHY)},
        "/_ready": {"get": _ready()},
    }


_HEALTHY = object_schema({"status": {"const": "ok"}})
_READY = object_schema({"status": {"const": "ready"}})
_NOT_READY = object_schema(
    {
        "status": {"const": "failing"},
        "failing": {"type": "array", "items": {"enum": ["drawing", "source", "database"]}, "minItems": 1},
    }
)
_KEY_ONLY = "For keys that would be read as a request in another dialect, or as another path of this interface."


def _ready() -> dict[str, Any]:
    answer = json_answer("Return whether drawing, a source and the database work", _READY)
    content = {"application/json": {"schema": _NOT_READY}}
    refused = {"description": "Names the parts that do not work or do not answer within 3 seconds", "content": content}
    about = "The checks run at most every two seconds; requests in between get the last result."
    return {**answer, "description": about, "responses": {**answer["responses"], "503": refused}}


def _get(summary: str, parameters: list[dict[str, Any]], description: str) -> dict[str, Any]:
    unchanged = {"description": "The client's copy is up to date (If-None-Match, If-Modified-Since)"}
    answers = {"200": {"$ref": "#/components/responses/Picture"}, "304": unchanged, **error_references()}
    return {"summary": summary, "description": description, "parameters": parameters, "responses": answers}


def _transform(parameters: list[dict[str, Any]], summary: str) -> dict[str, Any]:
    in_base64: Schema = {"type": "string", "contentEncoding": "base64"}
    sent = object_schema({"image": in_base64}) | {
        "description": "The image and the parameters that a URL would have",
        "additionalProperties": True,
    }
    picture = object_schema({"image": in_base64, "contentType": {"type": "string"}})
    report: Schema = {"type": "object", "description": "The result of `info` or another report"}
    answered = {"application/json": {"schema": {"anyOf": [picture, report]}}}
    return {
        "summary": summary,
        "description": "Needs the operator token. An image that is sent in JSON is returned in JSON.",
        "security": [{"operator": []}],
        "parameters": parameters,
        "requestBody": {
            "required": True,
            "content": {"image/*": {"schema": _ANYTHING}, "application/json": {"schema": sent}},
        },
        "responses": {"200": {**_picture(), "content": _picture()["content"] | answered}, **error_references()},
    }


def _sign() -> dict[str, Any]:
    life: Schema = {"type": ["string", "null"], "pattern": "^[0-9]{1,9}[smhdw]$", "examples": ["15m", "1h", "7d"]}
    url: Schema = {"type": "string", "examples": ["/cat.jpg?width=300"]}
    body_schema = object_schema({"url": url}) | {"additionalProperties": False}
    body_schema["properties"]["expires"] = {"description": "How long the URL is valid; null: without limit", **life}
    query = [parameter("url", "URL to sign, percent-encoded", url) | {"required": True}]
    query.append(parameter("expires", "How long the URL is valid", {**life, "type": "string"}))
    about = "Needs the operator token. If signatures are not enabled, the URL is returned unchanged."
    common = {"summary": "Sign a URL", "description": about, "security": [{"operator": []}]}
    answers = {
        **json_answer("The signed URL", object_schema({"url": {"type": "string"}}))["responses"],
        **error_references(),
    }
    body = {"required": True, "content": {"application/json": {"schema": body_schema}}}
    return {
        "get": {**common, "parameters": query, "responses": answers},
        "post": {**common, "requestBody": body, "responses": answers},
    }


_URL: Schema = {"type": "string", "examples": ["/unsafe/fit-in/300x200/filters:blur(3)/cat.jpg"]}


def _explain() -> dict[str, Any]:
    text: Schema = {"type": "string"}
    step = object_schema({"feature": text}) | {"additionalProperties": True}
    explanation = object_schema(
        {
            "dialect": {"enum": dialects.names()},
            "bucket": text,
            "key": text,
            "steps": {"type": "array", "items": step, "description": "In the order in which they apply"},
            "output": {"$ref": "#/components/schemas/Output"},
            "signature": {"enum": ["none", "valid", "invalid", "missing"]},
            "compatibility": {"enum": ["strict", "lenient"], "description": "The mode that COMPATIBILITY sets"},
            "ignored": {
                "type": "array",
                "items": object_schema({"name": text, "message": text}),
                "description": "What lenient mode ignores or repairs; strict mode refuses the first of it",
            },
        }
    )
    # Without the operator token, these are left out if signatures are enabled or only presets are allowed.
    settings = ("bucket", "signature", "compatibility")
    explanation["required"] = [name for name in explanation["required"] if name not in settings]
    url = parameter("url", "URL in any dialect, percent-encoded", _URL) | {"required": True}
    return endpoint("Explain what a URL means, without reading an image", [url], explanation)


def _translate() -> dict[str, Any]:
    unsupported = {
        "type": "array",
        "items": {"type": "string"},
        "description": "Parts of the URL that the other dialect cannot express",
    }
    url = parameter("url", "URL in any dialect, percent-encoded", _URL) | {"required": True}
    to = parameter("to", "Dialect to translate to", {"enum": dialects.names()}) | {"required": True}
    translation = object_schema({"url": _URL, "unsaid": unsupported})
    return endpoint("Translate a URL to another dialect", [url, to], translation)


def _images() -> dict[str, Any]:
    text: Schema = {"type": "string"}
    image = object_schema({"key": text, "bytes": {"type": "integer"}, "lastModified": text | {"format": "date-time"}})
    listed = object_schema(
        {
            "buckets": {
                "type": "array",
                "items": text,
                "description": "All sources that can be listed, the default first",
            },
            "bucket": text,
            "prefix": text,
            "images": {"type": "array", "items": image},
            "prefixes": {"type": "array", "items": text, "description": "Folders directly under the prefix"},
            "cursor": {
                "type": ["string", "null"],
                "description": "Value of `cursor` for the next page; null: this is the last page",
            },
        }
    )
    limit: Schema = {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}
    parameters = [
        parameter("bucket", CONTROLS["bucket"], text),
        parameter("prefix", "Beginning of the keys; a prefix that ends in a slash is a folder", text),
        parameter("limit", "Maximum number of keys and folders in one page", limit),
        parameter("cursor", "`cursor` of the page before", text),
    ]
    about = "Needs the operator token and LIST_IMAGES=Yes. The contents of folders are not listed."
    answer = json_answer("List the images and folders under a prefix of a source", listed)
    common = {"description": about, "security": [{"operator": []}], "parameters": parameters}
    return {**answer, **common, "responses": {**answer["responses"], **error_references()}}


def _purge() -> dict[str, Any]:
    keys: Schema = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MAX_PURGED_KEYS}
    body_schema = object_schema({"keys": keys}) | {"additionalProperties": False}
    body_schema["properties"]["bucket"] = {"type": "string", "description": CONTROLS["bucket"]}
    answered = object_schema(
        {
            "keys": {"type": "integer", "description": "Number of originals that were named"},
            "results": {"type": "integer", "description": "Number of stored results that were deleted"},
            "invalidation": {
                "type": ["string", "null"],
                "description": "ID of the CloudFront invalidation; null: no distribution is configured",
            },
        }
    )
    about = (
        "Needs the operator token. Deletes the stored results and detections of these originals and invalidates all of "
        "their variants in the CDN, in every dialect. Browsers keep what they have cached."
    )
    answer = json_answer("Purge originals and their variants", answered)
    body = {"required": True, "content": {"application/json": {"schema": body_schema}}}
    common = {"description": about, "security": [{"operator": []}], "requestBody": body}
    return {**answer, **common, "responses": {**answer["responses"], **error_references()}}


def _picture() -> dict[str, Any]:
    content = {MEDIA_TYPES[each.name]: {"schema": _ANYTHING} for each in FORMATS if each.encoder or each.strip}
    report = {"schema": {"type": "object", "description": "The result of `info` or another report"}}
    return {"description": "The image, or a report", "content": {**content, "application/json": report}}


def _schemas() -> dict[str, Schema]:
    models: list[type[Params]] = [*(feature.params for feature in CATALOGUE), Output]
    error = object_schema({"status": {"type": "integer"}, "code": {"type": "string"}, "message": {"type": "string"}})
    own = {"Edits": edits_schema(), "Error": error, "Record": record_schema(), **gallery_schemas()}
    return {**{model.__name__: model_schema(model) for model in models}, **own}


def _parameters() -> dict[str, Any]:
    """Return every query parameter by name; those of features are dotted."""
    found = [parameter(name, description, {"type": "string"}) for name, description in CONTROLS.items()]
    found.append(parameter("steps", CHAIN, {"type": "string"}))
    sizes = fields(by_name("resize").params)
    found += [parameter(name, f"Short for `resize.{name}`", schema_of(sizes[name])) for name in ("width", "height")]
    for feature in CATALOGUE:
        found += _of_feature(feature)
    found += [parameter(field.name, about(field), schema_of(field)) for field in fields(Output).values()]
    return {each["name"]: each for each in found}


def _of_feature(feature: Feature) -> list[dict[str, Any]]:
    main = main_field(feature.params)
    switch = feature.help.rstrip(".") + (f"; sets `{feature.name}.{main.name}`" if main else "")
    if feature_aliases(feature.name):
        switch += f"; also called {', '.join(feature_aliases(feature.name))}"
    return [
        parameter(feature.name, switch, switch_schema(feature)),
        *(
            parameter(f"{feature.name}.{field.name}", about(field), schema_of(field))
            for field in fields(feature.params).values()
        ),
    ]
