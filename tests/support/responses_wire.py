"""Hypothesis strategies for Responses on the wire: request bodies, and streamed answers with what servers do."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from tests.support.wire import Json, json_values, spelled, texts

SECRET = "SECRET-REASONING"

USAGE: Json = {"input_tokens": 97, "input_tokens_details": {"cached_tokens": 90}, "output_tokens": 42}


def event(kind: str, end: str = "\n", named: bool = True, **fields: Any) -> bytes:
    name = f"event: {kind}{end}" if named else ""
    return f"{name}data: {json.dumps({'type': kind} | fields)}{end}{end}".encode()


def answer(*output: Json, **more: Any) -> Json:
    head = {"id": "resp_1", "object": "response", "model": "m", "status": "completed", "error": None}
    return head | {"output": list(output), "usage": USAGE} | more


def created() -> bytes:
    return event("response.created", response=answer(status="in_progress", usage=None))


def completed(*output: Json, **more: Any) -> bytes:
    return event("response.completed", response=answer(*output, **more))


def message(text: str, **more: Any) -> Json:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content} | more


def call(call_id: str, name: str, arguments: Any = "{}", **more: Any) -> Json:
    item = {"type": "function_call", "id": f"fc_{call_id}", "call_id": call_id, "name": name, "arguments": arguments}
    return item | {"status": "completed"} | more


def custom_call(call_id: str, name: str, text: str, **more: Any) -> Json:
    return {"type": "custom_tool_call", "id": f"ctc_{call_id}", "call_id": call_id, "name": name, "input": text} | more


def reasoning(text: str = SECRET) -> Json:
    return {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": text}],
        "encrypted_content": f"{SECRET}-sealed",
    }


def added(index: int, item: Json) -> bytes:
    """The item as it is when it begins."""
    empty = (
        {"content": []} if item["type"] == "message" else {"arguments": ""} if item["type"] == "function_call" else {}
    )
    return event("response.output_item.added", output_index=index, item=item | empty | {"status": "in_progress"})


def done(index: int, item: Json) -> bytes:
    return event("response.output_item.done", output_index=index, item=item)


def said(index: int, text: str) -> bytes:
    return event("response.output_text.delta", output_index=index, content_index=0, item_id="msg_1", delta=text)


def argued(index: int, json_piece: str) -> bytes:
    return event("response.function_call_arguments.delta", output_index=index, item_id="fc_1", delta=json_piece)


# --- requests ----------------------------------------------------------------------------------------------------

words = st.one_of(st.sampled_from(["", " ", "\n", "Please fix it.", "ok"]), texts)
ids = st.sampled_from(["call_1", "call_2", "functions.bash:0", "", "x" * 80])
names = st.sampled_from(["Read", "Bash", "exec", "mcp__x__y"])
spaces = st.sampled_from([{}, {}, {"namespace": "functions"}, {"namespace": "clock"}, {"namespace": None}])
arguments = st.sampled_from(["{}", '{"a": [1.0, "é"]}', "", "{", "[]", "null"])

text_parts = st.builds(lambda t: {"type": "input_text", "text": t}, words)
media_parts = st.sampled_from(
    [
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"},
        {"type": "input_image", "image_url": "https://host/a.png"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"},
        {"type": "part_of_tomorrow", "x": [1]},
    ]
)
user_items = st.builds(
    lambda c, typed: {"role": "user", "content": c} | ({"type": "message"} if typed else {}),
    st.one_of(words, st.lists(st.one_of(text_parts, media_parts), max_size=3)),
    st.booleans(),
)
system_items = st.builds(
    lambda r, c: {"type": "message", "role": r, "content": c},
    st.sampled_from(["system", "developer"]),
    st.one_of(words, st.lists(text_parts, max_size=2)),
)
assistant_items = st.one_of(
    st.builds(message, words),
    st.builds(lambda t: {"role": "assistant", "content": t}, words),
    st.builds(lambda i, n, a, s: call(i, n, a) | s, ids, names, arguments, spaces),
    st.builds(lambda i, n, t, s: custom_call(i, n, t) | s, ids, names, words, spaces),
    st.just(reasoning()),
)
output_items = st.builds(
    lambda kind, i, o: {"type": kind, "call_id": i, "output": o},
    st.sampled_from(["function_call_output", "custom_tool_call_output"]),
    ids,
    st.one_of(words, st.lists(st.one_of(text_parts, media_parts), max_size=2)),
)
hosted_items = st.sampled_from(
    [
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
        {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot"}},
        {"type": "tool_search_call", "call_id": "c", "arguments": {"query": "q"}, "execution": "client"},
    ]
)
functions = st.builds(
    lambda n: {"type": "function", "name": n, "description": "d", "parameters": {"type": "object"}, "strict": False},
    names,
)
tools = st.lists(
    st.one_of(
        functions,
        st.sampled_from(
            [
                {"type": "function", "name": "Now", "parameters": None},
                {"type": "custom", "name": "exec", "format": {"type": "grammar", "syntax": "lark", "definition": "a"}},
                {"type": "web_search"},
                {"type": "mcp", "server_label": "x", "require_approval": "never"},
            ]
        ),
        st.builds(
            lambda space, inner: {"type": "namespace", "name": space, "description": "", "tools": inner},
            st.sampled_from(["functions", "clock", "a b"]),
            st.lists(functions, max_size=2),
        ),
    ),
    max_size=3,
)
more_tools = st.builds(lambda declared: {"type": "additional_tools", "role": "developer", "tools": declared}, tools)
items = st.lists(
    st.one_of(user_items, assistant_items, output_items, system_items, more_tools, hosted_items), max_size=8
)
bodies = st.fixed_dictionaries(
    {"model": st.just("m"), "input": st.one_of(words, items)},
    optional={
        "instructions": words,
        "max_output_tokens": st.integers(0, 200_000),
        "stream": st.booleans(),
        "store": st.just(False),
        "tools": tools,
        "tool_choice": st.sampled_from(
            [
                "auto",
                "required",
                "none",
                {"type": "function", "name": "Read"},
                {"type": "web_search"},
                {"type": "mcp", "server_label": "x", "name": None},
                {"type": "allowed_tools", "mode": "auto", "tools": []},
            ]
        ),
        "parallel_tool_calls": st.booleans(),
        "text": st.sampled_from(
            [
                {"verbosity": "low"},
                {"format": {"type": "text"}},
                {"format": {"type": "json_object"}},
                {"format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}, "strict": True}},
            ]
        ),
        "reasoning": st.sampled_from([None, {}, {"effort": "low", "summary": "auto"}, {"effort": "odd"}]),
        "temperature": st.just(0.5),
        "include": st.just(["reasoning.encrypted_content"]),
        "prompt_cache_key": st.sampled_from(["session", None]),
        "client_metadata": json_values,
        "field_of_tomorrow": json_values,
    },
)
raw_bodies = bodies.flatmap(spelled)

# --- streamed answers --------------------------------------------------------------------------------------------


def _pieces(index: int, item: Json, way: str) -> list[bytes]:
    """What a server tells of one item: in pieces, or all at once at one or another place."""
    if way == "only done":
        return [done(index, item)]
    told = [added(index, item)] if way != "not added" else []
    if item["type"] == "message":
        text = item["content"][0]["text"]
        told += [said(index, text[:2]), said(index, text[2:])]
    elif item["type"] == "function_call":
        text = item["arguments"]
        if way != "no pieces":
            told += [argued(index, text[:3]), argued(index, text[3:])]
        told.append(event("response.function_call_arguments.done", output_index=index, arguments=text))
    elif item["type"] == "custom_tool_call":
        told.append(event("response.custom_tool_call_input.delta", output_index=index, delta=item["input"]))
    return [*told, done(index, item)]


@st.composite
def whole_answers(draw: st.DrawFn) -> Json:
    output: list[Json] = []
    for n in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["message", "function_call", "custom_tool_call", "reasoning", "web_search_call"]))
        item: Json = {"type": kind, "id": f"x_{n}"}
        if kind == "message":
            item = message(draw(texts))
        elif kind == "function_call":
            item = call(f"call_{n}", "Read", draw(st.sampled_from(["{}", '{"a": 1}', '{"p":"é 🦊"}'])))
        elif kind == "custom_tool_call":
            item = custom_call(f"call_{n}", "exec", draw(texts))
        elif kind == "reasoning":
            item = reasoning()
        output.append(item)
    cut_short = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    return answer(*output) | draw(st.sampled_from([{}, {}, cut_short]))


@st.composite
def streams(draw: st.DrawFn, whole: Json) -> bytes:
    """The events of an answer, as one server or another would send them."""
    told = [
        _pieces(n, item, draw(st.sampled_from(["all", "all", "no pieces", "not added", "only done"])))
        for n, item in enumerate(whole["output"])
    ]
    told = told[: len(told) - draw(st.integers(0, 1))]  # the last may only stand in the end
    events = [created()]
    if draw(st.booleans()):
        events += [one for pieces in told for one in pieces]
    else:  # written at the same time
        for step in range(max(map(len, told), default=0)):
            events += [pieces[step] for pieces in told if step < len(pieces)]
    events.append(event(f"response.{whole['status']}", response=whole))
    if not draw(st.booleans()):  # without names
        events = [b"data: " + one.partition(b"\ndata: ")[2] for one in events]
    noise_ = draw(st.sampled_from([b"", b": ping\n\n"]))
    raw = noise_.join(events)
    return raw.replace(b"\n", b"\r\n") if draw(st.booleans()) else raw


answers = whole_answers().flatmap(streams)

# Bytes that are nearly a stream: whole events, torn ones, and noise.
noise = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from(
            [
                created(),
                said(0, "hi"),
                argued(0, "{"),
                done(1, call("c", "Read")),
                added(0, call("c", "Read")),
                done(0, message("hi")),
                completed(),
                completed(message("x"), call("c", "Read")),
                event("response.failed", response={"error": None}),
                event("error", message=5, code=[1]),
                event("response.output_text.delta", delta=5),
                event("response.output_item.done", item=None),
                event("response.output_item.added", output_index=-1, item={"type": "function_call"}),
                event("response.completed", response={"usage": {"input_tokens": -5}, "output": [{}]}),
                b'data: {"error":"no"}\n\n',
                b"data: [DONE]\n\n",
                b"data: []\n\n",
                b"\r\n\r\n",
            ]
        ),
    ),
    max_size=8,
).map(b"".join)
