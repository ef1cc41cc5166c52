from __future__ import annotations

import itertools
import json
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.replay.readers.reading import Json, calls, sessions, write

from rlmc.cascade.draft import clean_draft
from rlmc.domain.chat import Completion, Text
from rlmc.domain.effect import Effect
from rlmc.replay.readers.claude_code import drafted_by_rlmc
from rlmc.replay.recorded import ReadingFaults

USAGE = {
    "input_tokens": 3,
    "cache_read_input_tokens": 900,
    "cache_creation_input_tokens": 97,
    "output_tokens": 60,
    "cache_creation": {"ephemeral_5m_input_tokens": 40, "ephemeral_1h_input_tokens": 57},
}
T0 = 1_780_000_000  # 2026-05-28T20:26:40Z
MINTED = "msg_01a98549f376b5e57b25bcab"


class Transcript:
    """Writes a session's lines, one second apart."""

    def __init__(self, session: str = "11111111-aaaa", **fields: Any) -> None:
        self.lines: list[Json | str | bytes] = []
        self._fields = {
            "sessionId": session,
            "cwd": "/home/u/shop",
            "version": "2.1.330",
            "isSidechain": False,
        } | fields
        self._count = itertools.count()
        self._session = session

    def _add(self, line: Json, at: float | None = None) -> Transcript:
        n = next(self._count)
        seconds = float(n) if at is None else at
        stamp = f"2026-05-28T20:{26 + int(40 + seconds) // 60:02}:{(40 + seconds) % 60:06.3f}Z"
        # The envelope comes last, as in the real files.
        self.lines.append(line | {"uuid": f"{self._session}-{n}", "timestamp": stamp} | self._fields | line)
        return self

    def user(self, content: Any, **fields: Any) -> Transcript:
        return self._add({"type": "user", "message": {"role": "user", "content": content}} | fields)

    def result(self, *ids: str, error: bool = False, **fields: Any) -> Transcript:
        blocks = [{"type": "tool_result", "tool_use_id": i, "content": "…", "is_error": error} for i in ids]
        return self.user(blocks, toolUseResult={"stdout": "…"}, **fields)

    def block(self, message: str, block: Json, usage: Json | None = USAGE, **fields: Any) -> Transcript:
        model = fields.pop("model", "claude-opus-5-5")
        body = {"id": message, "type": "message", "role": "assistant", "model": model, "content": [block]}
        line = {
            "type": "assistant",
            "message": body | ({"usage": usage} if usage else {}),
            "requestId": f"req_{message}",
        }
        return self._add(line | fields)

    def text(self, message: str, text: str = "Done.", **fields: Any) -> Transcript:
        return self.block(message, {"type": "text", "text": text}, **fields)

    def call(self, message: str, call_id: str, name: str = "Read", **fields: Any) -> Transcript:
        arguments = fields.pop("arguments", {"file_path": "/a"})
        return self.block(message, {"type": "tool_use", "id": call_id, "name": name, "input": arguments}, **fields)

    def line(self, **fields: Any) -> Transcript:
        return self._add(fields)

    def at(self, index: int) -> int:
        return (T0 + index) * 1_000_000


def test_lines_of_one_answer_are_one_call(tmp_path: Path) -> None:
    t = Transcript()
    t.user("Where are the fees reckoned?")
    t.block("m1", {"type": "thinking", "thinking": "Let me see.", "signature": "AAAA"})
    t.text("m1", "I will look.")
    t.call("m1", "c1")
    t.call("m1", "c2", "Edit")
    (call,) = calls(write(tmp_path / "s.jsonl", *t.lines))
    assert (call.session, call.thread, call.project) == ("11111111-aaaa", "", "/home/u/shop")
    assert (call.at, call.clock, call.latency_s) == (t.at(0), True, 4.0)
    assert (call.provider, call.model, call.by_draft) == ("anthropic", "claude-opus-5-5", False)
    assert (call.follows, call.first_of_task, call.errors, call.previous) == ("user", True, 0, None)
    assert (call.input, call.cache_read, call.cache_write_5m, call.cache_write_1h) == (3, 900, 40, 57)
    assert (call.cache, call.output, call.output_estimated) == ("billed", 60, False)
    assert (call.effect, call.known, call.calls, call.text_chars) == (Effect.EDIT, True, 2, 12)


