"""What a client has seen of one request: what is compared with and without rlmc.

Rule: whatever may be seen differently for good reasons is left out here, once and with its reason, and nowhere else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any

Json = dict[str, Any]

# Written anew on each connection, or by whoever closes it.
_OF_THE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "date"})
# A reset and an end too early are the same to a client: an answer that has broken off. A port that refuses and a
# connection that ends without an answer are, too: rlmc's own port listens.
NO_ANSWER, BROKEN, TIMEOUT, COMPLETE = "no answer", "broken off", "timeout", "complete"


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer comes to: words, calls (kind, name, arguments), why it stopped, and whether it came to its end."""

    text: str = ""
    calls: tuple[tuple[str, ...], ...] = ()
    stop: str | None = None
    error: str | None = None
    ended: bool = False


NOTHING = Told()


@dataclass(frozen=True, slots=True)
class Seen:
    """`end` is how the answer ended: one of the words above, or the exception of an SDK, and `said` what is in that.
    `exact` is everything there was, to the byte where the client looks at bytes; `heard` what it comes to. `attempts`
    counts the client's requests, None where that cannot be counted."""

    end: str
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    said: Any = None
    exact: Any = None
    heard: Told = NOTHING
    attempts: int | None = None

    def difference(self, other: Seen, *, exactly: bool) -> str:
        """Empty, or what is different. Not `exactly`: the same words, calls and errors, in other bytes, and where the
        client has waited in vain, whatever it had by then."""
        left_out = {"heard"} if exactly else {"exact"} | ({"headers"} if self.status == 200 else set())
        if not exactly and self.end == other.end == TIMEOUT:
            left_out |= {"status", "headers", "heard"}
        found = []
        for name in (one.name for one in fields(self)):
            mine, theirs = getattr(self, name), getattr(other, name)
            if name not in left_out and mine != theirs:
                found.append(f"{name} {_short(mine)} instead of {_short(theirs)}")
        return "; ".join(found)

    @property
    def unfinished(self) -> bool:
        """No client can take it for a whole answer."""
        return not self.heard.ended or self.heard.error is not None or self.end not in (COMPLETE, TIMEOUT)

    def begins(self, other: Seen) -> bool:
        """Nothing was heard here that was not heard there."""
        mine, theirs = self.heard, other.heard
        known = [call[:2] for call in theirs.calls]
        return theirs.text.startswith(mine.text) and [call[:2] for call in mine.calls] == known[: len(mine.calls)]


def compared(headers: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((k.lower(), v) for k, v in headers if k.lower() not in _OF_THE_CONNECTION)


@dataclass(slots=True)
class Heard:
    """Puts together what an answer comes to, in any protocol, as far as it got."""

    text: str = ""
    calls: dict[str, list[str]] = field(default_factory=dict)
    stop: str | None = None
    error: str | None = None
    ended: bool = False

    def told(self) -> Told:
        return Told(self.text, tuple(map(tuple, self.calls.values())), self.stop, self.error, self.ended)

    def event(self, protocol: str, data: Json) -> None:
        try:
            {"anthropic": self._anthropic, "chat": self._chat, "responses": self._responses}[protocol](data)
        except (KeyError, TypeError, AttributeError) as strange:
            self.error = f"strange: {type(strange).__name__}"

    def _anthropic(self, data: Json) -> None:
        match data.get("type"):
            case "message":  # in one piece
                for index, block in enumerate(data["content"]):
                    self.text += block.get("text") or ""
                    if block["type"] != "text":
                        self.calls[str(index)] = [block["type"], str(block.get("name")), _plain(block.get("input"))]
                self.stop, self.ended = data["stop_reason"], True
            case "content_block_start" if data["content_block"]["type"] != "text":
                block = data["content_block"]
                self.calls[str(data["index"])] = [block["type"], str(block.get("name")), ""]
            case "content_block_start":
                self.text += data["content_block"].get("text") or ""
            case "content_block_delta":
                self.text += data["delta"].get("text") or ""
                if "partial_json" in data["delta"]:
                    self.calls[str(data["index"])][2] += data["delta"]["partial_json"]
            case "message_delta":
                self.stop = data["delta"]["stop_reason"]
            case "message_stop":
                self.ended = True
            case "error":
                self.error = data["error"]["type"]

    def _chat(self, data: Json) -> None:
        if "error" in data:
            self.error = str(data["error"].get("type"))
            return
        for choice in data["choices"]:
            said = choice.get("delta") or choice.get("message") or {}
            self.text += said.get("content") or ""
            for number, call in enumerate(said.get("tool_calls") or []):
                place = str(call.get("index", number))
                function = call.get("function") or call.get("future_call") or {}
                mine = self.calls.setdefault(place, [str(call.get("type")), "", ""])
                mine[1] += function.get("name") or ""
                mine[2] += function.get("arguments") or ""
            self.stop = choice.get("finish_reason") or self.stop
        self.ended = self.ended or self.stop is not None

    def _responses(self, data: Json) -> None:
        kind = str(data.get("type"))
        whole = data.get("response") or (data if data.get("object") == "response" else None)
        if kind.endswith((".output_text.delta", ".refusal.delta")):
            self.text += data["delta"]
        elif kind.endswith(".output_item.done") and data["item"]["type"] not in ("message", "reasoning"):
            item = data["item"]
            self.calls[str(data["output_index"])] = [item["type"], str(item.get("name")), str(item.get("arguments"))]
        elif kind == "error":
            self.error = str(data.get("code"))
        elif whole is not None and whole.get("status") not in ("in_progress", None):
            if kind == "None":
                self._items(whole["output"])
            self.stop, self.ended = whole["status"], True
            self.error = (whole.get("error") or {}).get("code") or self.error

    def _items(self, items: list[Json]) -> None:
        for place, item in enumerate(items):
            if item["type"] == "message":
                self.text += "".join(part.get("text") or part.get("refusal") or "" for part in item["content"])
            elif item["type"] != "reasoning":
                self.calls[str(place)] = [item["type"], str(item.get("name")), str(item.get("arguments"))]


def heard_in(protocol: str, body: bytes, media_type: str) -> Told:
    """From bytes. What is no JSON counts as such, and not word by word."""
    heard = Heard()
    text = body.decode(errors="replace")
    events = [text]
    if media_type.startswith("text/event-stream") or text.startswith(("event:", "data:")):
        lines = [line for line in text.replace("\r\n", "\n").split("\n") if line.startswith("data:")]
        events = [line[5:].strip() for line in lines]
    for event in events:
        if not event or event == "[DONE]":
            continue
        try:
            data = json.loads(event)
        except ValueError:
            heard.error = "no JSON"
            continue
        if isinstance(data, dict):
            heard.event(protocol, data)
    return heard.told()


def _plain(value: Any) -> str:
    return "" if value is None else json.dumps(value, sort_keys=True)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:110]}…{text[-45:]}"
