from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.chat_wire import SECRET, answer_chunks, answers, chunk, event, noise, piece, stream
from tests.support.wire import Json, cut, places

from rlmc.domain.chat import (
    ArgumentsDelta,
    BlockStarted,
    BlockStopped,
    Completion,
    Delta,
    Started,
    Stopped,
    Stopping,
    StreamError,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    Usage,
)
from rlmc.wire.assemble import Assembler
from rlmc.wire.chat.response import decode_completion
from rlmc.wire.chat.stream import INCOMPLETE, MALFORMED, AnswerDecoder

ROLE = chunk({"role": "assistant", "content": ""})


def decode(*pieces: bytes) -> list[Delta]:
    decoder = AnswerDecoder()
    return [delta for data in pieces for delta in decoder.feed(data)] + decoder.close()


def amounts_to(data: bytes) -> Completion:
    assembler = Assembler()
    for delta in decode(data):
        assembler.feed(delta)
    completion = assembler.result()
    assert completion is not None
    return completion


def calls(*pieces: Json, finish: str | None = "tool_calls") -> tuple[ToolCall, ...]:
    completion = amounts_to(stream(ROLE, *(chunk({"tool_calls": [one]}) for one in pieces), chunk({}, finish)))
    assert completion.stop_reason == "tool_use"
    return completion.tool_calls


def thoughts(completion: Completion) -> list[Json]:
    return [json.loads(part.block) for part in completion.parts if isinstance(part, Thinking)]


def test_text_comes_as_it_comes() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 2}
    raw = stream(ROLE, chunk({"content": "Hel"}), chunk({"content": "lo"}), chunk({}, "stop", usage=usage))
    assert decode(raw) == [
        Started("chatcmpl-1", "m", None),
        BlockStarted(0, Text("")),
        TextDelta(0, "Hel"),
        TextDelta(0, "lo"),
        BlockStopped(0),
        Stopping("end_turn", Usage(input=9, output=2)),
        Stopped(),
    ]


def test_the_first_call_comes_as_it_comes() -> None:
    decoder = AnswerDecoder()
    decoder.feed(event(ROLE) + event(chunk({"tool_calls": [piece(id="c", name="Read", arguments="")]})))
    more = decoder.feed(event(chunk({"tool_calls": [piece(arguments='{"a"')]})))
    assert more == [BlockStarted(0, ToolCall("c", "Read", "")), ArgumentsDelta(0, '{"a"')]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_is_counted_and_kept_for_its_writer(field: str) -> None:
    raw = stream(ROLE, chunk({field: "hm "}), chunk({field: "so"}), chunk({"content": "Hi"}), chunk({}, "stop"))
    assert [delta for delta in decode(raw) if isinstance(delta, ThinkingDelta)] == [
        ThinkingDelta(0, 3),
        ThinkingDelta(0, 2),
    ]
    completion = amounts_to(raw)
    assert thoughts(completion) == [{field: "hm so"}]
    assert completion.parts == (Thinking(5, completion.parts[0].block), Text("Hi"))  # type: ignore[union-attr]


def test_reasoning_under_both_names_counts_once() -> None:
    completion = amounts_to(
        stream(chunk({"reasoning": "hm", "reasoning_content": "hm"}), chunk({"content": "Hi"}, "stop"))
    )
    assert thoughts(completion) == [{"reasoning_content": "hm", "reasoning": "hm"}]
    assert completion.parts[0].chars == 2  # type: ignore[union-attr]


def test_reasoning_that_was_there_and_empty_stays_there() -> None:
    called = chunk({"tool_calls": [piece(id="c", name="Read", arguments="{}")]})
    assert thoughts(amounts_to(stream(chunk({"reasoning_content": ""}), called))) == [{"reasoning_content": ""}]
    assert thoughts(amounts_to(stream(chunk({"reasoning_content": None}), called))) == []
    # A server that has the empty field in every chunk says it once.
    every = [chunk({"content": text, "reasoning_content": ""}) for text in ("a", "b")]
    completion = amounts_to(stream(*every, chunk({}, "stop")))
    assert [type(part) for part in completion.parts] == [Thinking, Text]


