from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import messages
from tests.support.wire import SECRET, Json, answer_events, answers, cut, event, fixture, noise, places

from rlmc.wire.anthropic.rewrite import StreamRewriter
from rlmc.wire.anthropic.stream import AnswerDecoder
from rlmc.wire.assemble import Assembler

WORD = "ACCEPT-0f"


def rewrite(*pieces: bytes, **options: Any) -> bytes:
    rewriter = StreamRewriter(**options)
    return b"".join([rewriter.feed(piece) for piece in pieces]) + rewriter.close()


def answer(*blocks: list[str], reason: str = "end_turn") -> bytes:
    """A text answer, each block given by its pieces."""
    out: list[Json] = [{"type": "message_start", "message": {"content": []}}]
    for index, pieces in enumerate(blocks):
        out.append({"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}})
        out += [
            {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}}
            for text in pieces
        ]
        out.append({"type": "content_block_stop", "index": index})
    out.append({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 3}})
    out.append({"type": "message_stop"})
    return b"".join(map(event, out))


def said(raw: bytes) -> list[str]:
    return [block["text"] for block in messages.assemble(raw)["content"]]


def test_reasoning_goes_and_the_rest_is_numbered_anew() -> None:
    message = messages.assemble(rewrite(fixture("answer.sse")))
    assert [block["type"] for block in message["content"]] == ["text", "tool_use"]
    assert messages.calls(message) == [("Read", {"file_path": "/p/a.txt", "limit": 2.0})]
    assert message["complete"]


def test_a_verify_models_own_safeguard_result_gets_through() -> None:
    message = messages.assemble(rewrite(fixture("answer.sse")))
    assert message["safeguard_results"] == [{"type": "dangerous_tool_use", "status": {"type": "available"}}]


def test_what_need_not_change_passes_as_it_came() -> None:
    raw = b": hi\n\n" + answer(["a"], ["b"]) + b'event: later\ndata: {"type":"later"}\n\n'
    assert rewrite(raw) == raw
    odd = b'event: new\ndata: <xml/>\n\nevent: new\r\ndata: {"index":"x"}\r\n\r\n'
    assert rewrite(odd).startswith(odd)


def test_blocks_inside_the_start_are_not_let_through() -> None:
    raw = event({"type": "message_start", "message": {"content": [{"type": "thinking", "thinking": SECRET}]}})
    assert SECRET.encode() not in rewrite(raw)


def test_events_without_names_get_one() -> None:
    raw = event({"type": "message_start", "message": {"content": []}}, named=False)
    assert rewrite(raw).startswith(b"event: message_start\ndata: ")


@pytest.mark.parametrize(
    ("blocks", "left"),
    [
        ([[WORD]], []),
        ([["ACC", "EPT-", "0f", " \n"]], []),
        ([["ACC", "EPT-0f\n", "\n", "But", " no."]], ["But no."]),
        ([[f" \n{WORD}But no."]], ["But no."]),
        ([[WORD], ["  But no."]], ["  But no."]),
        ([["ACC"], [WORD]], ["ACC", WORD]),
        ([["AC", "tually"]], ["ACtually"]),
        ([[], ["x"]], ["x"]),
    ],
)
def test_a_word_is_taken_off_the_front(blocks: list[list[str]], left: list[str]) -> None:
    raw = rewrite(answer(*blocks), drop_prefix=WORD)
    assert said(raw) == left
    assert messages.assemble(raw)["complete"]


def test_text_is_held_back_no_longer_than_it_must_be() -> None:
    raw = answer(["Surely", " not"])
    rewriter = StreamRewriter(drop_prefix=WORD)
    assert b"Surely" in rewriter.feed(raw[: raw.index(b" not")].rpartition(b"event:")[0])


def test_other_deltas_of_a_held_block_keep_their_place() -> None:
    raw = answer(["ACC", "EPT-0f", "yes", "!"])
    cite = event({"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": {}}})
    news = event({"type": "news", "index": 0})
    stop = raw.index(b"event: content_block_stop")
    first = raw.index(b"event: content_block_delta")
    kinds = [
        name
        for name, _ in messages.events(
            rewrite(raw[:first] + cite + news + raw[first:stop] + cite + raw[stop:], drop_prefix=WORD)
        )
    ]
    assert kinds == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "news",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


