"""Hypothesis strategies for bytes on the wire: JSON of any kind, request bodies, streamed answers, and cuts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from rlmc.domain.chat import Completion, Text, Thinking, ToolCall, Usage

Json = dict[str, Any]

FIXTURES = Path(__file__).parent.parent / "fixtures" / "wire" / "anthropic"


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


# What the fixtures `answer.json` and `answer.sse` say.
ANSWER = Completion(
    model="claude-opus-5-5",
    parts=(
        Thinking(7, b'{"type":"thinking","thinking":"Filler.","signature":"c2ln"}'),
        Text("I will read it."),
        ToolCall("toolu_11", "Read", '{"file_path":"/p/a.txt","limit":2.0}'),
    ),
    stop_reason="tool_use",
    usage=Usage(input=3, cache_read=2000, cache_write_5m=50, cache_write_1h=100, output=61, thinking=20),
    id="msg_01",
)


def cut(data: bytes, at: Iterable[int]) -> list[bytes]:
    """The data in pieces; positions beyond its end are folded back into it."""
    places = sorted({place % (len(data) + 1) for place in at} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(places)] or [b""]


def fed(feed: Callable[[bytes], Any], pieces: Iterable[bytes]) -> list[Any]:
    return [feed(piece) for piece in pieces]


places = st.lists(st.integers(0, 5_000), max_size=30)

# --- JSON --------------------------------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
keys = st.one_of(st.sampled_from(["model", "messages", "content", 'a"b', "\\", "é", ""]), texts)
json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64),
        st.floats(allow_nan=False, allow_infinity=False),
        texts,
        st.sampled_from(['"messages":[', '{"model":"x"}', "]}", '\\"']),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)


@st.composite
def spelled(draw: st.DrawFn, value: Any) -> bytes:
    """The value in one of the many spellings of the same JSON."""
    text = json.dumps(
        value,
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, None, 1])),
        separators=draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,", "\t:\n")])),
    )
    return (
        draw(st.sampled_from(["", " ", "\r\n"])).encode() + text.encode() + draw(st.sampled_from(["", "\n "])).encode()
    )


# --- requests ----------------------------------------------------------------------------------------------------

SECRET = "SECRET-REASONING"

marker = st.sampled_from([None, None, None, {"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}])
ids = st.sampled_from(["toolu_1", "toolu_2", "call_x"])
names = st.sampled_from(["Read", "Bash", "mcp__x__y"])
words = st.one_of(st.sampled_from(["", " ", "\n", "Please fix it.", "x-anthropic-billing-header: cc"]), texts)


def _marked(blocks: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.builds(lambda block, mark: block | ({"cache_control": mark} if mark else {}), blocks, marker)


text_blocks = _marked(st.builds(lambda t: {"type": "text", "text": t}, words))
references = st.builds(lambda n: {"type": "tool_reference", "tool_name": n}, names)
media = st.sampled_from(
    [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}, "title": "t"},
    ]
)
reasoning = st.sampled_from(
    [
        {"type": "thinking", "thinking": SECRET, "signature": f"{SECRET}-signature"},
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "redacted_thinking", "data": f"{SECRET}-data"},
    ]
)
strange = st.sampled_from(
    [
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"type": "web_search_result"}]},
        {"type": "compaction", "content": "short", "signature": "s"},
        {"type": "block_of_tomorrow", "weird": [1, {"a": None}]},
    ]
)
results = _marked(
    st.builds(
        lambda i, c, e: {"type": "tool_result", "tool_use_id": i, "content": c} | e,
        ids,
        st.one_of(words, st.lists(st.one_of(text_blocks, references, media, strange), max_size=3)),
        st.sampled_from([{}, {"is_error": True}, {"is_error": False}]),
    )
)
calls = _marked(
    st.builds(
        lambda i, n, a: {"type": "tool_use", "id": i, "name": n, "input": a},
        ids,
        names,
        st.dictionaries(texts, json_values, max_size=3),
    )
)


def _message(role: str, blocks: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    content = st.one_of(words, st.lists(blocks, max_size=5))
    return st.builds(lambda c: {"role": role, "content": c}, content)


user_messages = _message("user", st.one_of(text_blocks, results, media, strange))
assistant_messages = _message("assistant", st.one_of(text_blocks, calls, reasoning, strange))
system_messages = st.builds(
    lambda m, extra: m | extra,
    _message("system", text_blocks),
    st.sampled_from([{}, {"output_config": {"effort": "low"}}, {"clear_at": "next_user_message"}]),
)
messages = st.lists(st.one_of(user_messages, assistant_messages, system_messages), min_size=1, max_size=8)

tools = st.lists(
    _marked(
        st.one_of(
            st.builds(
                lambda n, extra: {"name": n, "description": "d", "input_schema": {"type": "object"}} | extra,
                names,
                st.sampled_from(
                    [{}, {"defer_loading": True}, {"strict": True, "eager_input_streaming": True}, {"type": "custom"}]
                ),
            ),
            st.sampled_from(
                [
                    {"type": "web_search_20260318", "name": "web_search"},
                    {"type": "bash_20250124", "name": "bash"},
                    {"type": "mcp_toolset", "mcp_server_name": "m"},
                ]
            ),
        )
    ),
    max_size=4,
)

bodies = st.fixed_dictionaries(
    {"model": st.just("claude-opus-5-5"), "messages": messages},
    optional={
        "max_tokens": st.integers(0, 200_000),
        "stream": st.booleans(),
        "system": st.one_of(words, st.lists(text_blocks, max_size=3)),
        "tools": tools,
        "tool_choice": st.sampled_from([{"type": "auto"}, {"type": "any", "disable_parallel_tool_use": True}]),
        "thinking": st.sampled_from(
            [{"type": "adaptive", "display": "updates"}, {"type": "enabled", "budget_tokens": 9}]
        ),
        "context_management": st.just({"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}),
        "output_config": st.just({"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}}),
        "safeguards": st.just([{"type": "dangerous_tool_use"}]),
        "metadata": st.just({"user_id": "u"}),
        "temperature": st.just(0.5),
        "cache_control": st.just({"type": "ephemeral"}),
        "field_of_tomorrow": json_values,
    },
)
raw_bodies = bodies.flatmap(spelled)

# --- streamed answers --------------------------------------------------------------------------------------------

LINE_ENDS = ("\n", "\r\n", "\r")


def event(data: Json, end: str = "\n", *, named: bool = True) -> bytes:
    name = f"event: {data['type']}{end}" if named else ""
    return f"{name}data: {json.dumps(data)}{end}{end}".encode()


def _pieces(index: int, kind: str, key: str, pieces: list[str]) -> list[Json]:
    return [{"type": "content_block_delta", "index": index, "delta": {"type": kind, key: piece}} for piece in pieces]


@st.composite
def answer_blocks(draw: st.DrawFn, index: int) -> list[Json]:
    """The events of one block."""
    kind = draw(st.sampled_from(["text", "text", "tool_use", "thinking", "redacted", "server"]))
    pieces = draw(st.lists(texts, max_size=4))
    if kind == "text":
        block: Json = {"type": "text", "text": ""}
        deltas = _pieces(index, "text_delta", "text", pieces)
    elif kind == "tool_use":
        block = {"type": "tool_use", "id": f"toolu_{index}", "name": "Read", "input": {}}
        deltas = _pieces(index, "input_json_delta", "partial_json", ["", '{"file_path": ', '"a"}'])
    elif kind == "thinking":
        block = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = _pieces(index, "thinking_delta", "thinking", [SECRET])
        deltas += _pieces(index, "signature_delta", "signature", [SECRET])
    elif kind == "redacted":
        block, deltas = {"type": "redacted_thinking", "data": SECRET}, []
    else:
        block, deltas = {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}, []
    return [
        {"type": "content_block_start", "index": index, "content_block": block},
        *deltas,
        {"type": "content_block_stop", "index": index},
    ]


@st.composite
def answer_events(draw: st.DrawFn) -> list[Json]:
    """A whole well-formed answer."""
    usage = {"input_tokens": 7, "cache_read_input_tokens": 90, "output_tokens": 1}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": usage}
    events: list[Json] = [{"type": "message_start", "message": head}]
    for index in range(draw(st.integers(0, 4))):
        events += draw(answer_blocks(index))
    events.append({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 42}})
    events.append({"type": "message_stop"})
    for _ in range(draw(st.integers(0, 3))):
        extra: Json = draw(st.sampled_from([{"type": "ping"}, {"type": "event_of_tomorrow", "x": [1]}]))
        events.insert(draw(st.integers(0, len(events) - 1)), extra)
    return events


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """A whole answer as bytes, in any of the legal line ends, with comments in between."""
    end = draw(st.sampled_from(LINE_ENDS))
    out = draw(st.sampled_from([b"", b"\xef\xbb\xbf", f": hello{end}{end}".encode()]))
    for data in draw(answer_events()):
        out += event(data, end)
        out += draw(st.sampled_from([b"", b"", f": keep-alive{end}{end}".encode()]))
    return out


# Bytes that are nearly a stream: whole events, torn ones, and noise.
noise = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from(
            [
                b"event: message_start\ndata: {}\n\n",
                b'data: {"type":"content_block_start","index":0}\n\n',
                b'event: content_block_delta\ndata: {"index":0,"delta":{"type":"text_delta"}}\n\n',
                b'event: message_delta\ndata: {"usage":{"output_tokens":-5,"input_tokens":"x"},"delta":null}\n\n',
                b'data: {"type":"error","error":"no"}\n\n',
                b"data: [DONE]\n\n",
                b'data: {"type":"new","index":"x"}\n\n',
                b"data: not json\n\n",
                b"event: new\ndata: not json\n\n",
                b'data: "\\ud800"\n\n',
                b"\r",
                b"\n\n",
            ]
        ),
        answers(),
    ),
    max_size=6,
).map(b"".join)
