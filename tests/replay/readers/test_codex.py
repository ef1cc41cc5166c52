from __future__ import annotations

import itertools
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.replay.readers.reading import Json, calls, sessions, write

from rlmc.domain.effect import Effect
from rlmc.replay.recorded import ReadingFaults

T0 = 1_780_000_000  # 2026-05-28T20:26:40Z
PASSED = "Chunk ID: d1\nWall time: 0.1 seconds\nProcess exited with code 0\nOutput:\nhello"


def tokens(given: int, cached: int = 0, output: int = 0, written: int = 0) -> Json:
    return {
        "input_tokens": given,
        "cached_input_tokens": cached,
        "cache_write_input_tokens": written,
        "output_tokens": output,
        "reasoning_output_tokens": 0,
        "total_tokens": given + output,
    }


class Rollout:
    """Writes a thread's lines, one second apart. `total` is what the thread has used so far."""

    def __init__(self, thread: str = "t-1", **meta: Any) -> None:
        self.lines: list[Json | str | bytes] = []
        self.thread = thread
        self.total = [0, 0, 0]
        self._count = itertools.count()
        self.add("session_meta", id=thread, cwd="/home/u/shop", model_provider="openai", **meta)
        self.add("turn_context", model="gpt-5.2-codex", cwd="/home/u/shop")

    def add(self, kind: str, at: str | None = None, **payload: Any) -> Rollout:
        n = next(self._count)
        stamp = at or f"2026-05-28T20:{26 + (40 + n) // 60:02}:{(40 + n) % 60:02}.000Z"
        self.lines.append({"timestamp": stamp, "ordinal": n, "type": kind, "payload": payload})
        return self

    def user(self, text: str) -> Rollout:
        content = [{"type": "input_text", "text": text}]
        return self.add("response_item", type="message", role="user", content=content)

    def says(self, text: str = "Done.") -> Rollout:
        content = [{"type": "output_text", "text": text, "annotations": []}]
        return self.add("response_item", type="message", role="assistant", content=content)

    def calls(self, call_id: str, name: str = "exec_command", arguments: Any = None, **fields: Any) -> Rollout:
        text = json.dumps({"cmd": "ls -la"} if arguments is None else arguments)
        return self.add("response_item", type="function_call", name=name, arguments=text, call_id=call_id, **fields)

    def result(self, call_id: str, output: Any = PASSED) -> Rollout:
        return self.add("response_item", type="function_call_output", call_id=call_id, output=output)

    def _more(self, given: int, cached: int, output: int) -> tuple[Json, Json]:
        self.total = [a + b for a, b in zip(self.total, (given, cached, output), strict=True)]
        return tokens(given, cached, output), tokens(*self.total)

    def counts(self, given: int, cached: int = 0, output: int = 20, at: str | None = None) -> Rollout:
        """A usage event, as the only word of it."""
        last, total = self._more(given, cached, output)
        info = {"last_token_usage": last, "total_token_usage": total, "model_context_window": 258_400}
        return self.add("event_msg", at, type="token_count", info=info, rate_limits={"primary": None})

    def bills(self, response: str, given: int, cached: int = 0, output: int = 20) -> Rollout:
        usage, total = self._more(given, cached, output)
        ids = {"thread_id": self.thread, "response_id": response}
        return self.add("token_usage_record", **ids, usage=usage, thread_token_usage=total)

    def echoes(self, given: int, cached: int = 0, output: int = 20) -> Rollout:
        """The same usage once more, as an event."""
        info = {"last_token_usage": tokens(given, cached, output), "total_token_usage": tokens(*self.total)}
        return self.add("event_msg", type="token_count", info=info)

    def at(self, index: int) -> int:
        return (T0 + index) * 1_000_000


