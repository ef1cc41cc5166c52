from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.replay.readers.reading import calls, sessions, write

from rlmc.domain.effect import Effect
from rlmc.replay.recorded import ReadingFaults

T0 = 1_780_000_000


def record(**fields: Any) -> dict[str, Any]:
    """A call that read two files, 40 seconds into a session."""
    known: dict[str, Any] = {
        "src": "made-up",
        "repo": "someone/something",
        "session": "s1",
        "model": "claude-opus-4-6",
        "ts": "2026-05-28T20:27:20.000+00:00",
        "t": 40.0,
        "gap_start_s": 12.5,
        "in_total": 1_000,
        "in_cached": 700,
        "in_cache_write": 290,
        "in_fresh": 10,
        "cw_1h": 200,
        "cache_src": "usage",
        "out": 55,
        "out_src": "usage",
        "latency_s": 3.5,
        "reply": "tool_use",
        "text_chars": 12,
        "n_tools": 2,
        "tools": [{"name": "Read", "cls": "read"}, {"name": "Grep", "cls": "read"}],
        "after": "tool_result",
        "after_errors": 1,
        "sidechain": False,
        "subagent": None,
        "since_user": 3,
    }
    return known | fields


def test_a_record_becomes_a_call(tmp_path: Path) -> None:
    (call,) = calls(write(tmp_path / "t.jsonl", record()))
    assert (call.session, call.thread, call.project) == ("s1", "", "someone/something")
    assert (call.at, call.clock) == ((T0 + 40) * 1_000_000, True)
    assert (call.provider, call.model) == ("anthropic", "claude-opus-4-6")
    assert (call.follows, call.first_of_task, call.errors, call.previous) == ("tool-results", False, 1, None)
    assert (call.input, call.cache_read, call.cache_write_5m, call.cache_write_1h) == (10, 700, 90, 200)
    assert (call.prompt, call.cache, call.output, call.output_estimated) == (1_000, "billed", 55, False)
    assert (call.effect, call.known, call.calls, call.text_chars) == (Effect.READ, True, 2, 12)
    assert (call.latency_s, call.by_draft) == (3.5, False)


@pytest.mark.parametrize(
    ("classes", "effect"),
    [
        (["plan"], Effect.PLAN),
        (["plan", "read"], Effect.READ),
        (["read", "shell_ro"], Effect.SHELL_SAFE),
        (["edit", "shell_ro"], Effect.EDIT),
        (["shell"], Effect.UNSAFE),
        (["mcp"], Effect.UNSAFE),
        (["other", "read"], Effect.UNSAFE),
        (["a class nobody has heard of"], Effect.UNSAFE),
        ([], None),
    ],
)
def test_an_answer_is_as_bad_as_its_worst_call(tmp_path: Path, classes: list[str], effect: Effect | None) -> None:
    (call,) = calls(write(tmp_path / "t.jsonl", record(tools=[{"cls": c} for c in classes])))
    assert (call.effect, call.calls) == (effect, len(classes))


def test_what_an_answer_did_is_what_the_next_results_are_of(tmp_path: Path) -> None:
    edit, read = [{"cls": "edit"}], [{"cls": "read"}]
    found = calls(
        write(
            tmp_path / "t.jsonl",
            record(after="user", since_user=0, tools=read),
            record(t=41.0, ts=None, gap_start_s=1.0, tools=edit),
            record(t=42.0, ts=None, gap_start_s=1.0, tools=[]),
            record(t=43.0, ts=None, gap_start_s=1.0, after="user", since_user=0, tools=edit),
        )
    )
    assert [call.previous for call in found] == [None, Effect.READ, Effect.EDIT, None]


@pytest.mark.parametrize(
    ("after", "since_user", "follows", "first"),
    [
        ("user", 0, "user", True),
        ("user", None, "user", True),
        ("user", 2, "user", False),
        ("tool_result", 0, "tool-results", False),
        ("compact", 5, "compaction", False),
        ("notification", 0, "other", False),
        ("none", 2, "other", False),
        (None, None, "other", False),
    ],
)
def test_what_a_call_comes_after(
    tmp_path: Path, after: str | None, since_user: int | None, follows: str, first: bool
) -> None:
    (call,) = calls(write(tmp_path / "t.jsonl", record(after=after, since_user=since_user)))
    assert (call.follows, call.first_of_task) == (follows, first)


@pytest.mark.parametrize(
    "fields", [{"tools": None, "n_tools": None}, {"reply": "unknown", "tools": []}, {"reply": "thinking_only"}]
)
def test_an_answer_the_record_does_not_tell_is_unknown(tmp_path: Path, fields: dict[str, Any]) -> None:
    (call,) = calls(write(tmp_path / "t.jsonl", record(**fields)))
    assert not call.known


