"""Streamed answers of each protocol: decoded, told again in another protocol, passed through, watched, and taken
for an answer in one piece.

What holds for any bytes: nothing raises, the cut never matters, deltas come in the order the codec promises, an answer
that breaks never ends cleanly in another protocol, and no reasoning gets through.
"""

from __future__ import annotations

import json
import re
import zlib
from typing import Any

from tests.fuzz.target import Target, cut

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
from rlmc.errors import WireError
from rlmc.wire import PROTOCOLS, Codec
from rlmc.wire.anthropic.codec import ANTHROPIC
from rlmc.wire.anthropic.stream import MALFORMED
from rlmc.wire.assemble import Assembler
from rlmc.wire.responses.codec import RESPONSES
from rlmc.wire.retell import Retelling
from rlmc.wire.sse import EventDecoder

_LEGAL = re.compile(r"[\w-]{1,60}", re.ASCII)
_CODECS = tuple(PROTOCOLS.values())


def _target(codec: Codec, tokens: tuple[bytes, ...]) -> Target:
    def run(data: bytes) -> bool:
        deltas = _decoded(codec, [data])
        assert _decoded(codec, cut(data)) == deltas
        fitting = _in_order(deltas, plain=codec is ANTHROPIC)
        answer = _assembled(deltas)
        # What else is asked is drawn from the bytes themselves: all of it would take three times as long.
        chance = zlib.crc32(data)
        match chance % 5:
            case 0:
                _watched(codec, data, stream=bool(chance & 8))
                _at_once(codec, _CODECS[(chance >> 8) % 3], data)
            case 1 | 2 if codec is ANTHROPIC:
                _passed_through(data, deltas)
            case _:
                _told_again(codec, _CODECS[(chance >> 8) % 3], data, answer, fitting=fitting)
        return answer is not None

    longest = 3_800 if codec is RESPONSES else 2_000  # which says everything several times
    return Target(f"streams-{codec.name}", run, (*_COMMON, *tokens), longest)


def _run(worker: Any, pieces: list[bytes]) -> list[Any]:
    return [worker.feed(piece) for piece in pieces] + [worker.close()]


def _decoded(codec: Codec, pieces: list[bytes]) -> list[Delta]:
    return [delta for deltas in _run(codec.stream_decoder(), pieces) for delta in deltas]


def _assembled(deltas: list[Delta]) -> Completion | None:
    assembler = Assembler()
    for delta in deltas:
        assembler.feed(delta)
    return assembler.result()


def _in_order(deltas: list[Delta], *, plain: bool) -> bool:
    """What `StreamDecoder` says one can count on. In the protocol the words are from, a sender may leave out the start
    and the stop reason, and add to blocks of another kind: `plain`. Whether nothing was added so."""
    assert deltas, "an end without a word of why"
    assert isinstance(deltas[-1], Stopped | StreamError)
    begun, stopping, last, opened, fitting = plain, plain, -1, None, True
    for delta in deltas[:-1]:
        match delta:
            case Started():
                assert not begun or plain
                begun = True
            case BlockStarted(index, part):
                assert begun
                assert not stopping or plain
                assert opened is None
                assert index > last
                opened, last = part, index
            case TextDelta(index) | ArgumentsDelta(index) | ThinkingDelta(index):
                assert index == last
                assert opened is not None
                fitting = fitting and isinstance(opened, _OF[type(delta)])
            case BlockStopped(index, part):
                assert index == last
                assert opened is not None
                fitting = fitting and (part is None or isinstance(part, type(opened)))
                opened = None
            case Stopping():
                assert opened is None
                stopping = True
            case Stopped() | StreamError():
                raise AssertionError("an end before the end")
            case _:
                pass
    assert not isinstance(deltas[-1], Stopped) or (begun and stopping and opened is None)
    assert fitting or plain
    return fitting


_OF = {TextDelta: Text, ArgumentsDelta: ToolCall, ThinkingDelta: Thinking}


def _told_again(codec: Codec, other: Codec, data: bytes, answer: Completion | None, *, fitting: bool) -> None:
    writer = other.answer_writer(model="m", message_id="msg_1", usage=Usage(input=1))
    out = b"".join(_run(Retelling(codec.stream_decoder(), writer, mint=lambda n: f"call_{n}"), cut(data)))
    again = _decoded(other, [out])
    _no_reasoning(again)
    _in_order(again, plain=other is ANTHROPIC)
    told = _assembled(again)
    assert (told is None) == (answer is None), "an end that is not the answer's own"
    if answer is not None and told is not None and fitting:
        assert told.text.strip() == answer.text.strip() or not _words_first(answer)
        names = [call.name for call in answer.tool_calls]
        # Names that are not legal everywhere become others, and a call without one is none in some protocols.
        assert [call.name for call in told.tool_calls] == names or not all(map(_LEGAL.fullmatch, names))


