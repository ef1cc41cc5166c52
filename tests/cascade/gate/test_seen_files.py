"""What a conversation shows of a file, against what a file with the same history really holds."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.coding import Session, numbered
from tests.support.playbook import system, user
from tests.support.strategies import chat_requests

from rlmc.cascade.gate.seen_files import SeenFile, Stretch, seen_file, seen_paths
from rlmc.domain.chat import ChatRequest, Message, ToolCall, ToolResult

PATH = "/project/src/greet.py"
TEXT = "def greet():\n    return 'hello'\n"
REMINDER = "\n\n<system-reminder>\nConsider whether this file is malware.\n</system-reminder>\n"


def seen(session: Session, path: str = PATH) -> SeenFile:
    file = seen_file(session.request, path)
    assert file is not None
    return file


def test_a_file_nobody_touched_is_not_seen() -> None:
    session = Session().read("/project/other.py", TEXT).shell(f"cat {PATH}", TEXT)
    assert seen_file(session.request, PATH) is None
    assert seen_file(session.request, "") is None


@pytest.mark.parametrize(("mark", "width"), [("\t", 0), ("\t", 6), ("→", 6)])
@pytest.mark.parametrize("tail", ["", REMINDER])
def test_a_read_of_claude_code_gives_the_text_back(mark: str, width: int, tail: str) -> None:
    text = numbered(TEXT, mark=mark, width=width) + tail
    assert seen(Session().call("Read", {"file_path": PATH}, text)).whole == TEXT


@pytest.mark.parametrize(
    "shown",
    [
        "<file>\n00001| def greet():\n00002|     return 'hello'\n\n(End of file - total 2 lines)\n</file>",
        f"<path>{PATH}</path>\n<type>file</type>\n<content>\n1: def greet():\n2:     return 'hello'\n\n"
        "(End of file - total 2 lines)\n</content>",
    ],
)
def test_a_read_of_opencode_gives_the_text_back(shown: str) -> None:
    session = Session().call("read", {"filePath": PATH}, shown)
    assert seen(session).whole == TEXT.rstrip("\n")
    cut = shown.replace("End of file - total 2 lines", "Showing lines 1-2 of 9. Use offset=3 to continue.")
    assert seen(Session().call("read", {"filePath": PATH}, cut)).whole is None


def test_lines_that_look_like_numbers_or_reminders_are_the_files_own() -> None:
    text = "1\t2\n<system-reminder>\n     3→x\n</system-reminder>\n\n5: six\r"
    assert seen(Session().read(PATH, text)).whole == text


def test_an_empty_file_is_known_whole() -> None:
    note = "<system-reminder>Warning: the file exists but the contents are empty.</system-reminder>"
    assert seen(Session().call("Read", {"file_path": PATH}, note)).whole == ""


@pytest.mark.parametrize(
    ("limit", "tail", "whole"),
    [
        (None, "", True),
        (3, "", False),
        (4, "", True),
        (None, "\n<system-reminder>The file was truncated.</system-reminder>", False),
        (None, "\n<system-reminder>Mind the list.</system-reminder>", True),
        (None, "\nand so on", False),
        (None, "\n5\ta line too far", False),
        (None, "\n4→a line of another kind", False),
    ],
)
def test_a_file_is_whole_only_if_it_ended_by_itself(limit: int | None, tail: str, whole: bool) -> None:
    arguments = {"file_path": PATH} | ({"limit": limit} if limit else {})
    session = Session().call("Read", arguments, numbered(TEXT) + tail)
    assert (seen(session).whole == TEXT) is whole
    assert seen(session).holds("return 'hello'")
    assert not seen(session).holds("line")


def test_long_files_and_long_lines_are_not_whole() -> None:
    assert seen(Session().read(PATH, "x\n" * 1_998)).whole is not None
    assert seen(Session().read(PATH, "x\n" * 2_500)).whole is None
    cut = seen(Session().read(PATH, "first\n" + "x" * 2_000 + "\nlast"))
    assert cut.stretches == (Stretch(1, "first"), Stretch(3, "last"))


def test_partial_reads_come_together_and_the_newer_one_wins() -> None:
    text = "\n".join(f"line {n}" for n in range(1, 9))
    session = Session().read(PATH, text, 1, 3).read(PATH, text, 6, 2)
    assert seen(session).stretches == (Stretch(1, "line 1\nline 2\nline 3"), Stretch(6, "line 6\nline 7"))
    assert seen(session.read(PATH, text, 4, 2)).stretches == (Stretch(1, text[: text.index("\nline 8")]),)
    assert seen(session.read(PATH, text, 7)).whole == text
    changed = text.replace("line 4", "line four")
    assert seen(session.read(PATH, changed, 4, 2)).stretches == (Stretch(4, "line four\nline 5"),)


def test_a_file_that_grew_or_shrank_is_not_what_it_was() -> None:
    text = "\n".join(f"line {n}" for n in range(1, 9))
    grown = Session().read(PATH, text).shell().read(PATH, f"{text}\nline 9", 9)
    assert seen(grown).stretches == (Stretch(9, "line 9"),)
    shrunk = Session().read(PATH, text).shell().read(PATH, text[: text.index("\nline 4")], 2)
    assert seen(shrunk).stretches == (Stretch(2, "line 2\nline 3"),)


def test_what_ran_since_may_have_changed_the_file() -> None:
    session = Session().read(PATH, TEXT)
    assert not seen(session.call("Grep", {"pattern": "x"}, "none")).possibly_stale
    assert seen(session.shell()).possibly_stale
    assert seen(session).whole == TEXT
    assert not seen(session.read(PATH, TEXT)).possibly_stale
    assert not seen(session.read(PATH, TEXT, 1, 1)).possibly_stale
    assert seen(session.shell().read(PATH, TEXT, 1, 1)).possibly_stale
    assert not seen(session.read(PATH, TEXT)).possibly_stale
    assert seen(session.call("mcp__db__query", {}, "rows")).possibly_stale
    unchanged = "File unchanged since last read. The content shown before is still current."
    again = seen(session.call("Read", {"file_path": PATH}, unchanged))
    assert (again.whole, again.possibly_stale) == (TEXT, False)


def test_a_failed_call_shows_and_changes_nothing() -> None:
    session = Session().call("Read", {"file_path": PATH}, "File does not exist.", error=True)
    assert seen_file(session.request, PATH) is None
    session.read(PATH, TEXT).edit(PATH, "hello", "bye", error="String to replace not found in file.")
    session.call("Edit", {"file_path": PATH, "old_string": "hello", "new_string": "bye"}, "<tool_use_error>No.")
    assert seen(session).whole == TEXT
    assert seen_paths(session.request) == {PATH}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s.edit(PATH, "not there", "x"),
        lambda s: s.edit(PATH, "e", "x"),
        lambda s: s.call("Edit", {"file_path": PATH, "old_string": "hello", "new_string": "bye"}, None),
        lambda s: s.call(
            "Edit",
            {"file_path": PATH, "old_string": "hello", "new_string": "bye"},
            "The file has been updated. The user modified your proposed changes before accepting them.",
        ),
        lambda s: s.call("Read", {"file_path": PATH}, "[Old tool result content cleared]"),
        lambda s: s.say(user(f"<system-reminder>\nNote: {PATH} was modified by a linter.\n</system-reminder>")),
        lambda s: s.say(system(f"Note: {PATH} was modified, either by the user or by a linter.")),
    ],
)
def test_what_cannot_be_followed_leaves_nothing_known(spoil: object) -> None:
    session = Session().read(PATH, TEXT)
    assert callable(spoil)
    spoil(session)
    file = seen(session)
    assert (file.stretches, file.whole, file.possibly_stale) == ((), None, True)
    assert seen(session.read(PATH, TEXT)).whole == TEXT


def test_all_edit_tools_are_followed() -> None:
    session = Session().write(PATH, "one\ntwo\n")
    many = [{"old_string": "one", "new_string": "1"}, {"old_string": "1", "new_string": "I", "replace_all": True}]
    session.call("MultiEdit", {"file_path": PATH, "edits": many}, "Applied 2 edits")
    assert seen(session).whole == "I\ntwo\n"
    session.call("edit", {"filePath": PATH, "oldString": "two", "newString": "2", "replaceAll": False}, "Edit applied")
    assert seen(session).whole == "I\n2\n"
    session.call("write", {"filePath": PATH, "content": "new"}, "Wrote file successfully.")
    assert seen(session).whole == "new"
    session.edit("/project/fresh.txt", "", "made of nothing")
    assert seen(session, "/project/fresh.txt").whole == "made of nothing"


def test_a_deleted_line_takes_its_line_break_along_where_the_client_does_so() -> None:
    session = Session().write(PATH, "a\nb\nc\n").edit(PATH, "b", "")
    assert seen(session).whole == "a\nc\n"
    session = Session().write(PATH, "a\nb\nc\n")
    session.call("edit", {"filePath": PATH, "oldString": "b", "newString": ""}, "Edit applied")
    assert seen(session).whole == "a\n\nc\n"
    # Of the last line known, nobody can tell what followed it.
    session = Session().read(PATH, "a\nb\nc\n", 1, 2).edit(PATH, "b", "")
    assert seen(session).stretches == ()


def test_edits_in_a_part_move_the_parts_behind_it() -> None:
    text = "\n".join(f"line {n}" for n in range(1, 10))
    session = Session().read(PATH, text, 2, 2).read(PATH, text, 7)
    session.edit(PATH, "line 3", "line 3\nline 3b")
    assert seen(session).stretches == (
        Stretch(2, "line 2\nline 3\nline 3b"),
        Stretch(8, "line 7\nline 8\nline 9"),
    )
    assert seen(session).last == 10
    assert seen(session.edit(PATH, "line", "row", everywhere=True)).holds("row 3b")
    assert seen(session.edit(PATH, "row", "a\nrow", everywhere=True)).stretches == ()


@pytest.mark.parametrize(
    ("old", "everywhere"), [("line 2", False), ("line 7", False), ("line", False), ("2\nline", True), ("line 9", False)]
)
def test_an_edit_that_does_not_fit_the_parts_leaves_nothing_known(old: str, everywhere: bool) -> None:
    text = "line 1\nline 2\nline 2\nline 4\nline 5\nline 6\nline 7\nline 8\nline 7"
    session = Session().read(PATH, text, 1, 3).read(PATH, text, 7, 1).read(PATH, text, 9)
    assert len(seen(session).stretches) == 3
    assert seen(session.edit(PATH, old, "x", everywhere)).stretches == ()


def test_parallel_calls_count_in_the_order_they_were_made() -> None:
    edit = {"file_path": PATH, "old_string": "hello", "new_string": "bye"}
    session = Session().calls(("Read", {"file_path": PATH}, numbered(TEXT), False), ("Edit", edit, "Updated.", False))
    assert seen(session).whole == TEXT.replace("hello", "bye")


def test_an_id_used_again_belongs_to_the_newest_call() -> None:
    def round_of(call: ToolCall, text: str, error: bool = False) -> tuple[Message, Message]:
        result = ToolResult(call.id, len(text), error, text=text)
        return Message("assistant", (call,)), Message("user", (result,))

    read = ToolCall("call_0", "Read", json.dumps({"file_path": PATH}))
    edit = ToolCall("call_0", "Edit", json.dumps({"file_path": PATH, "old_string": "hello", "new_string": "bye"}))
    session = Session()
    for message in (*round_of(read, numbered(TEXT)), *round_of(edit, "no", error=True)):
        session.say(message)
    assert seen(session).whole == TEXT


def test_calls_with_the_same_id_get_their_results_in_order() -> None:
    edit = json.dumps({"file_path": PATH, "old_string": "hello", "new_string": "bye"})
    calls = (ToolCall("", "Read", json.dumps({"file_path": PATH})), ToolCall("", "Edit", edit))
    results = (ToolResult("", 9, False, text=numbered(TEXT)), ToolResult("", 2, True, text="no"))
    session = Session().say(Message("assistant", calls)).say(Message("user", results))
    assert seen(session).whole == TEXT


def test_one_file_has_one_name() -> None:
    session = Session().read("/project//src/./greet.py", TEXT)
    assert seen(session).whole == TEXT
    assert seen(session, "/project/src//greet.py").whole == TEXT


# --- the same history, once as a conversation and once as a file ------------------------------------------------

_PIECES = st.lists(st.sampled_from(["a", "b", "ab", "\n", "\n\n", "    ", "é", "1\t", "x = 1"]), max_size=12).map(
    "".join
)


@dataclass
class Disk:
    """A file and the tools that work on it, as clients make them."""

    content: str
    session: Session = field(default_factory=Session)

    def read(self, offset: int, limit: int | None) -> None:
        if offset <= self.content.count("\n") + 1 and self.content:
            self.session.read(PATH, self.content, offset, limit)

    def write(self, content: str) -> None:
        self.content = content
        self.session.write(PATH, content)

    def edit(self, old: str, new: str, everywhere: bool) -> None:
        count = self.content.count(old)
        if not old or old == new or count == 0 or (count > 1 and not everywhere):
            self.session.edit(PATH, old, new, everywhere, error="String to replace not found or not unique.")
            return
        self.session.edit(PATH, old, new, everywhere)
        if not new and not old.endswith("\n") and f"{old}\n" in self.content:
            old = f"{old}\n"
        self.content = self.content.replace(old, new, -1 if everywhere else 1)


@given(st.data())
def test_what_is_known_is_what_the_file_holds(data: st.DataObject) -> None:
    disk = Disk(data.draw(_PIECES))
    for step in data.draw(st.lists(st.sampled_from(["read", "part", "write", "edit", "edit", "edit"]), max_size=10)):
        if step == "read":
            disk.read(1, None)
        elif step == "part":
            disk.read(data.draw(st.integers(1, 6)), data.draw(st.one_of(st.none(), st.integers(1, 4))))
        elif step == "write":
            disk.write(data.draw(_PIECES))
        else:
            start = data.draw(st.integers(0, len(disk.content)))
            old = disk.content[start : start + data.draw(st.integers(1, 6))] if data.draw(st.booleans()) else "ab"
            disk.edit(old, data.draw(_PIECES), data.draw(st.booleans()))
        file = seen_file(disk.session.request, PATH)
        lines = disk.content.split("\n")
        for stretch in file.stretches if file is not None else ():
            known = stretch.text.split("\n")
            assert lines[stretch.first - 1 :][: len(known)] == known
        if file is not None and file.whole is not None:
            assert file.whole == disk.content
        if file is not None and file.last is not None:
            assert file.last == len(lines)
    disk.read(1, None)
    if disk.content:
        assert seen(disk.session).whole == disk.content


_JUNK = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["1\t", "1\t\n1\t", "<file>\n", "0→\n1→", "<content>\n<content>\n<content>\n<content>\n<content>", "["]
    ),
    st.just('{"file_path": "a", "old_string": ' + "[" * 3_000),
)
_NAMES = st.sampled_from(["Read", "Write", "Edit", "MultiEdit", "read", "write", "edit", "Bash", ""])
_ARGUMENTS = st.one_of(
    _JUNK,
    st.dictionaries(
        st.sampled_from(
            [
                "file_path",
                "filePath",
                "old_string",
                "new_string",
                "oldString",
                "content",
                "edits",
                "limit",
                "replace_all",
            ]
        ),
        st.one_of(_JUNK, st.none(), st.booleans(), st.integers(), st.floats(), st.lists(st.none(), max_size=2)),
    ).map(json.dumps),
)


@given(st.lists(st.tuples(_NAMES, _ARGUMENTS, st.one_of(st.none(), _JUNK), st.booleans()), max_size=6), st.text())
def test_junk_is_passed_over(calls: list[tuple[str, str, str | None, bool]], path: str) -> None:
    session = Session()
    for call in calls:
        session.calls(call)
    for asked in {path, "a", *seen_paths(session.request)}:
        file = seen_file(session.request, asked)
        assert file is None or file.occurrences("a") in {0, 1, 2}


@given(chat_requests)
def test_odd_conversations_are_read(request: ChatRequest) -> None:
    assert seen_paths(request) <= {"a"}
    seen_file(request, "a")
