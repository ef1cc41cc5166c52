"""What is written here, judged by OpenAI's own client."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.domain.chat import BlockStarted, Completion, Text, TextDelta, ToolCall, ToolSpec, Usage
from rlmc.domain.chat import Failure as Failed
from rlmc.wire.chat.codec import CHAT

openai = pytest.importorskip("openai")

USAGE = Usage(input=7, cache_read=90, output=42, thinking=3)
ASKED: Any = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def client(body: bytes, media_type: str = "text/event-stream", status: int = 200) -> Any:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers={"content-type": media_type}, content=body)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return openai.OpenAI(api_key="k", base_url="http://127.0.0.1/v1", http_client=http, max_retries=0)


spoken = st.one_of(
    st.sampled_from(["Yes.", "é" * 700, "a\nb"]).map(Text),
    st.sampled_from(["{}", '{"a":[1.0,"é"]}', '{"p":"' + "x" * 700 + '"}']).map(lambda a: ToolCall("t", "Read", a)),
)
completions = st.builds(
    lambda parts, reason: Completion("m", tuple(parts), reason, None, "msg_1"),
    st.lists(spoken, max_size=4),
    st.sampled_from(["end_turn", "refusal"]),
)


def check(found: Any, completion: Completion) -> None:
    (choice,) = found.choices
    assert (choice.message.content or "") == completion.text
    calls = choice.message.tool_calls or []
    assert [(call.id, call.function.name, call.function.arguments) for call in calls] == [
        (call.id, call.name, call.arguments) for call in completion.tool_calls
    ]
    usual = "tool_calls" if completion.tool_calls else "stop"
    assert choice.finish_reason == ("content_filter" if completion.stop_reason == "refusal" else usual)
    assert (found.usage.prompt_tokens, found.usage.prompt_tokens_details.cached_tokens) == (97, 90)
    assert found.usage.completion_tokens_details.reasoning_tokens == 3


@given(completions)
def test_whole_answers(completion: Completion) -> None:
    body = CHAT.encode_completion(completion, USAGE)
    check(client(body, "application/json").chat.completions.create(**ASKED), completion)


@given(completions)
def test_streamed_answers(completion: Completion) -> None:
    body = b"".join([CHAT.ping(), *CHAT.encode_completion_stream(completion, USAGE)])
    text = "".join(
        chunk.choices[0].delta.content or "" for chunk in client(body).chat.completions.create(**ASKED, stream=True)
    )
    assert text == completion.text
    if completion.stop_reason == "refusal":
        return  # the helper raises, as it does for OpenAI's own
    with client(body).chat.completions.stream(**ASKED) as stream:
        for _ in stream:
            pass
        check(stream.get_final_completion(), completion)


def test_calls_that_take_one_text() -> None:
    completion = Completion("m", (ToolCall("a", "patch", '{"input":"x"}'),), "tool_use", None, "msg_1")
    tools = (ToolSpec("patch", b"{}", custom=True),)
    body = CHAT.encode_completion(completion, USAGE, tools)
    (call,) = client(body, "application/json").chat.completions.create(**ASKED).choices[0].message.tool_calls
    assert (call.type, call.custom.name, call.custom.input) == ("custom", "patch", "x")
    streamed = client(b"".join(CHAT.encode_completion_stream(completion, USAGE, tools)))
    assert list(streamed.chat.completions.create(**ASKED, stream=True))[-1].choices[0].finish_reason == "tool_calls"


def test_errors() -> None:
    writer = CHAT.answer_writer(model="m", message_id="msg_1", usage=USAGE)
    broken = writer.feed(BlockStarted(0, Text(""))) + writer.feed(TextDelta(0, "Hi")) + writer.close()
    for body in (broken, CHAT.encode_stream_error(529, "busy")):
        with pytest.raises(openai.APIError):
            list(client(body).chat.completions.create(**ASKED, stream=True))
    failure = Failed("invalid_request_error", "too long", "context_length_exceeded")
    with pytest.raises(openai.BadRequestError) as raised:
        client(CHAT.encode_failure(400, failure), "application/json", 400).chat.completions.create(**ASKED)
    assert raised.value.code == "context_length_exceeded"


def test_the_list_of_models() -> None:
    listed = client(CHAT.models_body(["a", "b"]), "application/json").models.list()
    assert [model.id for model in listed] == ["a", "b"]