@pytest.mark.parametrize("block", [{"type": "redacted_thinking", "data": SECRET}, {"type": "text", "text": WORD}])
def test_news_of_a_block_taken_out_go_with_it(block: Json) -> None:
    events: list[Json] = [
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "news", "index": 0},
        {"type": "content_block_stop", "index": 0},
        {"type": "news", "index": 0},
        {"type": "news", "index": 1},
    ]
    out = rewrite(b"".join(map(event, events)), drop_prefix=WORD)
    assert [data for name, data in messages.events(out) if name == "news"] == [events[-1]]


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        b"event: message_delta\ndata: {\n\n",
        b'event: content_block_start\ndata: {"index":1}\n\n',
        b'event: content_block_stop\ndata: {"index":0,"index":0}\n\nevent: message_delta\ndata: 1\n\n',
    ],
)
def test_a_broken_answer_ends_in_an_error_never_in_a_clean_end(rest: bytes) -> None:
    raw = answer(["Half an ans"])
    events = messages.events(rewrite(raw[: raw.index(b"event: content_block_stop")], rest, drop_prefix=WORD))
    assert events[-1][0] == "error"
    assert events[-1][1]["error"]["type"] == "api_error"


@pytest.mark.parametrize("kind", ["content_block_delta", "content_block_stop"])
def test_an_event_of_no_block_breaks_the_answer(kind: str) -> None:
    """Left out, it could leave a block open in an answer that ends cleanly."""
    stop = event({"type": "content_block_stop", "index": 0})
    raw = answer(["So."]).replace(stop, event({"type": kind, "delta": {"type": "text_delta", "text": "x"}}))
    assert raw != answer(["So."])
    assert messages.events(rewrite(raw))[-1][0] == "error"


def test_text_held_when_the_answer_broke_off_is_not_lost() -> None:
    raw = answer(["ACC"])
    assert b'"ACC"' in rewrite(raw[: raw.index(b"event: content_block_stop")], drop_prefix=WORD)


def test_a_missing_stop_after_a_stop_reason_is_made_up_for() -> None:
    raw = answer(["x"])
    assert rewrite(raw[: raw.index(b"event: message_stop")]) == raw.replace(
        b'{"type": "message_stop"}', b'{"type":"message_stop"}'
    )


def test_an_error_of_the_upstream_is_passed_on_once() -> None:
    raw = event({"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}})
    assert rewrite(raw) == raw


@given(
    st.one_of(answers(), noise),
    places,
    st.sampled_from(["", WORD, "a"]),
)
def test_the_cut_never_matters(data: bytes, at: list[int], word: str) -> None:
    options: dict[str, Any] = {"drop_prefix": word}
    assert rewrite(*cut(data, at), **options) == rewrite(data, **options)


@given(answer_events(), st.sampled_from(["", WORD]))
def test_no_reasoning_gets_through_and_nothing_else_is_lost(events: list[Json], word: str) -> None:
    raw = b"".join(map(event, events))
    out = rewrite(raw, drop_prefix=word)
    assert SECRET.encode() not in out

    def wanted(block: Json) -> bool:
        # Where a word may stand in front, a blank text before it goes with it.
        return not (word and block["type"] == "text" and not block["text"].strip())

    assert [block for block in messages.assemble(out)["content"] if wanted(block)] == [
        block
        for block in messages.assemble(raw)["content"]
        if block["type"] not in {"thinking", "redacted_thinking"} and wanted(block)
    ]


@given(st.one_of(answers(), noise))
def test_what_comes_out_is_readable_whatever_went_in(data: bytes) -> None:
    decoder, assembler = AnswerDecoder(), Assembler()
    for delta in decoder.feed(rewrite(data)) + decoder.close():
        assembler.feed(delta)
    assert assembler.error is not None or assembler.result() is not None


def test_numbers_are_changed_in_the_bytes_alone() -> None:
    block: Json = {"type": "web_search_tool_result", "index": 9, "content": [{"score": 12345678901234567890123}]}
    events: list[Json] = [
        {"type": "message_start", "message": {"content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "redacted_thinking", "data": "x"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": block},
    ]
    out = rewrite(b"".join(map(event, events)))
    assert json.dumps({**events[3], "index": 0}).encode() in out


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_a_blank_block_in_front_does_not_let_the_word_through(blank: str) -> None:
    raw = answer([blank], [f"{WORD} And", " more."])
    assert said(rewrite(raw, drop_prefix=WORD)) == ["And more."]
    for at in range(1, len(raw), 7):
        assert said(rewrite(raw[:at], raw[at:], drop_prefix=WORD)) == ["And more."]