def test_details_of_reasoning_are_kept_whenever_they_come() -> None:
    first, last = {"type": "reasoning.text", "text": "hm", "index": 0}, {"type": "reasoning.encrypted", "data": "x"}
    raw = stream(
        chunk({"reasoning": "hm", "reasoning_details": [first]}),
        chunk({"content": "Hi", "reasoning": None, "reasoning_details": []}),
        chunk({"tool_calls": [piece(id="c", name="Read", arguments="{}")]}),
        chunk({"reasoning_details": [last]}, "tool_calls"),
    )
    assert thoughts(amounts_to(raw)) == [
        {"reasoning": "hm", "reasoning_details": [first]},
        {"reasoning_details": [last]},
    ]
    assert [type(part) for part in amounts_to(raw).parts] == [Thinking, Text, ToolCall, Thinking]


@given(places)
def test_a_tag_at_the_beginning_is_reasoning_however_it_is_cut(at: list[int]) -> None:
    text = f"\n<think>{SECRET}</think>\n\nHi <think>there</think>"
    pieces = [part.decode() for part in cut(text.encode(), at)]
    completion = amounts_to(stream(*(chunk({"content": one}) for one in pieces), chunk({}, "stop")))
    assert completion.text == "Hi <think>there</think>"
    assert thoughts(completion) == [{"reasoning_content": SECRET}]


@pytest.mark.parametrize("text", ["Hi <think>a</think>", "<thinking>a</thinking>", "<th", "  <b>x</b>"])
def test_what_is_no_tag_is_text(text: str) -> None:
    for pieces in ([text], list(text)):
        completion = amounts_to(stream(*(chunk({"content": one}) for one in pieces), chunk({}, "stop")))
        assert completion.parts == (Text(text),)


def test_a_tag_that_is_never_closed_is_all_reasoning() -> None:
    completion = amounts_to(stream(chunk({"content": "<think>hm</thi"}), chunk({}, "length")))
    assert (completion.text, completion.stop_reason) == ("", "max_tokens")
    assert thoughts(completion) == [{"reasoning_content": "hm</thi"}]


def test_blanks_before_a_call_are_no_text() -> None:
    called = chunk({"tool_calls": [piece(id="c", name="Read", arguments="{}")]})
    assert amounts_to(stream(chunk({"content": "\n\n"}), called)).parts == (ToolCall("c", "Read", "{}"),)


# --- what servers make of calls ----------------------------------------------------------------------------------

A = ToolCall("a", "Read", '{"x": 1}')
B = ToolCall("b", "Bash", '{"y": 2}')


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param(
            [piece(0, id="a", name="Read", arguments='{"x": 1}'), piece(1, id="b", name="Bash", arguments='{"y": 2}')],
            id="whole",
        ),
        pytest.param(
            [
                piece(0, id="a", name="Read", arguments=""),
                piece(1, id="b", name="Bash", arguments='{"y"'),
                piece(0, arguments='{"x": '),
                piece(1, arguments=": 2}"),
                piece(0, arguments="1}"),
            ],
            id="interleaved",
        ),
        pytest.param(
            [
                piece(None, id="a", name="Read", arguments='{"x": 1}'),
                piece(None, id="b", name="Bash", arguments='{"y": 2}'),
            ],
            id="no-index",
        ),
        pytest.param(
            [
                piece(None, id="a", name="Read", arguments='{"x"'),
                piece(None, arguments=": 1}"),
                piece(None, id="b", name="Bash"),
                piece(None, id="b", arguments='{"y": 2}'),
            ],
            id="no-index-in-pieces",
        ),
        pytest.param(
            [
                piece(0, id="a", name="Read", arguments='{"x"'),
                piece(0, id="a", name="Read", arguments=": 1}"),
                piece(1, id="b", name="Bash", arguments='{"y": '),
                piece(1, id="b", name="Bash", arguments="2}"),
            ],
            id="repeated",
        ),
        pytest.param(
            [
                piece(0, id="a", name="Re"),
                piece(0, name="ad", arguments=""),
                piece(0, name="", arguments='{"x": 1}'),
                piece(1, id="b", name="Bash", arguments='{"y": 2}'),
            ],
            id="split-name",
        ),
        pytest.param(
            [
                piece(0, id="a", name="Read", arguments=None),
                piece(0, name=None, arguments='{"x": 1}'),
                piece(1, id="b", name="", arguments=""),
                piece(1, name="Bash", arguments='{"y": 2}'),
            ],
            id="null-arguments",
        ),
        pytest.param(
            [piece(0, id="a", name="Read", arguments='{"x": 1}'), piece(0, id="b", name="Bash", arguments='{"y": 2}')],
            id="index-reused",
        ),
        pytest.param(
            [
                piece(0, id="a", name="Read", arguments=""),
                piece(0, id="z", arguments='{"x": 1}'),
                piece(1, id="b", name="Bash", arguments='{"y": 2}'),
            ],
            id="another-id-in-every-piece",
        ),
    ],
)
def test_calls_are_put_together(pieces: list[Json]) -> None:
    assert calls(*pieces) == (A, B)
    together = amounts_to(stream(chunk({"tool_calls": pieces}, "tool_calls")))
    assert together.tool_calls == (A, B)


