"""From every protocol to every other one and back: what docs/translation.md says is kept, is kept. And whatever comes,
a codec refuses with `WireError`, and decoders of streams never raise."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.domain.chat import (
    ArgumentsDelta,
    BlockStarted,
    BlockStopped,
    Delta,
    Started,
    Stopped,
    Stopping,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    Usage,
)
from rlmc.domain.prompt import Attachment, OutputFormat, Prompt, PromptMessage, PromptPart, Result, ToolDefinition
from rlmc.domain.shape import Shape
from rlmc.wire import PROTOCOLS, Codec
from rlmc.wire.arguments import CUSTOM_SCHEMA
from rlmc.wire.tidy import tidy

EFFORTS = ("none", "low", "medium", "high", "xhigh", "max")  # the words that all of them know
PERMISSIVE = Shape(output_format=True, media=True, metadata=True, strict=True, custom_tools=True, efforts=EFFORTS)
BOTH_WAYS = pytest.mark.parametrize(("a", "b"), list(product(PROTOCOLS, PROTOCOLS)))

words = st.one_of(
    st.sampled_from(["Fix it.", " é 🦊\n", '{"a": 1}', "data: [DONE]\n\n"]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(lambda text: bool(text.strip())),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**6), 10**6), words),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=6,
)
objects = st.dictionaries(words, values, max_size=3).map(json.dumps)
texts = st.builds(Text, words)
shown = st.sampled_from(
    [
        Attachment("image", "image/png", data="AAAA"),
        Attachment("image", "image/webp", data="BBBB"),
        Attachment("image", url="https://host/a.png"),
        Attachment("document", "application/pdf", data="CCCC", name="a.pdf"),
    ]
)
schemas = st.dictionaries(words, values, max_size=2).map(
    lambda more: json.dumps(
        {"type": "object", "properties": {}, **{f"x{key}": of for key, of in more.items()}}
    ).encode()
)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[PromptMessage, ...]:
    messages = [PromptMessage("user", tuple(draw(st.lists(st.one_of(texts, shown), min_size=1, max_size=3))))]
    for turn in range(draw(st.integers(0, 3))):
        said: list[PromptPart] = list(draw(st.lists(texts, max_size=2)))
        calls = [
            ToolCall(f"call_{turn}_{n}", name, json.dumps({"input": draw(words)}) if name == "exec" else draw(objects))
            for n, name in enumerate(draw(st.lists(st.sampled_from(["Read", "exec"]), max_size=2)))
        ]
        if not said and not calls:
            continue
        results = [
            Result(call.id, tuple(draw(st.lists(texts, min_size=1, max_size=2))), draw(st.booleans())) for call in calls
        ]
        more = draw(st.lists(st.one_of(texts, shown), min_size=0 if calls else 1, max_size=2))
        messages += [PromptMessage("assistant", (*said, *calls)), PromptMessage("user", (*results, *more))]
    return tuple(messages)


@st.composite
def prompts(draw: st.DrawFn) -> Prompt:
    tools = (
        ToolDefinition("Read", draw(words), draw(schemas)),
        ToolDefinition("exec", draw(words), CUSTOM_SCHEMA, custom=True),
    )[: draw(st.integers(0, 2))]
    choice = draw(st.sampled_from([None, "auto", "any", "tool", "none"])) if tools else None
    return Prompt(
        "m",
        draw(st.booleans()),
        draw(conversations()),
        system=tuple(draw(st.lists(words, max_size=3))),
        max_tokens=draw(st.integers(1, 10**6)),
        tools=tools,
        tool_choice=choice,
        forced_tool="Read" if choice == "tool" else "",
        parallel_tools=draw(st.booleans()),
        output=draw(st.one_of(st.none(), st.builds(OutputFormat, schemas))),
        effort=draw(st.sampled_from([None, *EFFORTS])),
        stop=tuple(draw(st.lists(words, max_size=4))),
    )


def carried(codec: Codec, prompt: Prompt) -> Prompt:
    return codec.read_prompt(codec.write_prompt(prompt, "m", PERMISSIVE, {}, stream=prompt.stream, reason=True))


def kept(prompt: Prompt, through: set[str]) -> dict[str, Any]:
    """All that must be the same at the end of the way; messages as every writer puts them in order."""
    forced = bool(prompt.tools) and prompt.tool_choice in ("any", "tool")
    return {
        "model": prompt.model,
        "stream": prompt.stream,
        "system": "\n\n".join(prompt.system),
        "messages": [(message.role, _parts(message.parts)) for message in tidy(prompt.messages)],
        "max_tokens": prompt.max_tokens,
        "tools": [(tool.name, tool.description, json.loads(tool.schema)) for tool in prompt.tools],
        # Unsaid is auto.
        "choice": (prompt.tool_choice or "auto", prompt.forced_tool) if prompt.tools else None,
        "parallel": prompt.parallel_tools if prompt.tools and prompt.tool_choice != "none" else None,
        "output": json.loads(prompt.output.schema) if prompt.output else None,
        # Anthropic's models do not reason where a call is forced.
        "effort": None if forced and "anthropic" in through else prompt.effort,
        "stop": () if "responses" in through else prompt.stop,
    }


def _parts(parts: tuple[PromptPart, ...]) -> list[Any]:
    """Texts that follow one another are one, as some protocols have it; a failure is marked in one of two ways."""
    found: list[Any] = []
    for part in parts:
        if isinstance(part, Text):
            if found and found[-1][0] == "text":
                found[-1] = ("text", f"{found[-1][1]}\n\n{part.text}")
            else:
                found.append(("text", part.text))
        elif isinstance(part, ToolCall):
            found.append(("call", part.id, part.name, json.loads(part.arguments)))
        elif isinstance(part, Result):
            text = "\n".join(one.text for one in part.content if isinstance(one, Text))
            found.append(("result", part.call_id, f"ERROR: {text}" if part.is_error else text))
        else:
            found.append((part.kind, part.data, part.url))
    return found


@BOTH_WAYS
@given(of=prompts())
def test_a_request_there_and_back(a: str, b: str, of: Prompt) -> None:
    asked = carried(PROTOCOLS[a], of)
    back = carried(PROTOCOLS[a], carried(PROTOCOLS[b], asked))
    assert kept(back, {a, b}) == kept(asked, {a, b}) == kept(of, {a, b})


@BOTH_WAYS
def test_an_image_in_a_result_there_and_back(a: str, b: str) -> None:
    """Where one of them is Chat Completions, it comes behind the results, in the user's words."""
    image = Attachment("image", "image/png", data="AAAA")
    messages = (
        PromptMessage("user", (Text("Look."),)),
        PromptMessage("assistant", (ToolCall("c", "Read", "{}"),)),
        PromptMessage("user", (Result("c", (Text("It:"), image)),)),
    )
    back = carried(PROTOCOLS[a], carried(PROTOCOLS[b], carried(PROTOCOLS[a], Prompt("m", True, messages))))
    result, *behind = tidy(back.messages)[-1].parts
    assert isinstance(result, Result)
    places = behind if "chat" in (a, b) else result.content
    assert [part.data for part in places if isinstance(part, Attachment)] == ["AAAA"]


