"""Turn answers into ASGI responses. A stored object is sent while it is read, a few blocks of it in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from http import HTTPStatus
from types import MappingProxyType

from starlette.responses import Response, StreamingResponse

from handler.core.ports import StoredObject
from handler.entrypoints.ranges import find_range
from handler.response import Answer

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_readers = ThreadPoolExecutor(8, thread_name_prefix="reader")
"""Threads that read blocks; none waits for a client, because the next block is read when the last one is sent."""


def to_starlette(answer: Answer, method: str, headers: Mapping[str, str] = _NO_HEADERS) -> Response:
    """Return the response that sends an answer to a request with this method and these headers.

    Raise a HandlerError for a range of a stored object that is not there.
    """
    if answer.stored is None:
        return Response(answer.body, answer.status, answer.headers)
    sent = {**answer.headers, "Accept-Ranges": "bytes", "Content-Length": str(answer.size)}
    if method == "HEAD":
        return Response(b"", answer.status, sent)
    found = find_range(headers, answer.headers.get("ETag", ""), answer.size) if "range" in headers else None
    if found is None:
        return StreamingResponse(_read(answer.stored), answer.status, sent)
    content_range = f"bytes {found.start}-{found.stop - 1}/{answer.size}"
    sent |= {"Content-Range": content_range, "Content-Length": str(len(found))}
    return StreamingResponse(_part(_read(answer.stored), found), HTTPStatus.PARTIAL_CONTENT, sent)


def size_of(response: Response) -> int:
    """Return the bytes of the body that a response announces."""
    return int(response.headers.get("content-length", 0))


async def _part(blocks: AsyncGenerator[bytes], part: range) -> AsyncIterator[bytes]:
    """Yield the bytes of a part, and read no further than its end."""
    position = 0
    async with aclosing(blocks):
        async for block in blocks:
            if found := block[max(0, part.start - position) : max(0, part.stop - position)]:
                yield found
            position += len(block)
            if position >= part.stop:
                return


async def _read(stored: StoredObject) -> AsyncGenerator[bytes]:
    """Yield the blocks of an object. If the client disconnects, the transfer from the store ends."""
    loop, blocks = asyncio.get_running_loop(), stored.blocks()
    del stored  # when the client disconnects, a traceback refers to this frame
    reading = loop.run_in_executor(_readers, next, blocks, b"")
    try:
        while block := await asyncio.shield(reading):
            yield block
            reading = loop.run_in_executor(_readers, next, blocks, b"")
    finally:
        # A thread that still reads a block closes the rest afterwards.
        reading.add_done_callback(lambda _: blocks.close())
