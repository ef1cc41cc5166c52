"""Hypothesis strategies for conversations and answers, with the odd shapes that real ones have."""

from __future__ import annotations

from hypothesis import strategies as st
from tests.support.playbook import TOOLS

from rlmc.domain.chat import (
    ChatRequest,
    Completion,
    Media,
    Message,
    Opaque,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Usage,
)

names = st.sampled_from([t.name for t in TOOLS] + ["NoSuchTool", ""])
words = st.sampled_from(
    ["", " ", "yes", "Fix it.", "<system-reminder>x</system-reminder>", "Prove it", "long " * 400, "<tool_call>{}"]
)
ids = st.sampled_from(["toolu_1", "call_0", ""])
arguments = st.sampled_from(["{}", '{"file_path": "a"}', '{"command": "rm -rf /"}', "{", '{"file_path": 1}'])

texts = st.builds(Text, words)
tool_calls = st.builds(ToolCall, ids, names, arguments)
results = st.builds(ToolResult, ids, st.integers(0, 9_000), st.booleans(), st.booleans())
thoughts = st.builds(Thinking, st.integers(0, 500))
strange = st.builds(Opaque, st.sampled_from(["server_tool_use", "new_block"]))

user_messages = st.builds(
    Message, st.just("user"), st.lists(st.one_of(texts, results, st.just(Media("image"))), max_size=3).map(tuple)
)
assistant_messages = st.builds(
    Message, st.just("assistant"), st.lists(st.one_of(texts, tool_calls, thoughts), max_size=3).map(tuple)
)
system_messages = st.builds(Message, st.just("system"), st.lists(texts, min_size=1, max_size=1).map(tuple))

after_reads = st.just(
    (
        Message("user", (Text("Look."),)),
        Message("assistant", (ToolCall("toolu_1", "Read", '{"file_path": "a"}'),)),
        Message("user", (ToolResult("toolu_1", 10, False),)),
    )
)
histories = st.one_of(
    after_reads,
    st.lists(st.one_of(user_messages, assistant_messages, system_messages), max_size=6).map(tuple),
)

chat_requests = st.builds(
    ChatRequest,
    raw=st.just(b"{}"),
    model=st.just("claude-opus-5-5"),
    stream=st.booleans(),
    max_tokens=st.sampled_from([None, 0, 64, 32_000]),
    messages=histories,
    tools=st.sampled_from([(), TOOLS, TOOLS[:1]]),
    tool_choice=st.sampled_from([None, None, "auto", "any", "tool", "none"]),
    parallel_tools=st.booleans(),
    chars=st.integers(0, 3_000_000),
    thinking=st.sampled_from([None, "adaptive", "enabled", "disabled"]),
    output_schema=st.sampled_from([None, None, b'{"type":"object"}', b"{"]),
    safeguards=st.sampled_from([False, False, True]),
)

usages = st.builds(
    Usage,
    input=st.integers(0, 10**6),
    cache_read=st.integers(0, 10**6),
    cache_write_5m=st.integers(0, 10**6),
    cache_write_1h=st.integers(0, 10**6),
    output=st.integers(0, 10**5),
)
completions = st.builds(
    Completion,
    model=st.just("draft"),
    parts=st.lists(st.one_of(texts, tool_calls, thoughts, strange), max_size=4).map(tuple),
    stop_reason=st.sampled_from(["end_turn", "tool_use", "max_tokens", "refusal", "stop_sequence", None]),
    usage=st.one_of(st.none(), usages),
)