# --- answers -------------------------------------------------------------------------------------------------------

usages = st.builds(
    Usage,
    input=st.integers(0, 10**6),
    cache_read=st.integers(0, 10**6),
    cache_write_5m=st.integers(0, 10**6),
    output=st.integers(0, 10**5),
)


def _split(draw: st.DrawFn, text: str) -> list[str]:
    at = draw(st.integers(0, len(text)))
    return [text[:at], text[at:]]


@st.composite
def answers(draw: st.DrawFn) -> list[Delta]:
    """Reasoning, texts and calls in this order; what is said after a call, Chat Completions cannot hold."""
    usage, deltas, index = draw(usages), list[Delta](), 0
    deltas.append(Started("id_1", "m", draw(st.sampled_from([None, usage]))))
    if draw(st.booleans()):
        deltas += [BlockStarted(0, Thinking(0)), ThinkingDelta(0, 5), BlockStopped(0, Thinking(5, b"{}"))]
        index = 1
    for text in draw(st.lists(words, max_size=2)):
        pieces = [TextDelta(index, piece) for piece in _split(draw, text)]
        deltas += [BlockStarted(index, Text("")), *pieces, BlockStopped(index)]
        index += 1
    calls = draw(st.lists(st.tuples(st.sampled_from(["Read", "exec"]), objects), max_size=3))
    for name, arguments in calls:
        pieces_ = [ArgumentsDelta(index, piece) for piece in _split(draw, arguments)]
        deltas += [BlockStarted(index, ToolCall(f"call_{index}", name, "")), *pieces_, BlockStopped(index)]
        index += 1
    stop = draw(st.sampled_from(["tool_use"] if calls else ["end_turn", "max_tokens", "refusal"]))
    return [*deltas, Stopping(stop, usage), Stopped()]


def told(deltas: list[Delta]) -> dict[str, Any]:
    """What a reader knows at the end."""
    text: list[str] = []
    calls: dict[int, list[str]] = {}
    found: dict[str, Any] = {"ended": isinstance(deltas[-1], Stopped)}
    for delta in deltas:
        match delta:
            case BlockStarted(_, Text(said)):
                text.append(said)
            case TextDelta(_, said):
                text.append(said)
            case BlockStarted(index, ToolCall(id_, name, arguments)):
                calls[index] = [id_, name, arguments]
            case ArgumentsDelta(index, piece):
                calls[index][2] += piece
            case Stopping(stop_reason, usage):
                assert usage is not None
                found |= {"stop": stop_reason, "prompt": usage.prompt, "output": usage.output}
            case _:
                pass
    called = [(id_, name, json.loads(arguments)) for id_, name, arguments in calls.values()]
    return found | {"text": "".join(text), "calls": called}


def retold(codec: Codec, deltas: list[Delta]) -> list[Delta]:
    writer = codec.answer_writer(model="m", message_id="id_1", usage=Usage())
    raw = b"".join([*map(writer.feed, deltas), writer.close()])
    decoder = codec.stream_decoder()
    return [*decoder.feed(raw), *decoder.close()]


@BOTH_WAYS
@given(of=answers())
def test_an_answer_there_and_on(a: str, b: str, of: list[Delta]) -> None:
    assert told(retold(PROTOCOLS[b], retold(PROTOCOLS[a], of))) == told(of)