def test_the_items_up_to_a_usage_are_one_call(tmp_path: Path) -> None:
    t = Rollout().user("Where are the fees reckoned?")
    t.add("response_item", type="reasoning", summary=[], encrypted_content="AAAA")
    t.says("I will look.").calls("c1").calls("c2", "apply_patch", {"patch": "…"}).counts(1_000, 600, 80)
    (call,) = calls(write(tmp_path / "r.jsonl", *t.lines))
    assert (call.session, call.thread, call.project) == ("t-1", "", "/home/u/shop")
    assert (call.at, call.clock, call.latency_s) == (t.at(2), True, 4.0)
    assert (call.provider, call.model, call.by_draft) == ("openai", "gpt-5.2-codex", False)
    assert (call.follows, call.first_of_task, call.errors, call.previous) == ("user", True, 0, None)
    assert (call.input, call.cache_read, call.cache_write_5m, call.cache_write_1h) == (400, 600, 0, 0)
    assert (call.cache, call.output, call.output_estimated) == ("billed", 80, False)
    assert (call.effect, call.known, call.calls, call.text_chars) == (Effect.EDIT, True, 2, 12)


def test_usage_told_twice_counts_once(tmp_path: Path) -> None:
    t = Rollout().user("Fix the greeting.")
    t.says("Looking.").calls("c1").bills("r1", 100).result("c1").echoes(100).echoes(100)
    t.calls("c2").bills("r2", 100).result("c2", "Process exited with code 2\nOutput:\n").echoes(100)
    t.says().bills("r3", 130, 90).echoes(130, 90)
    first, second, third = calls(write(tmp_path / "r.jsonl", *t.lines))
    assert [c.follows for c in (first, second, third)] == ["user", "tool-results", "tool-results"]
    assert [c.previous for c in (first, second, third)] == [None, Effect.SHELL_SAFE, Effect.SHELL_SAFE]
    assert [c.errors for c in (first, second, third)] == [0, 0, 1]
    assert (third.input, third.cache_read, third.at) == (40, 90, t.at(11))


def test_in_older_versions_usage_comes_after_the_results(tmp_path: Path) -> None:
    t = Rollout().user("Fix it.").calls("c1").result("c1").calls("c2").result("c2", "Error: no such tool").counts(100)
    t.says().counts(150).echoes(150)
    first, second = calls(write(tmp_path / "r.jsonl", *t.lines))
    assert (first.calls, first.follows, first.latency_s) == (2, "user", 3.0)
    assert (second.follows, second.errors, second.previous) == ("tool-results", 1, Effect.SHELL_SAFE)


def test_two_calls_of_the_same_size_are_two(tmp_path: Path) -> None:
    t = Rollout().user("Go.").calls("c1").counts(100).result("c1").calls("c2").counts(100)
    assert len(calls(write(tmp_path / "r.jsonl", *t.lines))) == 2


def test_totals_alone_tell_what_came_on_top(tmp_path: Path) -> None:
    t = Rollout()
    for n, (fed, cached, output) in enumerate([(100, 0, 10), (300, 80, 25), (50, 0, 5)]):
        t.user("Go on.").says(f"Answer {n}.")
        t.add("event_msg", type="token_count", info={"total_token_usage": tokens(fed, cached, output)})
    found = calls(write(tmp_path / "r.jsonl", *t.lines))
    # The last total is below the one before: the thread began to count anew.
    assert [(c.input, c.cache_read, c.output) for c in found] == [(100, 0, 10), (120, 80, 15), (50, 0, 5)]


def test_what_went_into_a_cache_is_part_of_the_prompt(tmp_path: Path) -> None:
    t = Rollout().user("Go.").says()
    t.add("token_usage_record", thread_id="t-1", response_id="r1", usage=tokens(1_000, 300, 20, written=600))
    (call,) = calls(write(tmp_path / "r.jsonl", *t.lines))
    assert (call.input, call.cache_read, call.cache_write_5m, call.prompt) == (100, 300, 600, 1_000)


def test_usage_without_an_answer_is_a_call_nothing_is_known_of(tmp_path: Path) -> None:
    t = Rollout().user("Go.").bills("compact", 900).add("compacted", message="").says().bills("r1", 200)
    summary, answer = calls(write(tmp_path / "r.jsonl", *t.lines))
    assert (summary.known, summary.follows, summary.first_of_task, summary.prompt) == (False, "other", False, 900)
    assert (answer.known, answer.follows) == (True, "user")


def test_an_estimate_after_a_compaction_is_no_call(tmp_path: Path) -> None:
    t = Rollout().user("Go.").calls("c1").counts(500).result("c1").add("compacted", message="The story so far.")
    info = {"last_token_usage": {"total_tokens": 90}, "total_token_usage": tokens(*t.total)}
    t.add("event_msg", type="token_count", info=info).says().counts(120)
    first, second = calls(write(tmp_path / "r.jsonl", *t.lines))
    assert (first.prompt, second.prompt) == (500, 120)
    assert (second.follows, second.previous) == ("compaction", None)


