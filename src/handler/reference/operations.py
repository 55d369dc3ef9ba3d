"""The parts that the operations of the OpenAPI document have in common."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from handler.core.errors import STATUSES, HandlerError
from handler.reference.schema import Schema
from handler.render.results import IMAGE_FACTS, IMAGE_HEADER


def json_answer(summary: str, schema: Schema) -> dict[str, Any]:
    """Return an operation that answers 200 with JSON."""
    answer = {"description": summary, "content": {"application/json": {"schema": schema}}}
    return {"summary": summary, "responses": {"200": answer}}


def object_schema(properties: dict[str, Schema]) -> Schema:
    """Return the schema of an object that has all of these properties."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def error_responses() -> dict[str, Any]:
    """Return the response for each error status, described by the errors that have it."""
    descriptions: dict[HTTPStatus, list[str]] = {}
    for kind in HandlerError.__subclasses__():
        if kind.__module__ == HandlerError.__module__:
            descriptions.setdefault(kind.status, []).append(_line(kind))
    for refused, status in STATUSES.items():
        descriptions.setdefault(status, []).append(_line(refused))
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        str(int(status)): {"description": " ".join(dict.fromkeys(meanings)), "content": error}
        for status, meanings in sorted(descriptions.items())
    }


def error_references() -> dict[str, Any]:
    """Return references to the responses of all error statuses."""
    return {status: {"$ref": f"#/components/responses/{status}"} for status in error_responses()}


def endpoint(summary: str, parameters: list[dict[str, Any]], schema: Schema) -> dict[str, Any]:
    """Return an operation that answers JSON, or one of the errors."""
    answers = {**json_answer(summary, schema)["responses"], **error_references()}
    return {"summary": summary, "parameters": parameters, "responses": answers}


def _line(documented: type) -> str:
    return (documented.__doc__ or "").strip().splitlines()[0]


def parameter(name: str, description: str, schema: Schema) -> dict[str, Any]:
    """Return a parameter of the query."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def image_headers() -> dict[str, Any]:
    """Return the headers of an image that IMAGE_HEADERS switches on."""
    return {
        f"{IMAGE_HEADER}{name.title()}": {
            "description": f"{about}. Sent with IMAGE_HEADERS=Yes",
            "schema": {"type": "string"},
        }
        for name, about in IMAGE_FACTS.items()
    }
