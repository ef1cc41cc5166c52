"""A provider that says exactly the bytes it is told to, piece by piece, and keeps what it was sent."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

END = None


@dataclass
class Connection:
    received: bytearray = field(default_factory=bytearray)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Provider:
    """`pieces` are what every request is answered with, `gap` seconds apart; END closes the connection. A request is
    over where its head is, and the body that its length speaks of."""

    pieces: Sequence[bytes | None]
    scheme: str = "http"
    port: int = 0
    reads_bodies: bool = True
    gap: float = 0.001
    connections: list[Connection] = field(default_factory=list)

    def url(self, path: str = "/v1/messages") -> str:
        host = "localhost" if self.scheme == "https" else "127.0.0.1"
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection()
        self.connections.append(connection)
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                connection.received += head
                length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                if self.reads_bodies and length:
                    connection.received += await reader.readexactly(int(length[0].split(b":")[1]))
                pieces = self.pieces
                for n, piece in enumerate(pieces):
                    if piece is END:
                        raise ConnectionResetError
                    writer.write(piece)
                    await writer.drain()
                    if n + 1 < len(pieces):
                        await asyncio.sleep(self.gap)
        writer.close()
        connection.ended.set()


@asynccontextmanager
async def saying(
    *pieces: bytes | None, context: ssl.SSLContext | None = None, reads_bodies: bool = True
) -> AsyncIterator[Provider]:
    provider = Provider(pieces, "https" if context else "http", reads_bodies=reads_bodies)
    server = await asyncio.start_server(provider.answer, "127.0.0.1", 0, ssl=context, limit=1 << 24)
    provider.port = server.sockets[0].getsockname()[1]
    try:
        yield provider
    finally:
        server.close()
        for connection in provider.connections:
            with suppress(TimeoutError):
                await asyncio.wait_for(connection.ended.wait(), 5)