def test_a_loop_of_reads_and_edits(tmp_path: Path) -> None:
    t = Transcript()
    t.user("Fix the greeting.").call("m1", "c1").result("c1")
    t.call("m2", "c2", "Edit").call("m2", "c3", "Bash", arguments={"command": "ls -la"}).result("c2").result(
        "c3", error=True
    )
    t.text("m3").user("Thanks, and the farewell?").text("m4")
    found = calls(write(tmp_path / "s.jsonl", *t.lines))
    assert [c.follows for c in found] == ["user", "tool-results", "tool-results", "user"]
    assert [c.first_of_task for c in found] == [True, False, False, True]
    assert [c.effect for c in found] == [Effect.READ, Effect.EDIT, None, None]
    assert [c.previous for c in found] == [None, Effect.READ, Effect.EDIT, None]
    assert [c.errors for c in found] == [0, 0, 1, 0]
    assert [c.at for c in found] == [t.at(i) for i in (0, 2, 6, 8)]


def test_results_between_an_answer_s_blocks_are_the_next_call_s(tmp_path: Path) -> None:
    t = Transcript()
    t.user("Go.").call("m1", "c1", "Edit").result("c1", error=True).call("m1", "c2").result("c2").text("m2")
    first, second = calls(write(tmp_path / "s.jsonl", *t.lines))
    assert (first.calls, first.follows, first.errors, first.latency_s) == (2, "user", 0, 3.0)
    assert (second.follows, second.errors, second.previous, second.at) == ("tool-results", 1, Effect.EDIT, t.at(4))


def test_a_result_without_its_call_may_be_of_anything(tmp_path: Path) -> None:
    t = Transcript().user("Go.").call("m1", "c1").result("some other").text("m2")
    assert calls(write(tmp_path / "s.jsonl", *t.lines))[1].previous is Effect.UNSAFE


def test_output_is_reckoned_from_what_was_written_where_that_is_more(tmp_path: Path) -> None:
    t = Transcript().user("Write.")
    t.text("m1", "x" * 370, usage=USAGE | {"output_tokens": 1})
    t.call(
        "m1", "c1", "Edit", arguments={"file_path": "/a", "new_string": "y" * 3_700}, usage=USAGE | {"output_tokens": 8}
    )
    t.result("c1").text("m2", "x" * 37, usage=USAGE | {"output_tokens": 8}).user("More.").text("m3", "é" * 37)
    long, short, whole = calls(write(tmp_path / "s.jsonl", *t.lines))
    assert long.output_estimated and 1_100 <= long.output <= 1_130
    assert (short.output, short.output_estimated) == (10, True)
    assert (whole.output, whole.output_estimated) == (60, False)


def test_the_last_usage_of_an_answer_counts(tmp_path: Path) -> None:
    t = Transcript().user("Go.")
    t.text("m1", usage=USAGE | {"output_tokens": 2, "cache_read_input_tokens": 1})
    t.call("m1", "c1", usage=USAGE | {"output_tokens": 300})
    t.text("m1", "And on.", usage={"input_tokens": 0, "output_tokens": 0})
    (call,) = calls(write(tmp_path / "s.jsonl", *t.lines))
    assert (call.cache_read, call.output) == (900, 300)


def test_an_answer_written_again_as_it_grows_counts_once(tmp_path: Path) -> None:
    t = Transcript().user("Go.").text("m1", "I will look.").text("m1", "I will look.").call("m1", "c1").call("m1", "c1")
    (call,) = calls(write(tmp_path / "s.jsonl", *t.lines))
    assert (call.calls, call.text_chars) == (1, 12)


def test_writes_without_a_split_are_short_ones(tmp_path: Path) -> None:
    t = Transcript().user("Go.")
    t.text("m1", usage={"input_tokens": 5, "cache_creation_input_tokens": 70, "output_tokens": 9})
    t.user("Go on.").text("m2", usage={"input_tokens": 5, "output_tokens": 9})
    split, plain = calls(write(tmp_path / "s.jsonl", *t.lines))
    assert (split.cache_write_5m, split.cache_write_1h, split.cache) == (70, 0, "billed")
    assert (plain.prompt, plain.cache) == (5, "none")


