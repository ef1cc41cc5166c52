from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.replay.readers.reading import Json, effect_of, lines, sessions, write

from rlmc.errors import UsageError
from rlmc.replay.readers import READERS, find_files, read, sniff
from rlmc.replay.recorded import ReadingFaults

TRACE: Json = {"session": "s", "model": "claude-opus-5-5", "in_total": 10, "in_fresh": 10, "out": 5, "t": 1.0}
CLAUDE: list[Json] = [
    {"type": "user", "sessionId": "c", "timestamp": "2026-05-28T20:00:00Z", "message": {"content": "Go."}},
    {
        "type": "assistant",
        "sessionId": "c",
        "timestamp": "2026-05-28T20:00:02Z",
        "message": {"id": "m", "model": "claude-opus-5-5", "content": "Done.", "usage": {"input_tokens": 10}},
    },
]
CODEX: list[Json] = [
    {"timestamp": "2026-05-28T20:00:00Z", "type": "session_meta", "payload": {"id": "x"}},
    {
        "timestamp": "2026-05-28T20:00:02Z",
        "type": "event_msg",
        "payload": {"type": "token_count", "info": {"last_token_usage": {"input_tokens": 10, "output_tokens": 5}}},
    },
]


@pytest.mark.parametrize(
    ("records", "name"),
    [
        ([TRACE], "trace"),
        (CLAUDE, "claude-code"),
        ([{"type": "queue-operation", "sessionId": "c"}], "claude-code"),
        ([{"type": "summary", "summary": "A", "leafUuid": "u"}], "claude-code"),
        ([{"type": "file-history-snapshot", "messageId": "u", "snapshot": {}}], "claude-code"),
        (CODEX, "codex"),
        ([{"id": "x", "timestamp": "2025-06-01T10:00:00Z", "instructions": None}], "codex"),
        ([{"type": "message", "role": "user", "content": []}], "codex"),
        ([{"type": "thread.started", "thread_id": "x"}], None),
        ([{"role": "user", "content": "Go."}], None),
        ([{"type": "message"}], None),
        (["a,b,c", "1,2,3"], None),
        ([], None),
    ],
)
def test_a_format_is_known_by_what_is_in_the_file(records: list[Json | str], name: str | None) -> None:
    for first in ([], ["", "not json", "[]", "{}"]):
        found = sniff(lines([*first, *records]).split(b"\n"))
        assert (found and found.name) == name


def test_names_do_not_matter(tmp_path: Path) -> None:
    write(tmp_path / ".codex" / "rollout-1.jsonl", *CLAUDE)
    write(tmp_path / "agent-x.jsonl", *CODEX)
    write(tmp_path / "subagents" / "notes.jsonl", TRACE)
    found, faults = sessions(tmp_path)
    assert {calls[0].session for calls in found} == {"c", "x", "s"}
    assert faults == ReadingFaults()


def test_a_file_of_no_known_format_is_a_fault_and_an_empty_one_is_not(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", {"colour": "blue"})
    (tmp_path / "b.jsonl").write_bytes(bytes(range(256)) * 100)
    (tmp_path / "c.jsonl").touch()
    write(tmp_path / "d.jsonl", TRACE)
    found, faults = sessions(tmp_path)
    assert (len(found), faults) == (1, ReadingFaults(files=2))


def test_progress_adds_up_to_the_size_of_what_is_read(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", *CLAUDE)
    write(tmp_path / "b.jsonl", *[TRACE] * 5_000)
    files = find_files([tmp_path], Path("/nonexistent"))
    steps = list[int]()
    assert sum(len(calls) for calls in read(files, effect_of, ReadingFaults(), steps.append)) == 5_001
    assert sum(steps) == sum(path.stat().st_size for path in files)


def test_sessions_come_one_at_a_time(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", *[TRACE | {"session": str(n // 2)} for n in range(40_000)])
    steps = list[int]()
    stream = read(find_files([tmp_path], Path("/nonexistent")), effect_of, ReadingFaults(), steps.append)
    assert len(next(stream)) == 2
    assert sum(steps) < (tmp_path / "a.jsonl").stat().st_size


def test_without_paths_the_clients_own_folders_are_read(tmp_path: Path) -> None:
    a = write(tmp_path / ".claude" / "projects" / "-home-u" / "s.jsonl", *CLAUDE)
    b = write(tmp_path / ".codex" / "sessions" / "2026" / "05" / "28" / "rollout-1.jsonl", *CODEX)
    write(tmp_path / ".claude" / "history.jsonl", TRACE)
    assert set(find_files([], tmp_path)) == {a, b}
    assert find_files([], tmp_path / "somebody-else") == []
    assert all(reader.places for reader in READERS if reader.name != "trace")


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        find_files([tmp_path, tmp_path / "gone.jsonl"], tmp_path)
    assert str(tmp_path / "gone.jsonl") in error.value.message
    assert error.value.hint


def test_a_file_stands_for_itself_whatever_it_is_called(tmp_path: Path) -> None:
    path = write(tmp_path / "session.txt", TRACE)
    assert find_files([path], tmp_path) == [path]
    assert find_files([tmp_path], tmp_path) == []


def test_every_file_once_and_the_oldest_first(tmp_path: Path) -> None:
    paths = [write(tmp_path / "deep" / name, TRACE) for name in ("a.jsonl", "b.jsonl", "c.jsonl")]
    for path, moment in zip(paths, (3_000, 1_000, 2_000), strict=True):
        os.utime(path, (moment, moment))
    (tmp_path / "deep" / "link.jsonl").symlink_to(paths[0])
    (tmp_path / "other").symlink_to(tmp_path / "deep", target_is_directory=True)
    a, b, c = paths
    found = find_files([tmp_path / "deep", tmp_path, a, a], tmp_path)
    assert [path.resolve() for path in found] == [b, c, a]


def test_links_that_go_nowhere_or_round_are_no_end(tmp_path: Path) -> None:
    path = write(tmp_path / "deep" / "a.jsonl", TRACE)
    (tmp_path / "deep" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nothing")
    (tmp_path / "round.jsonl").symlink_to(tmp_path / "round.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    os.mkfifo(tmp_path / "pipe.jsonl")
    faults = ReadingFaults()
    assert find_files([tmp_path], tmp_path, faults) == [path]
    assert faults == ReadingFaults(files=3)


def test_a_file_that_goes_away_or_may_not_be_read_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, locked, good = (write(tmp_path / name, TRACE) for name in ("gone.jsonl", "locked.jsonl", "good.jsonl"))
    files = find_files([tmp_path], tmp_path)
    gone.unlink()
    opened = Path.open

    def refuse(path: Path, *args: object, **fields: object) -> object:
        if path == locked:
            raise PermissionError(path)
        return opened(path, *args, **fields)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(Path, "open", refuse)
    faults = ReadingFaults()
    found = list(read(files, effect_of, faults, lambda _: None))
    assert (len(found), faults) == (1, ReadingFaults(files=2))
    assert good.exists()
