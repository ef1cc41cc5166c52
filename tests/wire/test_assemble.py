from __future__ import annotations

from rlmc.domain.chat import (
    ArgumentsDelta,
    BlockStarted,
    BlockStopped,
    Completion,
    Delta,
    Opaque,
    Other,
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

BEGIN = Started("msg_1", "m", Usage(input=5))
END: list[Delta] = [Stopping("tool_use", Usage(input=5, output=9)), Stopped()]


def assemble(*deltas: Delta) -> Assembler:
    assembler = Assembler()
    for delta in deltas:
        assembler.feed(delta)
    return assembler


def test_blocks_grow_by_their_deltas_and_come_out_in_order() -> None:
    assembler = assemble(
        BEGIN,
        BlockStarted(2, ToolCall("toolu_1", "Read", "")),
        ArgumentsDelta(2, '{"a":'),
        BlockStarted(0, Thinking(0)),
        ThinkingDelta(0, 30),
        BlockStarted(1, Text("Loo")),
        TextDelta(1, "k"),
        ArgumentsDelta(2, "1}"),
        BlockStopped(2),
        Other("ping"),
        *END,
    )
    assert assembler.result() == Completion(
        model="m",
        parts=(Thinking(30), Text("Look"), ToolCall("toolu_1", "Read", '{"a":1}')),
        stop_reason="tool_use",
        usage=Usage(input=5, output=9),
        id="msg_1",
    )


def test_there_is_no_result_before_the_end() -> None:
    assert assemble(BEGIN, END[0]).result() is None


def test_a_failed_answer_has_an_error_and_no_result() -> None:
    failure = StreamError("overloaded_error", "Overloaded")
    assembler = assemble(BEGIN, failure, *END)
    assert assembler.error == failure
    assert assembler.result() is None


def test_arguments_may_come_whole_or_not_at_all() -> None:
    whole = assemble(BlockStarted(0, ToolCall("a", "Read", '{"x":1}')), ArgumentsDelta(0, ""), *END).result()
    none = assemble(BlockStarted(0, ToolCall("a", "Read", "")), *END).result()
    assert whole is not None
    assert none is not None
    assert [call.arguments for call in whole.tool_calls + none.tool_calls] == ['{"x":1}', "{}"]


def test_deltas_of_blocks_never_opened_invent_no_calls() -> None:
    completion = assemble(TextDelta(0, "hi"), ArgumentsDelta(1, "{}"), *END).result()
    assert completion is not None
    assert completion.parts == (Text("hi"), Opaque("tool_use"))


def test_the_last_stop_reason_and_usage_given_win() -> None:
    completion = assemble(BEGIN, Stopping("end_turn", Usage(output=3)), Stopping(None, None), Stopped()).result()
    assert completion is not None
    assert (completion.stop_reason, completion.usage) == ("end_turn", Usage(output=3))
