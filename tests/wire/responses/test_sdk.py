"""What is written here, judged by OpenAI's own client."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.domain.chat import BlockStarted, Completion, Text, TextDelta, ToolCall, ToolSpec, Usage
from rlmc.domain.chat import Failure as Failed
from rlmc.wire.arguments import CUSTOM_SCHEMA
from rlmc.wire.responses.codec import RESPONSES

openai = pytest.importorskip("openai")

USAGE = Usage(input=7, cache_read=90, output=42, thinking=3)
ASKED: Any = {"model": "m", "input": "hi"}
TOOLS = (
    ToolSpec("exec", CUSTOM_SCHEMA, custom=True),
    ToolSpec("clock__sleep", b"{}", namespace="clock", own_name="sleep"),
)


def client(body: bytes, media_type: str = "text/event-stream", status: int = 200) -> Any:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers={"content-type": media_type}, content=body)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return openai.OpenAI(api_key="k", base_url="http://127.0.0.1/v1", http_client=http, max_retries=0)


spoken = st.one_of(
    st.sampled_from(["Yes.", "é" * 700, "a\nb"]).map(Text),
    st.sampled_from(["{}", '{"a":[1.0,"é"]}', '{"p":"' + "x" * 700 + '"}']).map(lambda a: ToolCall("t", "Read", a)),
    st.just(ToolCall("u", "clock__sleep", "{}")),
    st.sampled_from(["ls", "", 'say "é"']).map(lambda t: ToolCall("v", "exec", json.dumps({"input": t}))),
)


def numbered(parts: list[Text | ToolCall]) -> list[Text | ToolCall]:
    """Every call with an id of its own."""
    return [replace(part, id=f"call_{n}") if isinstance(part, ToolCall) else part for n, part in enumerate(parts)]


completions = st.builds(
    lambda parts, reason: Completion("m", tuple(numbered(parts)), reason, None, "msg_1"),
    st.lists(spoken, max_size=4),
    st.sampled_from(["end_turn", "max_tokens", "refusal"]),
)


def strict(model: Any) -> None:
    """The client itself takes anything; its types do not."""
    type(model).model_validate(model.model_dump(), strict=True)


def check(found: Any, completion: Completion) -> None:
    assert found.output_text == completion.text
    calls = [item for item in found.output if item.type != "message"]
    for item, call in zip(calls, completion.tool_calls, strict=True):
        assert item.call_id == call.id
        if call.name == "exec":
            assert (item.type, item.name, {"input": item.input}) == (
                "custom_tool_call",
                "exec",
                json.loads(call.arguments),
            )
        else:
            own = (("sleep", "clock"), ("Read", None))[call.name == "Read"]
            assert (item.type, item.name, item.namespace, item.arguments) == ("function_call", *own, call.arguments)
    wanted = {"end_turn": "completed"}.get(completion.stop_reason or "", "incomplete")
    assert found.status == wanted
    if wanted == "incomplete":
        reason = "content_filter" if completion.stop_reason == "refusal" else "max_output_tokens"
        assert found.incomplete_details.reason == reason
    assert (found.usage.input_tokens, found.usage.input_tokens_details.cached_tokens) == (97, 90)
    assert found.usage.output_tokens_details.reasoning_tokens == 3


@given(completions)
def test_whole_answers(completion: Completion) -> None:
    body = RESPONSES.encode_completion(completion, USAGE, TOOLS)
    found = client(body, "application/json").responses.create(**ASKED)
    strict(found)
    check(found, completion)


@given(completions)
def test_streamed_answers(completion: Completion) -> None:
    body = b"".join([RESPONSES.ping(), *RESPONSES.encode_completion_stream(completion, USAGE, TOOLS)])
    text = ""
    for event in client(body).responses.create(**ASKED, stream=True):
        strict(event)
        text += event.delta if event.type == "response.output_text.delta" else ""
    assert text == completion.text
    check(event.response, completion)
    with client(body).responses.stream(**ASKED) as stream:
        last = list(stream)[-1]
        assert last.type == ("response.completed" if completion.stop_reason == "end_turn" else "response.incomplete")
        if completion.stop_reason == "end_turn":
            check(stream.get_final_response(), completion)


def test_errors_within_a_stream() -> None:
    writer = RESPONSES.answer_writer(model="m", message_id="msg_1", usage=USAGE)
    broken = writer.feed(BlockStarted(0, Text(""))) + writer.feed(TextDelta(0, "Hi")) + writer.close()
    for body in (broken, RESPONSES.encode_stream_error(529, "busy")):
        last = list(client(body).responses.create(**ASKED, stream=True))[-1]
        assert (last.type, last.response.status) == ("response.failed", "failed")
        assert last.response.error.message
        last.response.error.code = "server_error"  # Codex knows more codes than the client's types
        strict(last)
    with client(broken).responses.stream(**ASKED) as stream, pytest.raises(RuntimeError):
        stream.get_final_response()


def test_errors_before_an_answer() -> None:
    failure = Failed("invalid_request_error", "too long", "context_length_exceeded")
    with pytest.raises(openai.BadRequestError) as raised:
        client(RESPONSES.encode_failure(400, failure), "application/json", 400).responses.create(**ASKED)
    assert raised.value.code == "context_length_exceeded"


def test_the_count_and_the_list_of_models() -> None:
    counted = client(RESPONSES.count_body(5), "application/json").responses.input_tokens.count(**ASKED)
    assert (counted.input_tokens, counted.object) == (5, "response.input_tokens")
    listed = client(RESPONSES.models_body(["a", "b"]), "application/json").models.list()
    assert [model.id for model in listed] == ["a", "b"]