@pytest.mark.parametrize(
    ("content", "fields", "follows"),
    [
        ("Do it.", {}, "user"),
        ([{"type": "text", "text": "Do it."}], {}, "user"),
        ([{"type": "image", "source": {}}], {}, "user"),
        ("Do it.", {"isMeta": True}, "other"),
        ("<system-reminder>\nmind the tests\n</system-reminder>", {}, "other"),
        ("<task-notification>\n<task-id>1</task-id>", {}, "other"),
        ("[SYSTEM NOTIFICATION - NOT USER INPUT] an agent is done", {}, "other"),
        ([{"type": "text", "text": "[Request interrupted by user]"}], {}, "other"),
        ("<bash-input>git status</bash-input>", {}, "other"),
        ("<local-command-stdout>Set model to opus</local-command-stdout>", {}, "other"),
        ("This session is continued from another.", {"isCompactSummary": True}, "compaction"),
    ],
)
def test_what_stands_under_the_user_s_name(tmp_path: Path, content: Any, fields: Json, follows: str) -> None:
    t = Transcript().user(content, **fields).text("m1")
    (call,) = calls(write(tmp_path / "s.jsonl", *t.lines))
    assert (call.follows, call.first_of_task) == (follows, follows == "user")


def test_a_command_that_prints_ran_locally_and_one_that_does_not_is_a_prompt(tmp_path: Path) -> None:
    command = "<command-name>/review</command-name>\n<command-message>review</command-message>"
    local, prompt = Transcript("local"), Transcript("prompt")
    local.user(command).user("<local-command-stdout></local-command-stdout>").text("m1")
    prompt.user(command).user("Review the changes.", isMeta=True).text("m2")
    write(tmp_path / "local.jsonl", *local.lines)
    write(tmp_path / "prompt.jsonl", *prompt.lines)
    assert {c.session: c.follows for c in calls(tmp_path)} == {"local": "other", "prompt": "user"}


def test_after_a_compaction_the_results_are_gone(tmp_path: Path) -> None:
    t = Transcript().user("Go.").call("m1", "c1", "Edit").result("c1", error=True)
    t.line(type="system", subtype="compact_boundary", content="Conversation compacted")
    t.user("The story so far.", isCompactSummary=True, isVisibleInTranscriptOnly=True).text("m2")
    after = calls(write(tmp_path / "s.jsonl", *t.lines))[1]
    assert (after.follows, after.errors, after.previous) == ("compaction", 0, None)


def test_the_client_s_own_answers_are_no_calls(tmp_path: Path) -> None:
    t = Transcript().user("Go.")
    t.text("m1", "API Error: 529", isApiErrorMessage=True).text("m2", "You've hit a limit.", model="<synthetic>")
    t.text("m3", usage=None).user("Go on.").text("m4")
    (session,), faults = sessions(write(tmp_path / "s.jsonl", *t.lines))
    assert [c.first_of_task for c in session] == [True]
    assert faults == ReadingFaults(skipped=3)


def test_an_answer_cut_off_while_thinking_is_unknown(tmp_path: Path) -> None:
    t = Transcript().user("Go.").block("m1", {"type": "thinking", "thinking": "Well", "signature": "A"})
    (call,) = calls(write(tmp_path / "s.jsonl", *t.lines))
    assert (call.known, call.effect) == (False, None)


def test_a_clock_that_went_backwards_leaves_no_latency_below_zero(tmp_path: Path) -> None:
    t = (
        Transcript()
        .user("Go.", timestamp="2027-01-01T00:00:00Z")
        .text("m1")
        .user("Go on.", timestamp="soon")
        .text("m2")
    )
    found = calls(write(tmp_path / "s.jsonl", *t.lines))
    assert [(c.at, c.latency_s) for c in found] == [(t.at(1), 0.0), (t.at(3), 0.0)]


def test_sub_agents_are_threads_of_their_session(tmp_path: Path) -> None:
    main, agent, old = (
        Transcript(),
        Transcript(isSidechain=True, agentId="a1"),
        Transcript(isSidechain=True, agentId="b2"),
    )
    main.user("Delegate it.").call("m1", "c1", "Agent").result("c1").text("m2")
    agent.user("List the files.", uuid="x1").text("m3", uuid="x2").user("And now?", uuid="x5").text("m5", uuid="x6")
    old.user("Search.", uuid="x3").text("m4", uuid="x4")
    write(tmp_path / "11111111-aaaa.jsonl", *main.lines)
    write(tmp_path / "11111111-aaaa" / "subagents" / "deep" / "agent-a1.jsonl", *agent.lines)
    write(tmp_path / "agent-b2.jsonl", *old.lines)
    found, faults = sessions(tmp_path)
    (session,) = found
    assert {(c.thread, c.first_of_task) for c in session} == {("", True), ("", False), ("a1", True), ("b2", True)}
    assert [c.at for c in session] == sorted(c.at for c in session)
    assert {c.session for c in session} == {"11111111-aaaa"}
    assert faults == ReadingFaults()


