"""Turn answers into ASGI responses. A stored object is sent while it is read, a few blocks of it in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from starlette.responses import Response, StreamingResponse

from handler.ports import StoredObject
from handler.response import Answer

_readers = ThreadPoolExecutor(8, thread_name_prefix="reader")
"""Threads that read blocks; none waits for a client, because the next block is read when the last one is sent."""


def to_starlette(answer: Answer) -> Response:
    """Return the response that sends an answer."""
    if answer.stored is None:
        return Response(answer.body, answer.status, answer.headers)
    headers = {**answer.headers, "Content-Length": str(answer.size)}
    return StreamingResponse(_read(answer.stored), answer.status, headers)


def size_of(response: Response) -> int:
    """Return the bytes of the body that a response announces."""
    return int(response.headers.get("content-length", 0))


async def _read(stored: StoredObject) -> AsyncIterator[bytes]:
    """Yield the blocks of an object. If the client disconnects, the transfer from the store ends."""
    loop, blocks = asyncio.get_running_loop(), stored.blocks()
    reading = loop.run_in_executor(_readers, next, blocks, b"")
    try:
        while block := await asyncio.shield(reading):
            yield block
            reading = loop.run_in_executor(_readers, next, blocks, b"")
    finally:
        # A thread that still reads a block closes the rest afterwards.
        reading.add_done_callback(lambda _: blocks.close())
