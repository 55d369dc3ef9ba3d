"""What the tools do. None of them knows the protocol."""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from features import by_name, feature_names
from handler.auth.canonical import IgnoredParameters, decode_path, split_query
from handler.auth.signature import Signatures, parse_life
from handler.cli.mcp_server.arguments import (
    EditArguments,
    ExplainArguments,
    FeaturesArguments,
    InfoArguments,
    UploadArguments,
    describe_features,
    read_arguments,
)
from handler.cli.mcp_server.services import Response, Service
from handler.cli.upload_client import LocalFile, UploadClient, UploadFailed
from handler.core.errors import BadRequest, HandlerError
from handler.requests.image_address import ANY_LANGUAGE, image_address
from handler.requests.parse import is_own, parse_address
from handler.uploads.ingest.keys import DEFAULT_TYPE, check_key, guess_type
from imaging import FeatureError, InvalidParameter, spellings

_SHOWN = ("image/jpeg", "image/png", "image/webp", "image/gif")
"""Media types that assistants can look at."""
_PRINTABLE = string.punctuation
"""What a URL holds unencoded beside letters and digits; spaces and letters beyond ASCII become percent-encoded."""
_OF_RESIZE = ("width", "height")
"""Parameters of resize that a URL names without the feature, as everybody writes them."""


class ToolAnswer(msgspec.Struct, frozen=True):
    """What a tool returns."""

    content: dict[str, Any]
    image: bytes = b""
    media_type: str = ""
    is_error: bool = False


class UploadFolder(msgspec.Struct, frozen=True):
    """Where `upload` finds files, and what sends them."""

    folder: Path
    max_bytes: int
    url: str
    token: str


class Tools(msgspec.Struct, frozen=True):
    """The tools for one service."""

    service: Service
    ignored: IgnoredParameters
    signatures: Signatures | None
    """None if URLs are not signed."""
    max_image_bytes: int
    """Size of the largest image that is returned; larger ones have a URL alone."""
    uploads: UploadFolder | None = None

    def listed(self) -> dict[str, tuple[type[msgspec.Struct], Callable[[Any], ToolAnswer]]]:
        """Return each tool that is switched on, with the type of its arguments."""
        tools: dict[str, tuple[type[msgspec.Struct], Callable[[Any], ToolAnswer]]] = {
            "edit": (EditArguments, self.edit),
            "info": (InfoArguments, self.info),
            "explain": (ExplainArguments, self.explain),
            "features": (FeaturesArguments, lambda call: ToolAnswer(describe_features(call.names))),
        }
        return tools | ({"upload": (UploadArguments, self.upload)} if self.uploads else {})

    def call(self, name: str, arguments: Mapping[str, Any]) -> ToolAnswer:
        """Return what a tool answers. Errors are answers too; each names the field, what was expected and what came."""
        tools = self.listed()
        try:
            if name not in tools:
                raise InvalidParameter("name", f"one of the tools {', '.join(tools)}", name)
            kind, work = tools[name]
            return work(read_arguments(arguments, kind))
        except InvalidParameter as error:
            named = {"field": error.name, "expected": error.expected, "got": str(error.got)[:200]}
            return _refusal({"code": error.code, "message": error.message, **named})
        except (FeatureError, HandlerError) as error:
            return _refusal({"code": error.code, "message": error.message})

    def edit(self, call: EditArguments) -> ToolAnswer:
        """Return the URL of an edited image, and the image if it is requested."""
        options = {**_flat_edits(call.edits), **_output_options(call.output, call.edits)}
        target = self._sign(self._target(call.image, call.source, options, call.preset), call.expires)
        answer: dict[str, Any] = {"url": self.service.base + target}
        if not self.service.base:
            answer["note"] = "a path, which image-handler serve makes a URL of"
        if not call.show:
            return ToolAnswer(answer)
        response = self.service.get(target, self.max_image_bytes)
        if response.status >= HTTPStatus.BAD_REQUEST:
            return _refusal(response.error | answer)
        return self._show(response, answer)

    def _show(self, response: Response, answer: dict[str, Any]) -> ToolAnswer:
        """Return the image of a response, or a note that says why it is not shown."""
        if response.media_type == "application/json" and not response.is_cut:
            return ToolAnswer(answer | {"answer": response.content})
        if response.is_cut or response.status != HTTPStatus.OK:
            note = (
                f"the image has more than {self.max_image_bytes} bytes, so it is not shown: request fewer pixels, "
                "a lower quality or output.maxBytes"
            )
        elif response.media_type not in _SHOWN:
            note = f"{response.media_type} is not shown: request output.format webp, png or jpeg to look at it"
        else:
            return ToolAnswer(
                answer | {"mediaType": response.media_type, "bytes": len(response.body)},
                response.body,
                response.media_type,
            )
        return ToolAnswer(answer | {"note": note})

    def info(self, call: InfoArguments) -> ToolAnswer:
        """Return what the service knows of an image."""
        target = self._sign(self._target(call.image, call.source, {"info": call.include or True}))
        response = self.service.get(target)
        if response.status != HTTPStatus.OK:
            return _refusal(response.error)
        return ToolAnswer(response.content)

    def explain(self, call: ExplainArguments) -> ToolAnswer:
        """Return what a URL requests, or why it is refused."""
        response = self.service.get(f"/_api/explain?url={quote(call.url, safe='')}")
        meant: dict[str, Any] = {"refused": response.error}
        if response.status == HTTPStatus.OK:
            meant = response.content
        if meant.get("ignored") and meant.get("compatibility") == "strict":
            meant["refused"] = {"status": 400, "message": meant["ignored"][0]["message"]}
        if call.request:
            response = self.service.get(self._target_of(call.url))
            is_error = response.status >= HTTPStatus.BAD_REQUEST
            meant["answer"] = response.error if is_error else {"status": response.status, "type": response.media_type}
        return ToolAnswer(meant)

    def _target_of(self, url: str) -> str:
        """Return path and query of an image's URL. Raise BadRequest for another host, and for a page of the service."""
        if not self.service.owns(url):
            expected = f"begin with {self.service.base}/" if self.service.base else "be a path"
            raise BadRequest(f"`url` must {expected} to be requested, got {url[:100]!r}")
        parts = urlsplit(quote(url, safe=_PRINTABLE))
        if is_own(decode_path(parts.path or "/"), ANY_LANGUAGE.dialects):
            raise BadRequest(f"`url` must be that of an image to be requested, got {url[:100]!r}")
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def upload(self, call: UploadArguments) -> ToolAnswer:
        """Upload a file of the folder for uploads."""
        if self.uploads is None:
            raise BadRequest("uploads are switched off: start image-handler mcp with --upload-from")
        path = _find_file(self.uploads, call.file)
        key = check_key(call.key or path.relative_to(self.uploads.folder).as_posix())
        client = UploadClient(self.uploads.url, self.uploads.token, call.overwrite, lambda _: None)
        try:
            outcome = client.upload(LocalFile(path, key, path.stat().st_size))
        except UploadFailed as error:
            raise BadRequest(f"{call.file[:100]} could not be uploaded: {error}", code="UploadFailed") from error
        return ToolAnswer({"key": key, "outcome": outcome})

    def _target(self, image: str, source: str, options: Mapping[str, Any], preset: str = "") -> str:
        """Return path and query for an image. Raise InvalidParameter and BadRequest for what no service accepts."""
        check_key(image.removeprefix("/"), "image")
        controls = {name: value for name, value in (("bucket", source), ("preset", preset)) if value}
        try:
            target = image_address(image, {**options, **controls})
        except (AttributeError, TypeError, ValueError, RecursionError) as error:
            raise BadRequest(f"`edits` must be an object of features and their parameters: {error}") from error
        path, _, query = target.partition("?")
        parse_address(decode_path(path), split_query(query), ANY_LANGUAGE, raw_path=path)
        return target

    def _sign(self, target: str, expires: str = "") -> str:
        life: timedelta | None = parse_life(expires) if expires else None
        if self.signatures is None:
            if life:
                raise BadRequest("`expires` must be left out: no signing secret is set (SIGNATURE_SECRET_FILE)")
            return target
        return self.signatures.signed_url(target, life, ignored=self.ignored)


