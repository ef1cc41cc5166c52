"""The paths below `/dashboard/`: the link that works once, the page, its files, its data and its live feed.

Rule: looking only. Every answer, errors too, forbids the browser whatever the page does not need.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from pathlib import Path
from urllib.parse import parse_qsl

from rlmc.errors import RlmcError
from rlmc.server.dashboard.doors import PREFIX, Doors
from rlmc.server.dashboard.feed import Feed, body
from rlmc.server.dashboard.files import INDEX, StaticFile, static_files
from rlmc.server.exchange import Exchange, RawHeaders
from rlmc.server.headers import first

MOST_FEEDS = 32
PING_SECONDS = 15.0
# A page that has taken nothing for so long is let go; its EventSource comes back when it goes on.
UNREAD_SECONDS = 60.0
_FAREWELL_SECONDS = 1.0
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'none'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ALWAYS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_NO_STORE = (b"cache-control", b"no-store")
_HTML, _JSON, _EVENTS = b"text/html; charset=utf-8", b"application/json", b"text/event-stream; charset=utf-8"
_NOTICE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>rlmc</title><meta name="viewport" content="width=device-width">
<body><h1>rlmc</h1><p>{}</p></body></html>
"""
_NEW_LINK = "Run <code>rlmc dashboard</code> for a new link."


class Dashboard:
    """`stopping` ends the feeds: a page must not hold up the daemon's end."""

    def __init__(
        self, port: int, ledger: Path, feed: Feed, stopping: asyncio.Event, doors: Doors | None = None
    ) -> None:
        self._port = port
        self._ledger = ledger
        self._stopping = stopping
        self.feed = feed
        self.doors = doors or Doors()

    def link(self) -> str:
        return f"http://127.0.0.1:{self._port}{self.doors.link()}"

    async def serve(self, exchange: Exchange) -> None:
        answer = _Answer(exchange)
        if exchange.method not in ("GET", "HEAD"):
            await answer.notice(405, "This page is for looking only.")
            return
        id, _, rest = exchange.path.removeprefix(PREFIX).partition("/")
        if id == "enter":
            await self._enter(rest, exchange.method, answer)
        elif not self.doors.admits(id, first(exchange.headers, "cookie")):
            await answer.notice(403, f"This link is not, or no longer, open here. {_NEW_LINK}")
        else:
            await self._show(id, rest, dict(parse_qsl(exchange.query)), exchange, answer)

    async def refuse(self, exchange: Exchange, status: int, why: str) -> None:
        """What comes from another page, under another host's name, or as no browser writes it."""
        await _Answer(exchange).notice(status, f"rlmc: {why}")

    async def _enter(self, code: str, method: str, answer: _Answer) -> None:
        # Something that only looks whether an address answers must not use it up.
        view = self.doors.enter(code) if method == "GET" else None
        if view is None:
            await answer.notice(410, f"This link was used, or is too old: it works once, for two minutes. {_NEW_LINK}")
            return
        moved = [(b"location", view.path.encode()), (b"set-cookie", view.cookie.encode()), _NO_STORE]
        await answer.whole(303, b"", _HTML, moved)

    async def _show(self, id: str, path: str, query: dict[str, str], exchange: Exchange, answer: _Answer) -> None:
        name = INDEX if not path else path.removeprefix("static/")
        if name in static_files() and (not path or path != name):
            await answer.file(static_files()[name], first(exchange.headers, "if-none-match"))
            return
        from rlmc.server.dashboard import facts  # a daemon that nobody looks at goes without

        period = query.get("period", "today")
        if period not in facts.PERIODS:
            await answer.data(400, {"error": f"period must be one of {', '.join(facts.PERIODS)}"})
            return
        try:
            match path:
                case "api/overview":
                    await answer.whole(200, await self.feed.overview(period), _JSON, [_NO_STORE])
                case "api/events":
                    await self._events(id, period, exchange, answer)
                case "api/sessions":
                    await answer.data(200, await self.feed.read(facts.sessions, self._ledger, period))
                case "api/turns":
                    session, before = query.get("session", ""), query.get("before")
                    await answer.data(200, await self.feed.turns(session, before))
                case "api/turn":
                    await answer.data(200, await self.feed.read(facts.turn, self._ledger, query.get("id", "")))
                case _:
                    await answer.notice(404, "There is nothing here.")
        except RlmcError as error:  # a ledger that cannot be read; the overview says so in its notes
            await answer.data(503, {"error": error.message})

    async def _events(self, id: str, period: str, exchange: Exchange, answer: _Answer) -> None:
        if self.feed.open >= MOST_FEEDS:
            await answer.data(503, {"error": f"{MOST_FEEDS} pages are open already"})
            return
        answer.begin(200, _EVENTS, [_NO_STORE])
        if answer.head:
            await answer.end()
            return
        # A page that does not read holds up what is written to it. The end is waited for beside, and not held up.
        telling = asyncio.create_task(self._tell(id, period, answer))
        ends = (telling, asyncio.ensure_future(exchange.gone()), asyncio.ensure_future(self._stopping.wait()))
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            await asyncio.wait(ends)
        if not telling.cancelled():
            telling.result()
        if self._stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL_SECONDS):
                    await answer.more(b"event: end\ndata: {}\n\n")
                    await answer.end()

    async def _tell(self, id: str, period: str, answer: _Answer) -> None:
        """States as they come, and pings between them, until the page takes nothing any more."""
        async with aclosing(self.feed.follow(period)) as states:
            coming = asyncio.ensure_future(anext(states))
            try:
                while True:
                    await asyncio.wait([coming], timeout=PING_SECONDS)
                    self.doors.looked(id)
                    come = coming.done()
                    async with asyncio.timeout(UNREAD_SECONDS):
                        await answer.more(_event(coming.result().body) if come else b": ping\n\n")
                    if come:
                        coming = asyncio.ensure_future(anext(states))
            except TimeoutError:
                return
            finally:
                coming.cancel()
                await asyncio.wait([coming])


class _Answer:
    """One response; of a HEAD request without its body."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.head = exchange.method == "HEAD"

    def begin(self, status: int, kind: bytes, more: RawHeaders) -> None:
        self._exchange.begin(status, [(b"content-type", kind), *_ALWAYS, *more])

    async def more(self, data: bytes) -> None:
        await self._exchange.write(data)

    async def end(self, data: bytes = b"") -> None:
        await self._exchange.end(data)

    async def whole(self, status: int, data: bytes, kind: bytes, more: RawHeaders) -> None:
        self.begin(status, kind, [(b"content-length", str(len(data)).encode()), *more])
        await self.end(data)

    async def data(self, status: int, data: object) -> None:
        if data is None:
            status, data = 404, {"error": "it is not in the ledger"}
        await self.whole(status, body(data), _JSON, [_NO_STORE])

    async def notice(self, status: int, text: str) -> None:
        await self.whole(status, _NOTICE.format(text).encode(), _HTML, [_NO_STORE])

    async def file(self, found: StaticFile, known: str | None) -> None:
        more = [(b"etag", found.etag), (b"cache-control", b"no-cache")]
        if known is not None and known.encode() == found.etag:
            self.begin(304, found.type, more)
            await self.end()
        else:
            await self.whole(200, found.content, found.type, more)


def _event(state: bytes) -> bytes:
    return b"event: overview\ndata: " + state + b"\n\n"