def test_side_chains_without_ids_hang_together_by_their_parents(tmp_path: Path) -> None:
    t = Transcript().user("Delegate it.", uuid="u").call("m1", "c1", "Task", uuid="v", parentUuid="u")
    for root, child in (("p", "q"), ("r", "s")):
        t.user("Sub-task.", uuid=root, parentUuid=None, isSidechain=True)
        t.text(f"m-{child}", uuid=child, parentUuid=root, isSidechain=True)
    t.text("m-again", uuid="z", parentUuid="q", isSidechain=True)
    found = calls(write(tmp_path / "s.jsonl", *t.lines))
    assert [c.thread for c in found] == ["", "p", "r", "p"]


def test_a_session_that_goes_on_from_another_is_counted_once(tmp_path: Path) -> None:
    t = Transcript("first").user("Go.").call("m1", "c1").result("c1").text("m2")
    copied = [line | {"sessionId": "second"} for line in t.lines if isinstance(line, dict)]
    more = Transcript("second").user("Go on.", timestamp="2026-05-29T08:00:00Z").call("m3", "c3")
    old, new = write(tmp_path / "zz.jsonl", *t.lines), write(tmp_path / "aa.jsonl", *copied, *more.lines)
    os.utime(old, (1_000, 1_000))
    os.utime(new, (2_000, 2_000))
    found, faults = sessions(tmp_path)
    assert [[c.session for c in session] for session in found] == [["first", "first"], ["second"]]
    (resumed,) = found[1]
    assert (resumed.follows, resumed.previous, resumed.calls) == ("user", None, 1)
    assert faults == ReadingFaults()


def test_lines_repeated_in_one_file_are_read_once(tmp_path: Path) -> None:
    t = Transcript().user("Go.").call("m1", "c1").result("c1", error=True).text("m2")
    again = (
        Transcript("more").user("Go on.", timestamp="2026-05-29T08:00:00Z").text("m3", timestamp="2026-05-29T08:00:02Z")
    )
    found = calls(write(tmp_path / "s.jsonl", *t.lines, *t.lines, *again.lines))
    assert [(c.follows, c.errors) for c in found] == [("user", 0), ("tool-results", 1), ("user", 0)]


def test_half_a_character_does_not_cost_a_line(tmp_path: Path) -> None:
    t = Transcript().user("Go.").call("m1", "c1").text("m1", "party \U0001f389 and \\ud83d")
    cut = json.dumps(Transcript().result("c1").lines[0]).replace("…", "\\ud83d").replace("\\u2026", "\\ud83d")
    t.lines.append(cut.replace("-0", "-9"))
    t.text("m2")
    (session,), faults = sessions(write(tmp_path / "s.jsonl", *t.lines))
    assert [c.follows for c in session] == ["user", "tool-results"]
    assert faults == ReadingFaults()


def test_lines_of_other_kinds_and_broken_ones(tmp_path: Path) -> None:
    t = Transcript()
    t.line(type="queue-operation", operation="enqueue", content="Go.").line(type="summary", summary="A", leafUuid="x")
    t.user("Go.").line(type="attachment", attachment={"type": "date"}).line(type="progress", data={"message": "…"})
    t.text("m1").line(type="system", subtype="turn_duration").line(type="from-the-future", message=[1, 2, 3])
    t.lines += ["not json", b"\x00\x00\x00", '{"type":"user"}', '{"type":"assistant","message":' + "[" * 90_000, "{}"]
    (session,), faults = sessions(write(tmp_path / "s.jsonl", *t.lines))
    assert len(session) == 1
    assert faults == ReadingFaults(broken=4)


def test_the_recogniser_knows_what_rlmc_mints() -> None:
    turn: Any = SimpleNamespace(nonce="0123456789abcdef")  # all that ids are minted from
    draft = clean_draft(Completion("some-model", (Text("There it is."),), "end_turn", None), turn)
    assert drafted_by_rlmc(draft.id, "deepseek-chat")
    # Text that was streamed while it was written has its turn's id: the time in 14 digits, and 8 at random.
    assert drafted_by_rlmc(f"msg_01{1_795_661_338_566_000:014x}{'0f' * 4}", "sim/draft")