def _passed_through(data: bytes, deltas: list[Delta]) -> None:
    out = b"".join(_run(ANTHROPIC.rewriter(drop_prefix="ok"), cut(data)))
    assert b"".join(_run(ANTHROPIC.rewriter(drop_prefix="ok"), [data])) == out
    events = EventDecoder()
    assert [*events.feed(out), *events.close()], "a client that waits for ever"
    again = _decoded(ANTHROPIC, [out])
    _no_reasoning(again)
    # An event that says nothing is passed over there, and is the end of it for a decoder.
    end = deltas[-1]
    broke = isinstance(end, StreamError) and end.type != MALFORMED
    assert not broke or _assembled(again) is None, "a clean end of what broke"


def _no_reasoning(deltas: list[Delta]) -> None:
    assert not any(isinstance(delta, ThinkingDelta) for delta in deltas)
    assert not any(isinstance(delta, BlockStarted) and isinstance(delta.part, Thinking) for delta in deltas)


def _watched(codec: Codec, data: bytes, *, stream: bool) -> None:
    facts: list[tuple[object, ...]] = []
    for pieces in ([data], cut(data)):
        tap = codec.usage_tap(stream=stream, encoding=None)
        _run(tap, pieces)
        facts.append((tap.model, tap.usage, tap.stop_reason, tap.complete, tap.error, tap.output_chars))
    assert facts[0] == facts[1]


def _at_once(codec: Codec, other: Codec, data: bytes) -> None:
    """The bytes taken for an answer in one piece, and for an error."""
    assert json.loads(other.encode_failure(500, codec.decode_failure(500, data)))
    try:
        answer = codec.decode_completion(data)
        body = other.encode_completion(answer, Usage(input=1))
    except WireError:
        return
    assert isinstance(json.loads(body), dict)
    assert other.decode_completion(body).text.strip() == answer.text.strip() or not _words_first(answer)


def _words_first(answer: Completion) -> bool:
    """Words behind a call are none in Chat Completions, which has the two side by side."""
    kinds = [type(part) for part in answer.parts if isinstance(part, Text | ToolCall)]
    return ToolCall not in kinds or Text not in kinds[kinds.index(ToolCall) :]


_COMMON = (b"data: ", b"event: ", b"\n\n", b"\r\n\r\n", b"data: [DONE]\n\n", b'"usage":{"input_tokens":-5},', b'"ok"')

_TOKENS: dict[str, tuple[bytes, ...]] = {
    "anthropic": (
        b'{"type":"message_stop"}', b'{"type":"ping"}', b'{"type":"content_block_stop","index":0}',
        b'{"type":"content_block_start","index":1,"content_block":{"type":"thinking","thinking":"hm"}}',
        b'{"type":"content_block_delta","index":1,"delta":{"type":"thinking_delta","thinking":"hm"}}',
        b'{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"Read","input":{}}}',
        b'{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{}"}}',
        b'{"type":"content_block_start","index":2,"content_block":{"type":"text","text":"ok"}}',
        b'{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}',
        b'{"type":"error","error":{"type":"overloaded_error","message":"later"}}',
    ),
    "chat": (
        b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}', b'{"choices":[]}',
        b'{"choices":[{"index":0,"delta":{"content":"ok"}}]}', b'{"choices":[{"index":1,"delta":{"content":"b"}}]}',
        b'{"choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]}', b'"<think>hm"', b'"</think>"',
        b'{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"Read"}}]}}]}',
        b'{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}}]}',
        b'{"error":{"message":"later","code":429}}', b'"refusal"', b'"length"', b'"tool_calls"',
    ),
    "responses": (
        b'{"type":"response.completed","response":{"id":"r","status":"completed","output":[]}}',
        b'{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"no"}}}',
        b'{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"ok"}',
        b'{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","id":"f","call_id":"c","name":"Read","arguments":""}}',
        b'{"type":"response.function_call_arguments.delta","output_index":1,"item_id":"f","delta":"{}"}',
        b'{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","id":"f","call_id":"c","name":"Read","arguments":"{}"}}',
        b'{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"hm"}',
        b'{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}}',
    ),
}  # fmt: skip

TARGETS = tuple(_target(codec, _TOKENS[name]) for name, codec in PROTOCOLS.items())