def test_a_name_is_complete_once_there_are_arguments() -> None:
    first = piece(0, id="a", name="Read", arguments='{"x": 1}')
    later = [piece(1, id="b", name="Bash", arguments='{"y"'), piece(1, name="ful", arguments=": 2}")]
    assert calls(first, *later) == (A, B)


def test_arguments_that_are_an_object() -> None:
    (found,) = calls(piece(0, id="a", name="Read", arguments={"x": 1.0}))
    assert found == ToolCall("a", "Read", '{"x":1.0}')


def test_calls_without_index_and_id_follow_one_another() -> None:
    found = calls(*(piece(None, name="Read", arguments=json.dumps({"x": n})) for n in range(3)))
    assert [json.loads(call.arguments)["x"] for call in found] == [0, 1, 2]
    assert len({call.id for call in found}) == 3


def test_a_call_of_the_older_kind() -> None:
    raw = stream(
        ROLE,
        chunk({"function_call": {"name": "Read", "arguments": '{"x"'}}),
        chunk({"function_call": {"arguments": ": 1}"}}, "function_call"),
    )
    completion = amounts_to(raw)
    assert [(call.name, call.arguments) for call in completion.tool_calls] == [("Read", '{"x": 1}')]


def test_a_call_that_takes_one_text() -> None:
    custom = [
        {"index": 0, "id": "a", "type": "custom", "custom": {"name": "patch", "input": 'a "b'}},
        {"index": 0, "custom": {"input": "\nc"}},
    ]
    (found,) = calls(*custom)
    assert (found.name, json.loads(found.arguments)) == ("patch", {"input": 'a "b\nc'})


def test_a_call_without_arguments() -> None:
    assert calls(piece(0, id="a", name="Now", arguments=""))[0].arguments == "{}"


def test_text_after_a_call_is_passed_over() -> None:
    raw = stream(
        chunk({"content": "Let me"}),
        chunk({"tool_calls": [piece(id="a", name="Read", arguments='{"x"')]}),
        chunk({"content": "hm"}),
        chunk({"tool_calls": [piece(arguments=": 1}")]}),
        chunk({}, "tool_calls"),
    )
    assert amounts_to(raw).parts == (Text("Let me"), A)


def test_a_thought_after_a_call_is_told_after_the_calls() -> None:
    raw = stream(
        chunk({"tool_calls": [piece(id="a", name="Read", arguments='{"x"')]}),
        chunk({"reasoning": "hm"}),
        chunk({"tool_calls": [piece(arguments=": 1}")]}),
        chunk({"tool_calls": [piece(1, id="b", name="Bash", arguments='{"y": 2}')]}, "tool_calls"),
    )
    completion = amounts_to(raw)
    assert completion.parts[:2] == (A, B)
    assert thoughts(completion) == [{"reasoning": "hm"}]