@pytest.mark.parametrize(
    ("text", "follows"),
    [
        ("Fix it.", "user"),
        ("<question>why?</question>", "user"),
        ("<environment_context>\n<cwd>/a</cwd>", "other"),
        ("# AGENTS.md instructions for /a", "other"),
        ("<user_instructions>be brief", "other"),
        ("<turn_aborted>", "other"),
        ("<subagent_notification>{}", "other"),
        ("  ", "other"),
    ],
)
def test_what_stands_under_the_user_s_name(tmp_path: Path, text: str, follows: str) -> None:
    t = Rollout().user(text).says().counts(100)
    (call,) = calls(write(tmp_path / "r.jsonl", *t.lines))
    assert (call.follows, call.first_of_task) == (follows, follows == "user")


@pytest.mark.parametrize(
    "event",
    [
        {"type": "user_message", "message": "Go."},
        {"type": "item_completed", "item": {"type": "UserMessage", "id": "i"}},
    ],
)
def test_events_tell_of_the_user_too(tmp_path: Path, event: Json) -> None:
    t = Rollout().add("event_msg", **event).says().counts(100)
    (call,) = calls(write(tmp_path / "r.jsonl", *t.lines))
    assert call.first_of_task


def test_an_answer_whose_usage_never_came_is_passed_over(tmp_path: Path) -> None:
    t = Rollout().user("Go.").says("Half an ans").add("event_msg", type="turn_aborted", reason="interrupted")
    t.user("Go on.").calls("c1", "apply_patch").counts(100).result("c1").says("And then")
    (session,), faults = sessions(write(tmp_path / "r.jsonl", *t.lines))
    assert [(c.effect, c.text_chars, c.first_of_task) for c in session] == [(Effect.EDIT, 0, True)]
    assert faults == ReadingFaults(skipped=2)


@pytest.mark.parametrize(
    ("output", "failed"),
    [
        (PASSED, False),
        ("Exit code: 0\nWall time: 1 seconds\nOutput:\nError: exit code: 1", False),
        ("Exit code: 101\nWall time: 1 seconds\nOutput:\nok", True),
        ("Chunk ID: 1\nWall time: 1.0 seconds\nProcess exited with code -1\nOutput:\n", True),
        (json.dumps({"output": "x" * 2_000, "metadata": {"exit_code": 1, "duration_seconds": 0.1}}), True),
        (json.dumps({"output": "exit code: 0", "metadata": {"exit_code": 0}}), False),
        ("failed to parse function arguments: missing field", True),
        ("exec_command failed: no such file", True),
        ("apply_patch verification failed: no such context", True),
        ("err: no server", True),
        ("Plan updated", False),
        ("errors.py: 3 matches", False),
        ([{"type": "input_text", "text": "Script failed\nOutput:\n"}], True),
        ([{"type": "input_text", "text": "Script completed\nOutput:\nError: none"}], False),
        ([{"type": "input_image", "image_url": "data:"}], False),
        ({"content": "no", "success": False}, True),
        ({"content": "yes", "success": True}, False),
        ("", False),
        (None, False),
    ],
)
def test_what_a_result_begins_with_says_whether_it_failed(tmp_path: Path, output: Any, failed: bool) -> None:
    t = Rollout().user("Go.").calls("c1").counts(100).result("c1", output).says().counts(120)
    assert calls(write(tmp_path / "r.jsonl", *t.lines))[1].errors == failed


@pytest.mark.parametrize(
    ("item", "effect"),
    [
        ({"type": "function_call", "name": "update_plan", "arguments": "{}"}, Effect.PLAN),
        ({"type": "function_call", "name": "Read", "namespace": "mcp__notes", "arguments": "{}"}, Effect.UNSAFE),
        ({"type": "custom_tool_call", "name": "apply_patch", "input": '*** Begin Patch\n"'}, Effect.EDIT),
        ({"type": "local_shell_call", "action": {"type": "exec", "command": ["ls"]}}, Effect.SHELL_SAFE),
        ({"type": "web_search_call", "action": {"type": "search", "query": "x"}}, Effect.UNSAFE),
        ({"type": "tool_search_call", "arguments": {"query": "x"}}, Effect.UNSAFE),
        ({"type": "function_call", "name": "shell"}, Effect.UNSAFE),
    ],
)
def test_calls_of_every_kind_are_classed(tmp_path: Path, item: Json, effect: Effect) -> None:
    t = Rollout().user("Go.").add("response_item", **item, call_id="c1").counts(100)
    (call,) = calls(write(tmp_path / "r.jsonl", *t.lines))
    assert (call.effect, call.calls, call.known) == (effect, 1, True)


