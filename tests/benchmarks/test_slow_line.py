from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from benchmarks.reach.slow_line import serve

SENT = bytes(range(256)) * 20_000


async def send_through_a_line() -> bytes:
    """Return what a server that answers with what it gets sends back over a line."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        line = await serve("127.0.0.1", server.sockets[0].getsockname()[1], 0.01)
        async with line:
            reader, writer = await asyncio.open_connection("127.0.0.1", line.sockets[0].getsockname()[1])
            writer.write(SENT)
            writer.write_eof()
            received = await reader.read(-1)
            writer.close()
            return received


def test_bytes_pass_in_order_and_the_end_of_one_side_reaches_the_other():
    with ThreadPoolExecutor(1) as thread:  # a browser of other tests has an event loop in this one
        received = thread.submit(asyncio.run, asyncio.wait_for(send_through_a_line(), 60)).result()
    assert received == SENT
