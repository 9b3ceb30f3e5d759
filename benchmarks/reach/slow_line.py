"""A line to a server that delays what the client sends, and so every request, without narrowing the line."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from benchmarks.processes import ROOT

_CHUNK_BYTES = 1 << 18


@contextmanager
def slow_line(address: str, delay_ms: float) -> Iterator[str]:
    """Run the line to `address` (http://HOST:PORT) in a process of its own; yield the address of its other end."""
    place = urlsplit(address)
    command = [sys.executable, "-m", "benchmarks.reach.slow_line", f"{place.hostname}", f"{place.port}", f"{delay_ms}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait(10)


async def serve(host: str, port: int, delay_s: float) -> asyncio.Server:
    """Listen on a free port of the loopback address, for clients of `host`:`port`."""

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection(host, port)
        ways = (_forward(reader, requests, delay_s), _forward(answers, writer, 0.0))
        await asyncio.gather(*ways, return_exceptions=True)
        requests.close()
        writer.close()

    return await asyncio.start_server(connect, "127.0.0.1", 0)


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    """Write each chunk, and the end, `delay_s` after it came; the ones behind it come in the meantime."""
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    clock = asyncio.get_running_loop().time

    async def read() -> None:
        chunk = b"-"
        try:
            while chunk:
                chunk = await reader.read(_CHUNK_BYTES)
                under_way.put_nowait((clock() + delay_s, chunk))
        except OSError:
            under_way.put_nowait((clock(), b""))

    reading = asyncio.create_task(read())
    try:
        while True:
            due, chunk = await under_way.get()
            await asyncio.sleep(max(0.0, due - clock()))
            if not chunk:
                writer.write_eof()  # the other way may go on
                return
            writer.write(chunk)
            await writer.drain()
    finally:
        reading.cancel()


async def _main(options: argparse.Namespace) -> None:
    server = await serve(options.host, options.port, options.delay_ms / 1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("delay_ms", type=float)
    asyncio.run(_main(parser.parse_args()))