def test_model_and_folder_may_change_on_the_way(tmp_path: Path) -> None:
    t = Rollout().user("Go.").says().counts(100)
    t.add("turn_context", model="o3", cwd="/b").user("Go on.").says().counts(200)
    settings = {"model": "house-model", "cwd": "/c"}
    t.add("event_msg", type="thread_settings_applied", thread_settings=settings).user("Go on.").says().counts(300)
    found = calls(write(tmp_path / "r.jsonl", *t.lines))
    assert [(c.model, c.provider, c.project) for c in found] == [
        ("gpt-5.2-codex", "openai", "/home/u/shop"),
        ("o3", "openai", "/b"),
        ("house-model", "openai", "/c"),
    ]


def parent() -> Rollout:
    return Rollout("parent").user("Go.").calls("c1").counts(100).result("c1").says().counts(150, 90)


def copied(t: Rollout, at: str = "2026-05-29T08:00:00.100Z") -> list[Json | str | bytes]:
    return [line | {"timestamp": at} for line in t.lines if isinstance(line, dict)]


@pytest.mark.parametrize("parent_first", [True, False])
def test_a_fork_s_copy_of_its_parent_counts_once(tmp_path: Path, parent_first: bool) -> None:
    t, fork = parent(), Rollout("fork", forked_from_id="parent")
    fork.total = list(t.total)
    own, fork.lines = copied(fork), []
    fork.add("event_msg", "2026-05-29T08:00:05Z", type="task_started").user("Another way.").says().counts(170, 150)
    later = [
        line | {"timestamp": f"2026-05-29T08:00:{n + 10}Z"}
        for n, line in enumerate(fork.lines)
        if isinstance(line, dict)
    ]
    files = [write(tmp_path / "a.jsonl", *t.lines), write(tmp_path / "b.jsonl", *own, *copied(t), *later)]
    for moment, path in enumerate(files if parent_first else reversed(files), 1):
        os.utime(path, (moment, moment))
    found, _ = sessions(tmp_path)
    assert sorted((c.session, c.prompt) for session in found for c in session) == [
        ("fork", 170),
        ("parent", 100),
        ("parent", 150),
    ]


@pytest.mark.parametrize("parent_first", [True, False])
def test_a_slow_copy_is_known_by_its_totals(tmp_path: Path, parent_first: bool) -> None:
    t = parent()
    slow = copied(Rollout("fork", forked_from_id="parent")) + copied(t, "2026-05-29T08:09:00Z")
    files = [write(tmp_path / "a.jsonl", *t.lines), write(tmp_path / "b.jsonl", *slow)]
    for moment, path in enumerate(files if parent_first else reversed(files), 1):
        os.utime(path, (moment, moment))
    assert [c.prompt for c in calls(tmp_path)] == [100, 150]


@pytest.mark.parametrize("parent_first", [True, False])
def test_a_copied_record_names_its_thread(tmp_path: Path, parent_first: bool) -> None:
    t = Rollout("parent").user("Go.").says().bills("r1", 100)
    fork = Rollout("fork", forked_from_id="parent")
    fork.lines += [line for line in t.lines if isinstance(line, dict)]
    fork.user("Another way.").says().bills("r2", 140)
    files = [write(tmp_path / "a.jsonl", *t.lines), write(tmp_path / "b.jsonl", *fork.lines)]
    for moment, path in enumerate(files if parent_first else reversed(files), 1):
        os.utime(path, (moment, moment))
    assert sorted((c.session, c.prompt) for c in calls(tmp_path)) == [("fork", 140), ("parent", 100)]


