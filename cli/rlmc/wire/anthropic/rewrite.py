"""An answer streamed through to the client, but not byte for byte: reasoning taken out.

Rules: no reasoning gets through; what remains is numbered without gaps; every event that need not change passes as it
came, unknown ones included. Like a decoder it never raises: a stream that breaks ends in an `error` event, never in a
clean end the client would take for a whole answer.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from rlmc.errors import WireError
from rlmc.wire import splice
from rlmc.wire.anthropic.events import KNOWN, kind_of
from rlmc.wire.anthropic.response import encode_stream_error
from rlmc.wire.parse import parse
from rlmc.wire.prefix import PrefixFilter
from rlmc.wire.sse import Event, EventDecoder, encode_event

Members = dict[str, msgspec.Raw]

_REASONING = frozenset({"thinking", "redacted_thinking"})
_REASONING_DELTAS = frozenset({"thinking_delta", "signature_delta"})

_WHAT = "An event of the answer"
_BROKEN = "The answer broke off before its end."


class _Inner(msgspec.Struct, gc=False):
    """A content block or a delta, as far as it matters here."""

    type: str = ""
    text: str = ""
    stop_reason: str | None = None


class _Head(msgspec.Struct, gc=False):
    type: str = ""
    index: int = -1
    content_block: _Inner | None = None
    delta: _Inner | None = None


class _Index(msgspec.Struct, gc=False):
    index: int | None = None


_HEAD = msgspec.json.Decoder(_Head)
_INDEX = msgspec.json.Decoder(_Index)
_MEMBERS = msgspec.json.Decoder(Members)


class StreamRewriter:
    """See `Codec.rewriter`. What `feed` returns ends between two events, so a ping may follow it.

    `close` is for a stream that ended, not for one that was cut off on purpose.
    """

    def __init__(self, *, drop_prefix: str = "") -> None:
        self._prefix = PrefixFilter(drop_prefix)
        self._events = EventDecoder()
        self._out: list[bytes] = []
        self._index: dict[int, int | None] = {}  # the upstream's number to the client's, None for what is taken out
        self._next = 0
        # The first text block while its front may still be the word to drop: its opening, and what else it holds.
        self._held: int | None = None
        self._opening: Event | None = None
        self._aside: list[Event] = []
        self._stopping = self._stopped = self._dead = False

    def feed(self, data: bytes) -> bytes:
        return self._run(self._events.feed(data))

    def close(self) -> bytes:
        out = self._run(self._events.close())
        if self._dead or self._stopped:
            return out
        self._dead = True
        self._release()
        if self._stopping:
            self._out.append(encode_event("message_stop", b'{"type":"message_stop"}'))
        else:
            self._out.append(encode_stream_error("api_error", _BROKEN))
        return out + self._taken()

    def _run(self, events: Iterable[Event]) -> bytes:
        if self._dead:
            return b""
        try:
            for event in events:
                self._event(event)
        except WireError as error:
            self._dead = True
            if not self._stopped:
                self._out.append(encode_stream_error("api_error", error.message))
        return self._taken()

    def _taken(self) -> bytes:
        out = b"".join(self._out)
        self._out.clear()
        return out

    def _event(self, event: Event) -> None:
        kind = kind_of(event)
        if kind not in KNOWN or not event.data:
            self._unknown(event)
        elif kind in {"ping", "message_stop", "error"}:
            self._simple(kind, event)
        elif kind == "message_start":
            self._emit(kind, event, _without_content(event.data))
        elif kind == "message_delta":
            self._release()
            stop_reason = (parse(_HEAD, event.data, _WHAT).delta or _Inner()).stop_reason
            self._stopping = self._stopping or stop_reason is not None
            self._emit(kind, event, event.data)
        else:
            self._of_block(kind, event)

    def _unknown(self, event: Event) -> None:
        """Verbatim, unless it speaks of a block whose number has changed."""
        try:
            index = parse(_INDEX, event.data, _WHAT).index
        except WireError:
            index = None
        if index is not None and index == self._held:
            self._aside.append(event)
        elif index in self._index:
            self._numbered(event.name, index, event)
        else:
            self._out.append(event.raw)

    def _simple(self, kind: str, event: Event) -> None:
        if kind != "ping":
            self._release()
            self._stopped = True
        self._emit(kind, event, event.data)

    # --- events of blocks ----------------------------------------------------------------------------------------

    def _of_block(self, kind: str, event: Event) -> None:
        head = parse(_HEAD, event.data, _WHAT)
        if head.index < 0:
            raise WireError(f"{_WHAT} names no block")
        if kind == "content_block_start":
            self._open(head, event)
        elif kind == "content_block_delta" and head.delta and head.delta.type in _REASONING_DELTAS:
            return
        elif self._held is not None and head.index == self._held:
            self._of_held(kind, head, event)
        else:
            self._numbered(kind, head.index, event)

    def _open(self, head: _Head, event: Event) -> None:
        block = head.content_block
        if block is None:
            raise WireError(f"{_WHAT} opens no block")
        self._release()
        if block.type in _REASONING:
            self._index[head.index] = None
        elif block.type == "text" and not self._prefix.decided:
            self._held, self._opening = head.index, event
            self._say(self._prefix.feed(block.text))
        else:
            self._index[head.index] = self._next
            self._next += 1
            self._numbered("content_block_start", head.index, event)

    def _of_held(self, kind: str, head: _Head, event: Event) -> None:
        if kind == "content_block_delta" and head.delta and head.delta.type == "text_delta":
            self._say(self._prefix.feed(head.delta.text))
        elif kind == "content_block_stop":
            index = head.index
            self._release()
            self._numbered(kind, index, event)
        else:
            self._aside.append(event)

    def _release(self) -> None:
        """The held block is over: what of it is not the word goes out, and without any it was never there. A blank one
        says nothing of the word, which may still come in the next."""
        if self._held is not None and not self._prefix.skip_blank():
            self._say(self._prefix.rest())
        if self._held is not None:
            self._index[self._held] = None
            self._held, self._opening = None, None
            self._aside.clear()

    def _say(self, text: str) -> None:
        """The first text of the held block that may go out opens it."""
        if not text or self._held is None or self._opening is None:
            return
        index, self._held = self._held, None
        self._index[index] = self._next
        self._next += 1
        opening = splice.replace_value(self._opening.data, "content_block", b'{"type":"text","text":""}')
        self._numbered("content_block_start", index, Event("", opening, b""))
        delta = {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}}
        self._numbered("content_block_delta", index, Event("", msgspec.json.encode(delta), b""))
        for event in self._aside:
            self._numbered(kind_of(event), index, event)
        self._aside.clear()

    def _numbered(self, kind: str, index: int, event: Event) -> None:
        """The event with the client's number of its block; nothing for a block taken out, or never opened."""
        new = self._index.get(index)
        if new is not None:
            changed = event.data if new == index else splice.replace_value(event.data, "index", b"%d" % new)
            self._emit(kind, event, changed)

    def _emit(self, kind: str, event: Event, data: bytes) -> None:
        # Clients need the `event:` line, which not every server sends.
        self._out.append(event.raw if data is event.data and event.name else encode_event(kind, data))


def _without_content(start: bytes) -> bytes:
    """A message begins empty: blocks come as events, and any that came with the start could hold reasoning."""
    event = parse(_MEMBERS, start, _WHAT)
    message = parse(_MEMBERS, event.get("message", b""), _WHAT)
    if bytes(message.get("content", b"[]")) == b"[]":
        return start
    return msgspec.json.encode(event | {"message": message | {"content": []}})
