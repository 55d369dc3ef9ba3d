"""The sections of the API reference about calls, from the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from http import HTTPStatus
from typing import Any, NamedTuple

from handler.reference.api_features import write_markdown, write_part
from handler.reference.features_page import markdown_table

_METHODS = ("get", "head", "post", "put", "patch", "delete")
_GROUPS: Mapping[str, tuple[str, ...]] = {
    "Images": ("/{key}", "/_key/", "/_canvas", "/_api/transform", "/_api/remove-background"),
    "URLs and the service": (
        "/_api/sign", "/_api/explain", "/_api/translate", "/_api/images", "/_api/purge", "/_api/capabilities",
        "/_api/openapi", "/_health", "/_ready",
    ),
    "Uploads": ("/_api/uploads", "/_upload"),
    "Records and events": ("/_api/records", "/_api/events"),
    "Gallery": ("/_api/gallery/",),
}  # fmt: skip
"""The beginnings of the paths in each group."""
_CALLERS = {"operator": "operator token", "visitor": "gallery cookie"}
_BOUNDS = {
    "minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below",
    "minItems": "at least", "maxItems": "at most", "maxLength": "up to",
}  # fmt: skip


class Call(NamedTuple):
    """One operation of the OpenAPI document."""

    method: str
    path: str
    operation: Mapping[str, Any]
    document: Mapping[str, Any]

    @property
    def summary(self) -> str:
        """What the call does."""
        return str(self.operation.get("summary", self.path))


def group_calls(document: Mapping[str, Any]) -> Sequence[tuple[str, Sequence[Call]]]:
    """Return the calls of each group that has some; the last one has those that no other group names."""
    calls = [
        Call(method, path, operation, document)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in _METHODS
    ]
    groups = {title: [call for call in calls if call.path.startswith(paths)] for title, paths in _GROUPS.items()}
    named = [call for group in groups.values() for call in group]
    groups["Other calls"] = [call for call in calls if call not in named]
    return [(title, group) for title, group in groups.items() if group]


def name_call(call: Call) -> str:
    """Return the anchor of a call: its method and the words of its path."""
    return "-".join((call.method, *re.findall(r"\w+", call.path)))


def write_call(call: Call) -> str:
    """Return the section of a call."""
    marks = [_CALLERS.get(name, name) for each in call.operation.get("security", ()) for name in each]
    words = (call.method, call.path, call.summary, call.operation.get("description", ""))
    method, path = call.method.upper(), escape(call.path)
    content = (
        f'<p class="endpoint"><span class="method">{method}</span> <code>{path}</code></p>\n'
        f"{write_markdown(chr(10).join(_describe(call)))}"
    )
    return write_part(name_call(call), call.summary, words, content, marks)


def write_errors(document: Mapping[str, Any]) -> str:
    """Return the table of the error statuses in Markdown."""
    rows = (
        (f"**{status}** {HTTPStatus(int(status)).phrase}", str(answer["description"]))
        for status, answer in document["components"]["responses"].items()
        if status.isdigit()
    )
    return (
        "An error is JSON with `status`, `code` and `message`. The message names the parameter, what was expected and "
        f"what came. Any call may answer with these.\n\n{markdown_table(('Status', 'When'), rows)}"
    )


def _describe(call: Call) -> Iterator[str]:
    """Yield the Markdown of a call, paragraph by paragraph."""
    operation = call.operation
    yield f"{operation.get('description', '')}\n"
    parameters = operation.get("parameters", ())
    own = [each for each in parameters if "$ref" not in each]
    if own:
        yield markdown_table(("Parameter", "In", "Value", "Description"), map(_parameter_row, own))
    if len(own) < len(parameters):
        yield "Takes the parameters of all features, and the [output options](#output).\n"
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield from _describe_body(call, f"Body, `{media_type}`", content.get("schema", {}))
    for status, answer in operation.get("responses", {}).items():
        resolved = _resolve(call.document, answer)
        if status.startswith(("2", "3")) or "$ref" not in answer:
            yield f"**{status}** {resolved.get('description', '')}\n"
            schema = resolved.get("content", {}).get("application/json", {}).get("schema", {})
            if status.startswith("2"):
                yield from _describe_body(call, "", schema)


def _describe_body(call: Call, title: str, schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line about a body, and the table of its fields if it is an object."""
    resolved = _resolve(call.document, schema)
    about = str(resolved.get("description", ""))
    if title:
        yield f"**{title}**{': ' + about if about else ''}\n"
    required = resolved.get("required", ())
    rows = [
        (f"`{name}`", ", ".join(_describe_schema(_resolve(call.document, each))), "yes" if name in required else "",
         str(each.get("description", "")))
        for name, each in resolved.get("properties", {}).items()
    ]  # fmt: skip
    if rows:
        yield markdown_table(("Field", "Value", "Always" if not title else "Required", "Description"), rows)


def _parameter_row(parameter: Mapping[str, Any]) -> tuple[str, ...]:
    name = f"`{parameter['name']}`" + (" (required)" if parameter.get("required") else "")
    value = ", ".join(_describe_schema(parameter.get("schema", {})))
    return name, str(parameter.get("in", "")), value, str(parameter.get("description", ""))


def _describe_schema(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the parts of a schema's description: choices or types, range, default, example."""
    choices = [", ".join(_describe_schema(choice)) for choice in schema.get("anyOf", ())]
    if choices:
        yield " or ".join(filter(None, choices))
    elif "enum" in schema:
        yield ", ".join(f"`{each}`" for each in schema["enum"])
    elif "const" in schema:
        yield f"`{schema['const']}`"
    elif kinds := [kind for kind in _listed(schema.get("type", ())) if kind != "null"]:
        yield " or ".join(kinds)
    if bounds := [f"{word} {schema[name]:.10g}" for name, word in _BOUNDS.items() if name in schema]:
        yield " ".join(bounds)
    default = schema.get("default")
    if default is not None:
        yield f"default `{default:g}`" if isinstance(default, float) else f"default `{str(default).lower()}`"


def _listed(types: str | Iterable[str]) -> Iterable[str]:
    return (types,) if isinstance(types, str) else types


def _resolve(document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a part of a document, or the part that its `$ref` names."""
    found: Any = document
    if "$ref" not in part:
        return part
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return dict(found)
