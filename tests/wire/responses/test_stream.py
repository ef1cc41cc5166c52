from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.responses_wire import (
    SECRET,
    USAGE,
    added,
    answer,
    answers,
    argued,
    call,
    completed,
    created,
    custom_call,
    done,
    event,
    message,
    noise,
    reasoning,
    said,
    streams,
    whole_answers,
)
from tests.support.wire import cut, fed, places

from rlmc.domain.chat import (
    ArgumentsDelta,
    BlockStarted,
    BlockStopped,
    Completion,
    Delta,
    Opaque,
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
from rlmc.wire.responses.response import decode_completion
from rlmc.wire.responses.stream import INCOMPLETE, AnswerDecoder

BILLED = Usage(input=7, cache_read=90, output=42)


def decode(*pieces: bytes) -> list[Delta]:
    decoder = AnswerDecoder()
    return [delta for deltas in fed(decoder.feed, pieces) for delta in deltas] + decoder.close()


def assembled(deltas: list[Delta]) -> Completion:
    assembler = Assembler()
    for delta in deltas:
        assembler.feed(delta)
    result = assembler.result()
    assert result is not None
    return result


def joined(deltas: list[Delta]) -> list[Delta]:
    """Pieces of one block that follow each other as one."""
    out: list[Delta] = []
    for delta in deltas:
        match out[-1] if out else None, delta:
            case TextDelta(index, before), TextDelta(other, more) if index == other:
                out[-1] = TextDelta(index, before + more)
            case ArgumentsDelta(index, before), ArgumentsDelta(other, more) if index == other:
                out[-1] = ArgumentsDelta(index, before + more)
            case _:
                out.append(delta)
    return out


def test_an_answer() -> None:
    thought, text, read = reasoning("hm"), message("I look."), call("a", "Read", '{"p": 1}')
    deltas = decode(
        created(),
        added(0, thought),
        done(0, thought),
        added(1, text),
        said(1, "I "),
        said(1, "look."),
        done(1, text),
        added(2, read),
        argued(2, '{"p": '),
        argued(2, "1}"),
        done(2, read),
        completed(thought, text, read),
    )
    block = json.dumps(thought).encode()
    assert deltas == [
        Started("resp_1", "m", None),
        BlockStarted(0, Thinking(0)),
        BlockStopped(0, Thinking(2, block)),
        BlockStarted(1, Text("")),
        TextDelta(1, "I "),
        TextDelta(1, "look."),
        BlockStopped(1),
        BlockStarted(2, ToolCall("a", "Read", "")),
        ArgumentsDelta(2, '{"p": '),
        ArgumentsDelta(2, "1}"),
        BlockStopped(2),
        Stopping("tool_use", BILLED),
        Stopped(),
    ]


READ = call("a", "Read", '{"p": 1}')
ONE_CALL = [
    BlockStarted(0, ToolCall("a", "Read", "")),
    ArgumentsDelta(0, '{"p": 1}'),
    BlockStopped(0),
    Stopping("tool_use", BILLED),
    Stopped(),
]
ARGUED = event("response.function_call_arguments.done", output_index=0, arguments='{"p": 1}')


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([added(0, READ), ARGUED, done(0, READ)], id="arguments only in their done"),
        pytest.param([added(0, READ), done(0, READ)], id="arguments only in the item's done"),
        pytest.param([done(0, READ)], id="never added"),
        pytest.param([argued(0, '{"p"'), argued(0, ": 1}"), done(0, READ)], id="pieces before a name is known"),
        pytest.param([ARGUED, done(0, READ)], id="whole before a name is known"),
        pytest.param([added(0, READ | {"name": ""}), argued(0, '{"p": 1}'), done(0, READ)], id="name only when done"),
        pytest.param([], id="only in the end"),
        pytest.param([added(0, READ), argued(0, '{"p": 1}')], id="never done"),
        pytest.param([added(0, READ), argued(0, '{"p": 1}'), done(0, READ | {"arguments": ""})], id="empty when done"),
    ],
)
def test_a_call_however_it_is_told(pieces: list[bytes]) -> None:
    assert joined(decode(created(), *pieces, completed(READ)))[1:] == ONE_CALL


def test_arguments_that_are_an_object() -> None:
    (found,) = assembled(decode(created(), done(0, READ | {"arguments": {"p": 1}}), completed())).tool_calls
    assert found == ToolCall("a", "Read", '{"p":1}')