def _flat_edits(edits: Mapping[str, Any]) -> dict[str, Any]:
    """Return edits as options of a URL: width and height of resize stand alone."""
    options: dict[str, Any] = {}
    for name, value in edits.items():
        if name not in (*feature_names(), "steps"):
            by_name(name, f"edits.{name}")
        if name == "resize" and isinstance(value, Mapping):
            sizes = {side: value[side] for side in _OF_RESIZE if side in value}
            rest = {each: value[each] for each in value if each not in sizes}
            options |= sizes | ({name: rest} if rest else {})
        else:
            options[name] = True if value == {} else value
    return options


def _output_options(output: Mapping[str, Any], edits: Mapping[str, Any]) -> dict[str, Any]:
    """Return output options under names that none of the features has."""
    taken = {spelling for name in edits if name in feature_names() for spelling in spellings(by_name(name).params)}
    return {f"output.{name}" if name in taken or "." in name else name: value for name, value in output.items()}


def _find_file(uploads: UploadFolder, name: str) -> Path:
    """Return a file of the folder. Raise BadRequest for a path outside, a hidden file, or no image."""
    path = (uploads.folder / name).resolve()
    if not path.is_relative_to(uploads.folder):
        raise BadRequest(f"`file` must be a path below the folder for uploads, got {name[:100]!r}")
    if any(part.startswith(".") for part in path.relative_to(uploads.folder).parts) or not path.is_file():
        raise BadRequest(f"`file` must be a file in the folder for uploads, got {name[:100]!r}")
    if guess_type(path.name) == DEFAULT_TYPE:
        raise BadRequest(f"`file` must have the extension of an image, got {name[:100]!r}")
    if (size := path.stat().st_size) > uploads.max_bytes:
        raise BadRequest(f"`file` must have at most {uploads.max_bytes} bytes, got {size}")
    return path


def _refusal(error: dict[str, Any]) -> ToolAnswer:
    return ToolAnswer({"error": error}, is_error=True)


def write_json(content: Mapping[str, Any]) -> str:
    """Return an answer as the text that assistants read."""
    return json.dumps(content, ensure_ascii=False)
