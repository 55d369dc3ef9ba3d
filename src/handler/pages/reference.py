"""The API reference: the OpenAPI document as an HTML page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from handler.pages.html import page
from handler.response import Answer

_METHODS = ("get", "head", "post", "put", "delete")
_BOUNDS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}


def reference(document: Mapping[str, Any]) -> Answer:
    """Answer with every path of an OpenAPI document, its parameters and responses, and the shared parameters once."""
    operations = (
        _render_operation(document, path, method, operation)
        for path, item in document.get("paths", {}).items()
        for method, operation in item.items()
        if method in _METHODS
    )
    shared = document.get("components", {}).get("parameters", {}).values()
    common = f'<h2 id="parameters">Parameters</h2>\n{_render_table(shared)}' if shared else ""
    about = f"<p>{_text(document['info'])}</p>"
    return page(document["info"]["title"], "\n".join((about, *operations, common)))


def _render_operation(document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> str:
    parameters = operation.get("parameters", ())
    own = [each for each in parameters if "$ref" not in each]
    more = '<p>Also takes the <a href="#parameters">parameters below</a>.</p>' if len(own) < len(parameters) else ""
    answers = ((status, _resolve(document, each)) for status, each in operation.get("responses", {}).items())
    codes = "".join(f"<tr><td>{escape(str(code))}</td><td>{_text(each)}</td></tr>\n" for code, each in answers)
    return (
        f"<h2><code>{method.upper()} {escape(path)}</code></h2>\n<p>{escape(operation.get('summary', ''))}</p>\n"
        f"<p>{_text(operation)}</p>\n{_render_table(own)}\n{more}\n"
        f"<table><tr><th>Status</th><th>Answer</th></tr>\n{codes}</table>"
    )


def _render_table(parameters: Iterable[Mapping[str, Any]]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(each['name'])}</code></td><td>"
        f"{escape(', '.join(_describe_schema(each.get('schema', {}))))}</td><td>{_text(each)}</td></tr>\n"
        for each in parameters
    )
    return f"<table><tr><th>Name</th><th>Value</th><th>What it does</th></tr>\n{rows}</table>" if rows else ""


def _describe_schema(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the parts of a schema's description: choices or types, range, default."""
    choices = [", ".join(_describe_schema(choice)) for choice in schema.get("anyOf", ())]
    if choices:
        yield " or ".join(filter(None, choices))
    elif "enum" in schema:
        yield "one of " + " | ".join(map(str, schema["enum"]))
    elif kinds := [kind for kind in _listed(schema.get("type", ())) if kind != "null"]:
        yield " or ".join(kinds)
    if bounds := [f"{word} {schema[name]:.10g}" for name, word in _BOUNDS.items() if name in schema]:
        yield " ".join(bounds)
    default = schema.get("default")
    if default is not None:
        yield f"default {default:g}" if isinstance(default, float) else f"default {str(default).lower()}"


def _listed(types: str | Sequence[str]) -> Sequence[str]:
    return (types,) if isinstance(types, str) else types


def _text(described: Mapping[str, Any]) -> str:
    """Return a description as HTML, with text in backticks as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(described.get("description", "")))


def _resolve(document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a part of a document, or the part that its `$ref` names."""
    found: Any = document
    if "$ref" not in part:
        return part
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return dict(found)