@pytest.mark.parametrize(
    "pieces",
    [
        [said(0, "Hi"), done(0, message("Hi"))],
        [event("response.output_text.done", output_index=0, text="Hi")],
        [added(0, message("Hi")), said(0, "H"), done(0, message("Hi"))],
        [done(0, message("Hi"))],
        [],
    ],
)
def test_a_text_however_it_is_told(pieces: list[bytes]) -> None:
    assert assembled(decode(created(), *pieces, completed(message("Hi")))).parts == (Text("Hi"),)


@pytest.mark.parametrize("last", [custom_call("a", "exec", 'let a = "1"'), custom_call("a", "exec", "")])
def test_the_text_of_a_custom_call_becomes_json(last: dict[str, object]) -> None:
    whole = event("response.custom_tool_call_input.done", output_index=0, input=last["input"])
    pieces = event("response.custom_tool_call_input.delta", output_index=0, delta=str(last["input"])[:3])
    for told in ([], [pieces, whole], [whole], [pieces]):
        deltas = decode(created(), added(0, last | {"input": ""}), *told, done(0, last), completed())
        (found,) = assembled(deltas).tool_calls
        assert (found.id, found.name, json.loads(found.arguments)) == ("a", "exec", {"input": last["input"]})
        assert not any(isinstance(delta, ThinkingDelta) for delta in deltas)


def test_what_belongs_to_another_kind_of_item_is_passed_over() -> None:
    text = message("Hi")
    deltas = decode(
        created(),
        added(0, text),
        argued(0, "{}"),
        done(0, call("a", "Read", '{"p": 1}')),
        said(0, "Hi"),
        completed(text),
    )
    assert not any(isinstance(delta, ArgumentsDelta) for delta in deltas)
    completion = assembled(deltas)
    assert (completion.parts, completion.stop_reason) == ((Text("Hi"),), "end_turn")


def test_an_incomplete_answer_need_not_say_so_twice() -> None:
    end = event("response.incomplete", response=answer(message("Hi"), status=None))
    assert Stopping("max_tokens", BILLED) in decode(created(), end)


def test_items_written_at_the_same_time_follow_one_another() -> None:
    first, second = call("a", "Read", '{"a": 1}'), call("b", "Bash", '{"b": 2}')
    deltas = decode(
        created(),
        added(0, first),
        added(1, second),
        argued(1, '{"b": '),
        argued(0, '{"a": '),
        argued(1, "2}"),
        done(1, second),
        argued(0, "1}"),
        done(0, first),
        completed(first, second),
    )
    assert joined(deltas)[1:-2] == [
        BlockStarted(0, ToolCall("a", "Read", "")),
        ArgumentsDelta(0, '{"a": 1}'),
        BlockStopped(0),
        BlockStarted(1, ToolCall("b", "Bash", "")),
        ArgumentsDelta(1, '{"b": 2}'),
        BlockStopped(1),
    ]


def test_blocks_are_numbered_as_they_are_told() -> None:
    deltas = decode(created(), done(4, message("b")), done(2, message("a")), completed())
    assert [delta.index for delta in deltas if isinstance(delta, BlockStarted)] == [0, 1]
    assert assembled(deltas).text == "ba"


def test_a_namespace_is_part_of_the_name() -> None:
    deltas = decode(created(), done(0, call("a", "sleep", namespace="clock")), completed())
    assert assembled(deltas).tool_calls == (ToolCall("a", "clock__sleep", "{}"),)


def test_what_a_provider_ran_itself_is_opaque() -> None:
    search = {"type": "web_search_call", "id": "ws", "status": "completed"}
    remote = {"type": "mcp_call", "id": "m", "name": "x", "arguments": '{"a": 1}'}
    pieces = event("response.mcp_call_arguments.delta", output_index=1, delta='{"a": 1}')
    deltas = decode(created(), done(0, search), added(1, remote), pieces, done(1, remote), completed())
    assert assembled(deltas).parts == (Opaque("web_search_call"), Opaque("mcp_call"))


def test_a_call_without_a_name_is_none() -> None:
    deltas = decode(created(), argued(0, "{}"), completed())
    assert assembled(deltas).parts == ()
    assert Stopping("end_turn", BILLED) in deltas


CUT_SHORT = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
FILTERED = {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}