# --- how answers end ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("finish", ["tool_calls", "stop", "function_call", "", None])
def test_calls_say_that_tools_are_used(finish: str | None) -> None:
    assert calls(piece(id="a", name="Read", arguments='{"x": 1}'), finish=finish) == (A,)


def test_half_written_arguments_are_no_call_to_make() -> None:
    completion = amounts_to(
        stream(chunk({"tool_calls": [piece(id="a", name="Read", arguments='{"x"')]}), chunk({}, "length"))
    )
    assert completion.stop_reason == "max_tokens"


@pytest.mark.parametrize(
    ("finish", "read"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("content_filter", "refusal"),
        ("tool_calls", "end_turn"),
        ("word_of_tomorrow", "end_turn"),
    ],
)
def test_reasons_for_the_end(finish: str, read: str) -> None:
    assert amounts_to(stream(chunk({"content": "Hi"}), chunk({}, finish))).stop_reason == read


def test_a_refusal_is_one() -> None:
    completion = amounts_to(stream(chunk({"refusal": "No"}), chunk({"refusal": "."}), chunk({}, "stop")))
    assert (completion.text, completion.stop_reason) == ("No.", "refusal")


def test_no_reason_before_the_mark() -> None:
    assert amounts_to(stream(chunk({"content": "Hi"}))).stop_reason == "end_turn"


def test_no_mark_after_the_reason() -> None:
    assert amounts_to(stream(chunk({"content": "Hi"}, "stop"), done=False)).text == "Hi"


def test_neither_is_no_end() -> None:
    for raw in (stream(chunk({"content": "Hi"}), done=False), b"", event("[DONE]")):
        last = decode(raw)[-1]
        assert isinstance(last, StreamError)
        assert last.type == INCOMPLETE


def test_the_last_usage_counts() -> None:
    def usage(output: int) -> Json:
        return {"prompt_tokens": 100, "completion_tokens": output, "prompt_tokens_details": {"cached_tokens": 90}}

    every = stream(chunk({"content": "a"}, usage=usage(1)), chunk({"content": "b"}, "stop", usage=usage(2)))
    after = stream(chunk({"content": "a"}), chunk({}, "stop"), {"choices": [], "usage": usage(2)})
    inside = chunk({"content": "a"}, "stop")
    inside["choices"][0]["usage"] = usage(2)
    for raw in (every, after, stream(inside)):
        assert amounts_to(raw).usage == Usage(input=10, cache_read=90, output=2)


def test_only_the_first_of_several_answers_is_read() -> None:
    other = chunk({"content": "other"}, "length")
    other["choices"][0]["index"] = 1
    assert amounts_to(stream(chunk({"content": "Hi"}), other, chunk({}, "stop"))).text == "Hi"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"error": {"message": "slow down", "type": "x", "code": "rate_limit_exceeded"}}, "rate_limit_error"),
        ({"error": {"message": "busy", "code": 503}}, "overloaded_error"),
        ({"error": {"message": "bad"}}, "api_error"),
        ({"error": "bad"}, "api_error"),
        ({"object": "error", "message": "too much", "type": "BadRequestError", "code": 400}, "invalid_request_error"),
    ],
)
def test_errors_in_the_midst(data: Json, kind: str) -> None:
    deltas = decode(stream(chunk({"content": "Hi"}), data, chunk({"content": "more"}, "stop")))
    last = deltas[-1]
    assert isinstance(last, StreamError)
    assert last.type == kind
    assert sum(isinstance(delta, TextDelta) for delta in deltas) == 1


def test_a_named_error_event() -> None:
    last = decode(event(ROLE) + b'event: error\ndata: {"message":"oops","type":"overloaded_error"}\n\n')[-1]
    assert last == StreamError("overloaded_error", "oops")


