"""The OpenAPI document as a page that people can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from handler.pages.html import page
from handler.response import Answer

_METHODS = ("get", "head", "post", "put", "delete")


def reference(document: Mapping[str, Any]) -> Answer:
    """Every path of an OpenAPI document, with its parameters and answers."""
    operations = (
        (path, method, operation)
        for path, item in document.get("paths", {}).items()
        for method, operation in item.items()
        if method in _METHODS
    )
    about = escape(document["info"].get("description", ""))
    content = "\n".join(_operation(document, *each) for each in operations)
    return page(document["info"]["title"], f"<p>{about}</p>\n{content}")


def _operation(document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> str:
    parameters = [_resolved(document, each) for each in operation.get("parameters", ())]
    answers = ((status, _resolved(document, each)) for status, each in operation.get("responses", {}).items())
    rows = "".join(_row(each) for each in parameters)
    table = f"<table><tr><th>Name</th><th>Value</th><th>What it does</th></tr>\n{rows}</table>" if rows else ""
    codes = "".join(f"<tr><td>{escape(str(code))}</td><td>{_text(each)}</td></tr>\n" for code, each in answers)
    summary = escape(operation.get("summary", ""))
    return (
        f"<h2><code>{method.upper()} {escape(path)}</code></h2>\n<p>{summary}</p>\n<p>{_text(operation)}</p>\n{table}\n"
        f"<table><tr><th>Status</th><th>Answer</th></tr>\n{codes}</table>"
    )


def _row(parameter: Mapping[str, Any]) -> str:
    value = ", ".join(_value(parameter.get("schema", {})))
    name = escape(parameter["name"])
    return f"<tr><td><code>{name}</code></td><td>{escape(value)}</td><td>{_text(parameter)}</td></tr>\n"


def _value(schema: Mapping[str, Any]) -> Iterator[str]:
    """What a schema takes, in words: type, choices, range, default."""
    for choice in schema.get("anyOf", ()):
        yield from _value(choice)
    if "enum" in schema:
        yield "one of " + " | ".join(map(str, schema["enum"]))
    elif schema.get("type", "null") != "null":
        yield str(schema["type"])
    if "minimum" in schema:
        yield f"{schema['minimum']} to {schema['maximum']}" if "maximum" in schema else f"{schema['minimum']} or more"
    elif "maximum" in schema:
        yield f"at most {schema['maximum']}"
    if schema.get("default") is not None:
        yield f"default {schema['default']}"


def _text(described: Mapping[str, Any]) -> str:
    return escape(described.get("description", ""))


def _resolved(document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part itself, or what its `$ref` into the same document names."""
    found: Any = document
    if "$ref" not in part:
        return part
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return dict(found)
