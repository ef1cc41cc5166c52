"""Hypothesis strategies for Chat Completions on the wire: request bodies, and streamed answers with what servers do."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from tests.support.wire import Json, json_values, spelled, texts

SECRET = "SECRET-REASONING"


def chunk(delta: Json, finish: str | None = None, **more: Any) -> Json:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]} | more


def event(data: Json | str, end: str = "\n") -> bytes:
    return f"data: {data if isinstance(data, str) else json.dumps(data)}{end}{end}".encode()


def stream(*chunks: Json, done: bool = True) -> bytes:
    return b"".join(map(event, chunks)) + (event("[DONE]") if done else b"")


def piece(index: int | None = 0, **fields: Any) -> Json:
    """What a chunk adds to a call: `id`, `name`, `arguments`."""
    new: Json = {} if index is None else {"index": index}
    function = {name: fields.pop(name) for name in ("name", "arguments") if name in fields}
    return new | fields | ({"function": function} if function else {})


# --- requests ----------------------------------------------------------------------------------------------------

words = st.one_of(st.sampled_from(["", " ", "\n", "Please fix it.", "ok"]), texts)
ids = st.sampled_from(["call_1", "call_2", "functions.bash:0", "", "x" * 80])
names = st.sampled_from(["Read", "Bash", "mcp__x__y"])
arguments = st.sampled_from(["{}", '{"a": [1.0, "é"]}', "", "{", "[]", "null"])

text_parts = st.builds(lambda t: {"type": "text", "text": t}, words)
media_parts = st.sampled_from(
    [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://host/a.png"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"}},
        {"type": "part_of_tomorrow", "x": [1]},
    ]
)


def _content(parts: st.SearchStrategy[Json]) -> st.SearchStrategy[Any]:
    return st.one_of(words, st.lists(parts, max_size=3))


calls = st.one_of(
    st.builds(
        lambda i, n, a: {"id": i, "type": "function", "function": {"name": n, "arguments": a}}, ids, names, arguments
    ),
    st.builds(lambda i, t: {"id": i, "type": "custom", "custom": {"name": "patch", "input": t}}, ids, words),
)
assistant_messages = st.builds(
    lambda content, called, extra: (
        {"role": "assistant", "content": content} | ({"tool_calls": called} if called else {}) | extra
    ),
    st.one_of(st.none(), _content(text_parts)),
    st.lists(calls, max_size=3),
    st.sampled_from([{}, {"reasoning_content": SECRET}, {"reasoning": SECRET}, {"refusal": "No."}]),
)
user_messages = st.builds(lambda c: {"role": "user", "content": c}, _content(st.one_of(text_parts, media_parts)))
tool_messages = st.builds(lambda i, c: {"role": "tool", "tool_call_id": i, "content": c}, ids, _content(text_parts))
system_messages = st.builds(
    lambda r, c: {"role": r, "content": c}, st.sampled_from(["system", "developer"]), _content(text_parts)
)
messages = st.lists(st.one_of(user_messages, assistant_messages, tool_messages, system_messages), max_size=8)
tools = st.lists(
    st.one_of(
        st.builds(
            lambda n: {
                "type": "function",
                "function": {"name": n, "description": "d", "parameters": {"type": "object"}},
            },
            names,
        ),
        st.sampled_from(
            [
                {"type": "function", "function": {"name": "Now"}},
                {
                    "type": "custom",
                    "custom": {
                        "name": "patch",
                        "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "a"}},
                    },
                },
                {"type": "web_search"},
            ]
        ),
    ),
    max_size=3,
)
bodies = st.fixed_dictionaries(
    {"model": st.just("m"), "messages": messages},
    optional={
        "max_tokens": st.integers(0, 200_000),
        "max_completion_tokens": st.integers(0, 200_000),
        "stream": st.booleans(),
        "tools": tools,
        "tool_choice": st.sampled_from(
            ["auto", "required", "none", {"type": "function", "function": {"name": "Read"}}, {"type": "allowed_tools"}]
        ),
        "parallel_tool_calls": st.booleans(),
        "response_format": st.sampled_from(
            [
                {"type": "text"},
                {"type": "json_object"},
                {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
            ]
        ),
        "reasoning_effort": st.sampled_from(["none", "low", "max", "odd", None]),
        "stop": st.sampled_from([None, [], "END", ["a", "b", "c", "d", "e"]]),
        "temperature": st.just(0.5),
        "seed": st.just(1),
        "store": st.just(False),
        "user": st.just("u"),
        "field_of_tomorrow": json_values,
    },
)
raw_bodies = bodies.flatmap(spelled)

# --- streamed answers --------------------------------------------------------------------------------------------


@st.composite
def answer_chunks(draw: st.DrawFn) -> list[Json]:
    """A whole well-formed answer, as one server or another would send it."""
    chunks = [chunk({"role": "assistant", "content": draw(st.sampled_from([None, ""]))})]
    field = draw(st.sampled_from(["reasoning_content", "reasoning"]))
    chunks += [chunk({field: text}) for text in draw(st.lists(texts, max_size=3))]
    tagged = draw(st.sampled_from([[], ["<think>", SECRET, "</think>"], ["<th", "ink>", SECRET + "</thi", "nk>\n\n"]]))
    chunks += [chunk({"content": text}) for text in [*tagged, *draw(st.lists(texts, max_size=3))]]
    called = []
    for index in range(draw(st.integers(0, 3))):
        pieces = [
            piece(index, id=f"call_{index}", name="Read", arguments=""),
            piece(index, arguments='{"a": '),
            piece(index, arguments="1}"),
        ]
        called.append([chunk({"tool_calls": [one]}) for one in pieces])
    if draw(st.booleans()):  # one call after another
        chunks += [one for pieces in called for one in pieces]
    else:
        chunks += [pieces[n] for n in range(3) for pieces in called]
    finish = "tool_calls" if called else draw(st.sampled_from(["stop", "length"]))
    chunks.append(chunk({}, finish))
    usage = {"prompt_tokens": 97, "completion_tokens": 42, "prompt_tokens_details": {"cached_tokens": 90}}
    chunks.append(chunk({}) | {"choices": [], "usage": usage})
    return chunks


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """A whole answer as bytes, in any of the legal line ends, with comments in between."""
    end = draw(st.sampled_from(("\n", "\r\n", "\r")))
    out = b""
    for data in [*draw(answer_chunks()), "[DONE]"]:
        out += event(data, end) + draw(st.sampled_from([b"", b"", f": PROCESSING{end}{end}".encode()]))
    return out


# Bytes that are nearly a stream: whole chunks, torn ones, and noise.
noise = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from(
            [
                event(chunk({"content": "hi"})),
                event(chunk({"tool_calls": [{}]})),
                event(chunk({"tool_calls": [piece(None, name="A", arguments="{")]})),
                event(chunk({"reasoning_content": ""}, "stop")),
                b'data: {"choices":[{"delta":{"content":5}}]}\n\n',
                b'data: {"choices":[{"delta":null}],"usage":{"prompt_tokens":-5,"completion_tokens":"x"}}\n\n',
                b'data: {"error":"no"}\n\n',
                b"data: [DONE]\n\n",
                b"data: []\n\n",
                b"\r\n\r\n",
            ]
        ),
    ),
    max_size=8,
).map(b"".join)