@pytest.mark.parametrize("finish", ["error", "insufficient_system_resource"])
def test_a_reason_that_is_a_failure(finish: str) -> None:
    assert isinstance(decode(stream(chunk({"content": "Hi"}), chunk({}, finish)))[-1], StreamError)


@pytest.mark.parametrize("data", ["not json", "[]", "5", '{"choices":[{"delta":{"content":5}}]}'])
def test_a_chunk_that_cannot_be_read_ends_the_answer(data: str) -> None:
    deltas = decode(event(chunk({"content": "Hi"})) + event(data) + event("[DONE]"))
    assert isinstance(deltas[-1], StreamError)
    assert deltas[-1].type == MALFORMED


# --- all answers -------------------------------------------------------------------------------------------------


@given(st.one_of(answers(), noise), places)
def test_the_cut_never_matters(data: bytes, at: list[int]) -> None:
    assert decode(*cut(data, at)) == decode(data)


@given(st.one_of(st.binary(), noise))
def test_any_bytes_end_in_a_stop_or_an_error(data: bytes) -> None:
    *before, last = decode(data)
    assert isinstance(last, Stopped | StreamError)
    assert not any(isinstance(delta, Stopped | StreamError) for delta in before)


@given(st.one_of(answers(), noise))
def test_blocks_follow_one_another(data: bytes) -> None:
    deltas = decode(data)
    open_block, numbers = None, []
    for delta in deltas:
        if isinstance(delta, BlockStarted):
            assert open_block is None
            open_block = delta.index
            numbers.append(delta.index)
        elif isinstance(delta, TextDelta | ThinkingDelta | ArgumentsDelta | BlockStopped):
            assert delta.index == open_block
            if isinstance(delta, BlockStopped):
                open_block = None
    assert numbers == list(range(len(numbers)))
    if isinstance(deltas[-1], Stopped):
        assert open_block is None
        assert isinstance(deltas[0], Started)
        assert isinstance(deltas[-2], Stopping)


@given(answer_chunks())
def test_a_streamed_answer_amounts_to_the_whole_one(chunks: list[Json]) -> None:
    message: dict[str, Any] = {"role": "assistant"}
    called: dict[int, Json] = {}
    for one in chunks:
        for choice in one["choices"]:
            for name, value in choice["delta"].items():
                if name == "tool_calls":
                    for new in value:
                        call = called.setdefault(new["index"], {"type": "function", "function": {"arguments": ""}})
                        function = call["function"]
                        arguments = function["arguments"] + new["function"].get("arguments", "")
                        call |= {"id": new.get("id", call.get("id"))}
                        function |= new["function"] | {"arguments": arguments}
                elif name != "role" and value is not None:
                    message[name] = message.get(name, "") + value
    if called:
        message["tool_calls"] = list(called.values())
    finish = chunks[-2]["choices"][0]["finish_reason"]
    whole = {"id": "chatcmpl-1", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": finish}]}
    completion = decode_completion(json.dumps(whole | {"usage": chunks[-1]["usage"]}).encode())
    streamed = amounts_to(stream(*chunks))
    # In a stream the tag may come after a thought that was told apart; whole, both are one.
    assert (streamed.text, streamed.tool_calls) == (completion.text, completion.tool_calls)
    assert (streamed.stop_reason, streamed.usage, streamed.id) == (
        completion.stop_reason,
        completion.usage,
        completion.id,
    )
    assert sum(part.chars for part in streamed.parts if isinstance(part, Thinking)) == sum(
        part.chars for part in completion.parts if isinstance(part, Thinking)
    )


def test_arguments_given_as_an_object_that_is_no_text_break_the_answer() -> None:
    call = b'{"index":0,"id":"c","function":{"name":"Read","arguments":{"a":{"\xf3":1}}}}'
    deltas = decode(b'data: {"choices":[{"index":0,"delta":{"tool_calls":[' + call + b"]}}]}\n\n")
    assert isinstance(deltas[-1], StreamError)
    assert deltas[-1].type == MALFORMED