def test_a_sub_agent_s_inherited_history_is_not_its_own(tmp_path: Path) -> None:
    t = Rollout("child", subagent_history_start_ordinal="5")
    t.user("The parent's words.").calls("p1").counts(5_000_000)
    t.user("The child's task.").says().counts(300)
    (call,) = calls(write(tmp_path / "r.jsonl", *t.lines))
    assert (call.prompt, call.calls, call.first_of_task) == (300, 0, True)


def test_the_same_thread_in_two_folders_counts_once(tmp_path: Path) -> None:
    for folder in ("sessions", "archived_sessions"):
        write(tmp_path / folder / "r.jsonl", *parent().lines)
    assert len(calls(tmp_path)) == 2


def test_the_oldest_form_tells_no_usage(tmp_path: Path) -> None:
    path = write(
        tmp_path / "r.jsonl",
        {"id": "old", "timestamp": "2025-06-01T10:00:00Z", "instructions": None},
        {"record_type": "state"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Go."}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Done."}]},
    )
    assert sessions(path) == ([], ReadingFaults(skipped=1))


def test_lines_of_other_kinds_and_broken_ones(tmp_path: Path) -> None:
    t = (
        Rollout()
        .add("world_state", full=True, state={})
        .user("Go.")
        .add("from_the_future", answer=42)
        .says()
        .counts(100)
    )
    t.add("event_msg", type="token_count", info=None).add("event_msg", type="agent_message", message="Done.")
    t.lines += ["{", b"\xff", "[]", {"type": "response_item", "payload": 7}, {"type": "event_msg", "payload": None}]
    (session,), faults = sessions(write(tmp_path / "r.jsonl", *t.lines))
    assert len(session) == 1
    assert faults == ReadingFaults(broken=5)


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
PAYLOAD_FIELDS = ["type", "role", "content", "name", "arguments", "output", "info", "item", "usage", "id", "model"]
KINDS = ["session_meta", "response_item", "event_msg", "turn_context", "compacted", "token_usage_record", "message"]
strange_lines = st.one_of(
    st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"")),
    st.builds(
        lambda kind, payload: {"timestamp": "2026-05-28T21:00:00Z", "type": kind, "payload": payload},
        st.sampled_from(KINDS),
        any_json | st.dictionaries(st.sampled_from(PAYLOAD_FIELDS), any_json, max_size=5),
    ),
    st.builds(
        lambda kind, usage: {"type": "event_msg", "payload": {"type": kind, "info": {"last_token_usage": usage}}},
        st.sampled_from(["token_count", "item_completed"]),
        any_json | st.dictionaries(st.sampled_from(sorted(tokens(0))), st.integers() | st.none()),
    ),
)


@given(junk=st.lists(strange_lines, max_size=8))
def test_junk_between_the_lines_never_raises(junk: list[Any]) -> None:
    t = Rollout().user("Go.").says().bills("first", 100)
    last = Rollout().user("Go on.").says("The last words.").bills("last", 4_321)
    with tempfile.TemporaryDirectory() as folder:
        found, _ = sessions(write(Path(folder) / "r.jsonl", *t.lines, *junk, *last.lines[2:]))
    prompts = [call.prompt for session in found for call in session]
    assert {100, 4_321} <= set(prompts)
    assert min(prompts) > 0


@given(shape=st.lists(st.tuples(st.integers(1, 3), st.booleans()), min_size=1, max_size=6))
def test_wherever_the_results_stand_a_call_is_the_same(shape: list[tuple[int, bool]]) -> None:
    """Results before the usage, as older versions write them, or after it, as newer ones do."""
    t, prompts = Rollout().user("Go."), []
    for n, (count, after) in enumerate(shape):
        ids = [f"c{n}.{i}" for i in range(count)]
        for call_id in ids:
            t.calls(call_id)
        results = [lambda i=i: t.result(i) for i in ids]
        usage = [lambda n=n: t.counts(1_000 + n)]
        for step in usage + results if after else results + usage:
            step()
        prompts.append(1_000 + n)
    with tempfile.TemporaryDirectory() as folder:
        found = calls(write(Path(folder) / "r.jsonl", *t.lines))
    assert [(c.calls, c.prompt) for c in found] == [(count, p) for (count, _), p in zip(shape, prompts, strict=True)]
    assert [c.follows for c in found] == ["user"] + ["tool-results"] * (len(shape) - 1)
