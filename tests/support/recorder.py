"""Stands between an agent and rlmc and keeps what passed, to the byte. Run as the child of `rlmc run`:

    rlmc run --as claude -- python recorder.py OUT.jsonl claude -p …

It gives the agent its own address, forwards everything to the one rlmc set, and ends with the agent's exit code.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web


async def main(out: Path, command: list[str]) -> int:
    target = os.environ["ANTHROPIC_BASE_URL"]
    records = out.open("w")
    session = aiohttp.ClientSession(auto_decompress=False)

    async def forward(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        parts = urlsplit(target)
        headers = [(k, v) for k, v in request.headers.items() if k.lower() != "host"]
        answer = await session.request(
            request.method,
            f"{parts.scheme}://{parts.netloc}{parts.path}{request.raw_path}",
            headers=headers,
            data=body or None,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )
        dropped = ("content-length", "transfer-encoding", "connection")
        response = web.StreamResponse(status=answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in dropped:
                response.headers.add(name, value)
        await response.prepare(request)
        received = b""
        async for chunk in answer.content.iter_any():
            received += chunk
            await response.write(chunk)
        record = {
            "method": request.method,
            "path": request.path,
            "headers": dict(request.headers),
            "status": answer.status,
            "body": base64.b64encode(body).decode(),
            "received": base64.b64encode(received).decode(),
        }
        records.write(json.dumps(record) + "\n")
        records.flush()
        await response.write_eof()
        return response

    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{tail:.*}", forward)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    child = await asyncio.create_subprocess_exec(
        *command, env=os.environ | {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}"}
    )
    code = await child.wait()
    await session.close()
    await runner.cleanup()
    records.close()
    return code


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]), sys.argv[2:])))