@pytest.mark.parametrize(
    ("output", "more", "reason"),
    [
        ([message("Hi")], {}, "end_turn"),
        ([message("Hi"), READ], {}, "tool_use"),
        ([READ | {"arguments": '{"p'}], CUT_SHORT, "max_tokens"),
        ([message("Hi")], CUT_SHORT | {"incomplete_details": None}, "max_tokens"),
        ([message("Hi")], FILTERED, "refusal"),
        ([message("", content=[{"type": "refusal", "refusal": "No."}])], {}, "refusal"),
    ],
)
def test_why_it_ended(output: list[dict[str, object]], more: dict[str, object], reason: str) -> None:
    end = event(f"response.{more.get('status', 'completed')}", response=answer(*output, **more))
    assert Stopping(reason, BILLED) in decode(created(), end)
    assert decode_completion(json.dumps(answer(*output, **more)).encode()).stop_reason == reason


def test_a_streamed_refusal() -> None:
    deltas = decode(created(), event("response.refusal.delta", output_index=0, delta="No."), completed(usage=None))
    assert deltas[1:] == [
        BlockStarted(0, Text("")),
        TextDelta(0, "No."),
        BlockStopped(0),
        Stopping("refusal", None),
        Stopped(),
    ]


ERROR = {"code": "rate_limit_exceeded", "message": "slow"}


@pytest.mark.parametrize(
    ("last", "failed"),
    [
        (event("response.failed", response=answer(status="failed", error=ERROR)), ("rate_limit_error", "slow")),
        (event("response.completed", response=answer(status="failed", error=ERROR)), ("rate_limit_error", "slow")),
        (event("error", code="server_error", message="oops", param=None), ("api_error", "oops")),
        (event("error", error=ERROR), ("rate_limit_error", "slow")),
        (b'data: {"error": {"message": "busy", "code": 503}}\n\n', ("overloaded_error", "busy")),
        (event("response.failed", response=answer(status="failed")), ("api_error", "response.failed")),
        (
            event("response.failed", response=answer(error=ERROR | {"code": "invalid_prompt"})),
            ("invalid_request_error", "slow"),
        ),
        (event("response.cancelled"), ("api_error", "response.cancelled")),
    ],
)
def test_failures(last: bytes, failed: tuple[str, str]) -> None:
    deltas = decode(created(), said(0, "Hi"), last, said(0, "more"), completed())
    assert deltas[-1] == StreamError(*failed)
    assert deltas[-2] == TextDelta(0, "Hi")


def test_only_a_terminal_event_is_an_end() -> None:
    for last in (b"", b"data: [DONE]\n\n", done(0, message("Hi"))):
        deltas = decode(created(), added(0, message("Hi")), said(0, "Hi"), last)
        assert isinstance(deltas[-1], StreamError)
        assert deltas[-1].type == INCOMPLETE
    mark = completed(message("Hi")) + b"data: [DONE]\n\n"
    assert decode(created(), mark)[-1] == Stopped()


def test_nothing_comes_after_the_end() -> None:
    assert decode(created(), completed(), completed(message("again")), b"\xff\n\n")[-1] == Stopped()


def test_events_without_names_and_without_a_beginning() -> None:
    bare = [one.partition(b"\n")[2] for one in (said(0, "Hi"), completed(message("Hi")))]
    deltas = decode(*bare)
    assert deltas[0] == Started("", "", None)
    assert assembled(deltas).text == "Hi"


@given(answers, places)
def test_the_cut_never_matters(data: bytes, at: list[int]) -> None:
    assert decode(*cut(data, at)) == decode(data)


@given(st.data(), whole_answers())
def test_stream_and_whole_agree(data: st.DataObject, whole: dict[str, object]) -> None:
    streamed = assembled(decode(data.draw(streams(whole))))
    assert streamed == decode_completion(json.dumps(whole).encode())


@given(answers)
def test_blocks_follow_one_another(data: bytes) -> None:
    open_, last, begun = None, -1, False
    for delta in decode(data):
        match delta:
            case Started():
                assert not begun
                begun = True
            case BlockStarted(index, part):
                assert begun and open_ is None and index > last
                assert not isinstance(part, ToolCall) or (part.id and part.name)
                open_ = last = index
            case BlockStopped(index):
                assert index == open_
                open_ = None
            case TextDelta(index) | ArgumentsDelta(index):
                assert index == open_
            case _:
                pass
    assert open_ is None


@given(answers)
def test_reasoning_is_only_in_its_block(data: bytes) -> None:
    for delta in decode(data):
        if not (isinstance(delta, BlockStopped) and isinstance(delta.part, Thinking)):
            assert SECRET not in repr(delta)


@given(st.one_of(noise, st.binary(max_size=200)))
def test_a_decoder_never_raises(data: bytes) -> None:
    assert isinstance(decode(data)[-1], StreamError | Stopped)


def test_usage_is_the_bill() -> None:
    assert USAGE["input_tokens"] == BILLED.prompt