@pytest.mark.parametrize(
    ("message_id", "model", "asked", "request_id", "drafted"),
    [
        (MINTED, "deepseek-chat", None, None, True),
        (MINTED, "claude-haiku-4-5", "claude-opus-5-5", None, True),
        (MINTED, "claude-haiku-4-5", None, "req_rlmc_0661252646d68c7817fedd", True),
        # Another gateway may mint such ids for what it passes on.
        (MINTED, "claude-opus-5-5", "claude-opus-5-5", "req_011C441d217eb573427abcbb", False),
        (MINTED, "claude-opus-5-5-20261001", "claude-opus-5-5", None, False),
        (MINTED, "claude-opus-5-5", "claude-opus-5-5[1m]", None, False),
        (MINTED, "claude-opus-5-5", None, None, False),
        # The verify model's own answer, and other models behind other gateways.
        ("msg_01XFDUDYJgAACzvnptvVoYEL", "claude-opus-5-5", "claude-opus-5-5", "req_rlmc_0661252646d68c7817", False),
        ("msg_01XFDUDYJgAACzvnptvVoYEL", "deepseek-chat", None, None, False),
        ("chatcmpl-12ab", "deepseek-chat", None, None, False),
        (MINTED.upper(), "deepseek-chat", None, None, False),
        (MINTED + "a", "deepseek-chat", None, None, False),
        ("", "", None, None, False),
    ],
)
def test_a_drafted_answer_is_known_by_its_ids_and_its_model(
    message_id: str, model: str, asked: str | None, request_id: str | None, drafted: bool
) -> None:
    assert drafted_by_rlmc(message_id, model, asked, request_id) is drafted


def test_drafted_answers_are_marked(tmp_path: Path) -> None:
    t = Transcript().user("Where?").text(MINTED, model="deepseek-chat").user("And?").text("msg_01QZ")
    found = calls(write(tmp_path / "s.jsonl", *t.lines))
    assert [(c.by_draft, c.provider) for c in found] == [(True, "deepseek"), (False, "anthropic")]


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
LINE_FIELDS = ["type", "uuid", "parentUuid", "timestamp", "sessionId", "isSidechain", "agentId", "message", "requestId"]
MESSAGE_FIELDS = ["id", "model", "content", "usage", "role"]
strange_lines = st.one_of(
    st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"")),
    st.dictionaries(st.sampled_from(LINE_FIELDS), any_json, max_size=5).map(json.dumps),
    st.builds(
        lambda kind, message: {"type": kind, "message": message},
        st.sampled_from(["user", "assistant"]),
        st.dictionaries(st.sampled_from(MESSAGE_FIELDS), any_json, max_size=4),
    ),
)


@given(junk=st.lists(strange_lines, max_size=8))
def test_junk_between_the_lines_never_raises(junk: list[Any]) -> None:
    t = Transcript().user("Go.").text("m-first")
    last = Transcript("later", isSidechain=True, agentId="own").user("Go on.").text("m-last")
    with tempfile.TemporaryDirectory() as folder:
        found = calls(write(Path(folder) / "s.jsonl", *t.lines, *junk, *last.lines))
    # Junk may end an answer early or be one, but what stands in a thread of its own it does not touch.
    assert sum(c.thread == "own" for c in found) == 1


@given(
    blocks=st.lists(st.integers(min_value=1, max_value=4), min_size=1, max_size=6),
    keys=st.data(),
)
def test_however_an_answer_is_split_over_lines_it_is_one_call(blocks: list[int], keys: st.DataObject) -> None:
    whole, split = Transcript(), Transcript()
    for n, count in enumerate(blocks):
        content = [{"type": "tool_use", "id": f"c{n}.{i}", "name": "Read", "input": {"n": i}} for i in range(count)]
        for t in (whole, split):
            t.user(f"Task {n}.", timestamp=f"2026-05-28T21:{n:02}:00Z")
        body = {"id": f"m{n}", "model": "claude-opus-5-5", "usage": USAGE}
        ends = {"type": "assistant", "timestamp": f"2026-05-28T21:{n:02}:07Z"}
        whole.line(**ends, message=body | {"content": content})
        cut = keys.draw(st.integers(min_value=0, max_value=count))
        for part in (content[:cut], content[cut:]):
            split.line(**ends, message=body | {"content": part})
    with tempfile.TemporaryDirectory() as folder:
        one = calls(write(Path(folder) / "one.jsonl", *whole.lines))
        several = calls(write(Path(folder) / "several.jsonl", *split.lines))
    assert one == several
    assert [c.calls for c in one] == blocks
