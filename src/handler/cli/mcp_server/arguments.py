"""The arguments of each tool, from which its JSON schema and its checks derive."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec

from features import CATALOGUE, by_name, feature_names
from handler.core.errors import BadRequest
from handler.reference.schema import Schema, model_schema, switch_schema
from imaging import InvalidParameter, Output, Params

T = TypeVar("T", bound=msgspec.Struct)

_Image = Annotated[
    str, msgspec.Meta(min_length=1, max_length=1024, description="Key of the original, such as photos/cat.jpg")
]
_Source = Annotated[str, msgspec.Meta(description="Source of the original; by default the first one of the service")]
_DROPPED = ("description", "examples", "default", "additionalProperties")
"""What the schema of `edit` leaves out, so that it takes few tokens; the tool `features` has all of it."""


class EditArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Return the URL of an edited image and, with `show`, the image itself. The original stays as it is."""

    image: _Image
    edits: Annotated[
        dict[str, Any],
        msgspec.Meta(
            description="Features by name: true, the main parameter, or an object of parameters. They apply in the "
            'order of the catalogue; `steps` is a list of such objects that apply in its order: [{"resize": {"width": '
            '400}}, {"rotate": 90}]. The tool `features` describes parameters'
        ),
    ] = {}
    output: Annotated[
        dict[str, Any], msgspec.Meta(description="How the result is encoded: format, quality, maxBytes and others")
    ] = {}
    preset: Annotated[str, msgspec.Meta(description="Name of edits that the operator has stored")] = ""
    source: _Source = ""
    expires: Annotated[str, msgspec.Meta(description="Time for which a signed URL is valid: 90s, 15m, 1h, 7d, 2w")] = ""
    show: Annotated[bool, msgspec.Meta(description="Request the URL, and return the image if it is small enough")] = (
        False
    )


class InfoArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Return what is known of an image: format, size, orientation, colours, preview and, if requested, more."""

    image: _Image
    include: Annotated[dict[str, Any], msgspec.Meta(description="Parameters of the feature `info`")] = {}
    source: _Source = ""


class ExplainArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Explain what a URL in any URL language of the service means, or why it is refused."""

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=8192, description="URL, or its path with the query")]
    request: Annotated[
        bool, msgspec.Meta(description="Request the URL as well, and return the status and the error of the answer")
    ] = False


class FeaturesArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Describe features with every parameter, its range and its default; without names, list all features."""

    names: Annotated[
        list[str], msgspec.Meta(max_length=20, description="Names of features, or `output` for the output options")
    ] = []


class UploadArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Upload an image from the folder that the user has opened for uploads, and return its key."""

    file: Annotated[str, msgspec.Meta(min_length=1, max_length=1024, description="Path of the file below the folder")]
    key: Annotated[str, msgspec.Meta(description="Key of the original; by default the path of the file")] = ""
    overwrite: Annotated[bool, msgspec.Meta(description="Replace an original with this key and other contents")] = False


_AT = re.compile(r" - at `\$\.?([^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]*)`")


def read_arguments(arguments: Mapping[str, Any], kind: type[T]) -> T:
    """Return the arguments of a call. Raise InvalidParameter for an unknown, a missing or an invalid one."""
    try:
        return msgspec.convert(dict(arguments), kind)
    except msgspec.ValidationError as error:
        message = str(error)
    known = ", ".join(kind.__struct_fields__)
    if found := _UNKNOWN.search(message):
        raise InvalidParameter(found[1][:80], f"one of the arguments {known}", arguments[found[1]])
    if found := _MISSING.search(message):
        raise BadRequest(f"`{found[1]}` must be given; the arguments are {known}")
    at = _AT.search(message)
    expected = (message[: at.start()] if at else message).removeprefix("Expected ")
    raise BadRequest(f"`{at[1] if at else 'arguments'}` must be {expected}")


def describe_features(names: list[str]) -> dict[str, Any]:
    """Return the schemas of features by name; without names, the help text of each feature. Raise InvalidParameter."""
    if not names:
        return {feature.name: feature.help for feature in CATALOGUE}
    return {name: model_schema(_model(name)) for name in names}


def _model(name: str) -> type[Params]:
    if name not in ("output", *feature_names()):
        raise InvalidParameter("names", f"output or one of {', '.join(feature_names())}", name)
    return Output if name == "output" else by_name(name, "names").params


def input_schema(kind: type[msgspec.Struct]) -> Schema:
    """Return the JSON schema of the arguments; objects of edits and output options have the features' own schemas."""
    schema: Schema = msgspec.json.schema(kind)["$defs"][kind.__name__]
    schema = {name: value for name, value in schema.items() if name not in ("title", "description")}
    properties = schema["properties"]
    if kind is EditArguments:
        properties["edits"] |= {"properties": _edits(), "additionalProperties": False}
        properties["output"] |= _compact(model_schema(Output)) | {"additionalProperties": False}
    if kind is InfoArguments:
        about = properties["include"]["description"]
        properties["include"] = {**model_schema(by_name("info").params), "description": about}
    return schema


def _edits() -> Schema:
    steps: Schema = {"type": "array", "items": {"type": "object"}, "description": "Edits in an order of their own"}
    return {feature.name: {"description": feature.help, **_values(feature.name)} for feature in CATALOGUE} | {
        "steps": steps
    }


def _values(name: str) -> Schema:
    """Return the schema of what a feature takes in edits."""
    feature = by_name(name)
    params = _compact(model_schema(feature.params))
    values = [*switch_schema(feature).get("anyOf", [{"type": "boolean"}])]
    values += [params] if params.get("properties") else []
    values += [{"type": "array", "items": {"type": "object"}}] if feature.repeats else []
    return {"anyOf": [_compact(value) for value in values]} if len(values) > 1 else values[0]


def _compact(schema: Any) -> Any:
    """Return a schema without its texts."""
    if isinstance(schema, list):
        return [_compact(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "properties" in schema:
        rest = _compact({name: value for name, value in schema.items() if name != "properties"})
        return rest | {"properties": {name: _compact(value) for name, value in schema["properties"].items()}}
    return {name: _compact(value) for name, value in schema.items() if name not in _DROPPED}
