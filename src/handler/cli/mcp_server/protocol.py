"""Serves the tools over standard input and output, with the SDK of the Model Context Protocol."""

from __future__ import annotations

import base64
from functools import partial
from importlib.metadata import version
from typing import Any

import anyio
import anyio.to_thread
import mcp_types as types
from mcp.server import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from handler.cli.mcp_server.arguments import input_schema
from handler.cli.mcp_server.tools import Tools, write_json

_NAME = "image-handler"
_INSTRUCTIONS = (
    "An image service: originals are stored under keys, and every edited variant is a URL. `edit` makes such URLs and "
    "shows results, `info` describes an image, `explain` says what a URL means or why it is refused, `features` has "
    "the parameters of each feature. Originals are never changed."
)
_READ_ONLY = types.ToolAnnotations(read_only_hint=True, open_world_hint=True)


def serve_stdio(tools: Tools) -> None:
    """Answer the requests on standard input until it ends."""
    anyio.run(_serve, tools)


async def _serve(tools: Tools) -> None:
    listed = [_describe(name, tools) for name in tools.listed()]

    async def list_tools(
        _: ServerRequestContext[Any], __: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=listed)

    async def call_tool(_: ServerRequestContext[Any], params: types.CallToolRequestParams) -> types.CallToolResult:
        # A thread for each call: rendering and requests block.
        work = partial(_call, tools, params.name, params.arguments or {})
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)

    server: Server[Any] = Server(
        _NAME,
        version=version(_NAME),
        title="Image handler",
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    async with stdio_server() as (read_stream, write_stream):
        await server.run(read_stream, write_stream, server.create_initialization_options())


def _describe(name: str, tools: Tools) -> types.Tool:
    kind, _ = tools.listed()[name]
    writes = types.ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True)
    return types.Tool(
        name=name,
        description=" ".join((kind.__doc__ or "").split()),
        input_schema=input_schema(kind),
        annotations=writes if name == "upload" else _READ_ONLY,
    )


def _call(tools: Tools, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    answer = tools.call(name, arguments)
    content: list[types.ContentBlock] = [types.TextContent(text=write_json(answer.content))]
    if answer.image:
        data = base64.b64encode(answer.image).decode()
        content.append(types.ImageContent(data=data, mime_type=answer.media_type))
    return types.CallToolResult(content=content, structured_content=answer.content, is_error=answer.is_error)