@pytest.mark.parametrize(
    ("source", "cache"), [("usage", "billed"), ("derived_prefix_5m", "derived"), ("none", "none"), (None, "none")]
)
def test_where_the_cache_figures_come_from(tmp_path: Path, source: str | None, cache: str) -> None:
    (call,) = calls(write(tmp_path / "t.jsonl", record(cache_src=source)))
    assert call.cache == cache


def test_an_output_reckoned_from_characters_is_marked(tmp_path: Path) -> None:
    (call,) = calls(write(tmp_path / "t.jsonl", record(out_src="estimated_from_chars")))
    assert call.output_estimated


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("claude-haiku-4-5-20251001", "anthropic"),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", "anthropic"),
        ("anthropic/claude-opus-4.5", "anthropic"),
        ("gpt-5.5", "openai"),
        ("codex-mini-latest", "openai"),
        ("o4-mini", "openai"),
        ("opus-like", "unknown"),
        ("deepseek-chat", "deepseek"),
        ("kimi-k2", "moonshot"),
        ("glm-4.7", "zai"),
    ],
)
def test_a_model_tells_its_provider(tmp_path: Path, model: str, provider: str) -> None:
    (call,) = calls(write(tmp_path / "t.jsonl", record(model=model)))
    assert call.provider == provider


def test_without_a_clock_a_moment_counts_from_the_start(tmp_path: Path) -> None:
    public, private = calls(
        write(tmp_path / "a.jsonl", record(), record(session="s2", ts=None, t=1.25)),
    )
    assert (public.clock, private.clock, private.at) == (True, False, 1_250_000)


def test_a_record_without_a_clock_goes_by_its_session_s_others(tmp_path: Path) -> None:
    first, second = calls(write(tmp_path / "t.jsonl", record(), record(ts=None, t=45.0)))
    assert (second.at - first.at, second.clock) == (5_000_000, True)


def test_parallel_side_chains_of_a_kind_are_told_apart_by_their_gaps(tmp_path: Path) -> None:
    def side(t: float, gap: float | None, fresh: int) -> dict[str, Any]:
        fields = {"sidechain": True, "subagent": "Explore", "t": t, "gap_start_s": gap, "in_fresh": fresh}
        return record(ts=None, **fields)

    (session,), _ = sessions(
        write(
            tmp_path / "t.jsonl",
            record(ts=None, t=0.0, gap_start_s=None),
            side(10.0, None, 1),
            side(10.004, None, 2),
            side(15.004, 5.0, 2),
            side(16.0, 6.0, 1),
            record(ts=None, t=17.0, gap_start_s=17.0),
            side(20.0, 4.0, 1),
            side(21.005, 6.0, 2),  # both moments were rounded
            side(90.0, None, 3),
        )
    )
    threads = {call.input: {c.thread for c in session if c.input == call.input} for call in session}
    assert threads == {10: {""}, 1: {"Explore-1"}, 2: {"Explore-2"}, 3: {"Explore-3"}}


def test_sessions_come_whole_and_in_order_of_time(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.jsonl",
        record(session="a", ts=None, t=9.0),
        record(session="a", ts=None, t=3.0),
        record(session="b", ts=None, t=1.0),
    )
    found, _ = sessions(path)
    assert [[(c.session, c.at) for c in calls] for calls in found] == [
        [("a", 3_000_000), ("a", 9_000_000)],
        [("b", 1_000_000)],
    ]


def test_what_is_no_record_is_counted_and_passed_over(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.jsonl",
        record(),
        "",
        "{",
        "[]",
        b"\xff\xfe\x00",
        record(session=None),
        record(out=-1),
        record(t=1e300),
        '{"session":"s1","model":"m","in_total":' + "[" * 50_000,
        record(in_total=0, in_cached=0, in_cache_write=0, in_fresh=0),
        record(),
    )
    ((first, second),), faults = sessions(path)
    assert (first.prompt, second.prompt) == (1_000, 1_000)
    assert faults == ReadingFaults(broken=7, skipped=1, files=0)


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(changes=st.lists(st.dictionaries(st.sampled_from(sorted(record())), any_json, max_size=4), max_size=5))
def test_records_with_anything_in_them_are_read_or_counted(changes: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.jsonl"
        path.write_text("".join(json.dumps(record(**change)) + "\n" for change in [{}, *changes]))
        found, faults = sessions(path)
    read = sum(len(session) for session in found)
    assert read + faults.broken + faults.skipped == len(changes) + 1
    assert all(call.prompt > 0 for session in found for call in session)
