"""Drafted edits: good ones pass, and every way of being slightly off is caught."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.support.coding import Session, draft, drafted, edits, numbered, writes
from tests.support.strategies import chat_requests, completions

from rlmc.cascade.gate import edit, protected_paths
from rlmc.domain.chat import ChatRequest, Completion, ToolCall

PATH = "/project/src/greet.py"
TEXT = "import os\n\n\ndef greet(name):\n    return f'hello {name}'\n\n\ndef leave(name):\n    return f'bye {name}'\n"


def problem(session: Session, *calls: ToolCall) -> str | None:
    findings = edit.check(session.request, draft(*calls))
    assert len(findings) <= 1
    assert all(f.check == "edit" for f in findings)
    return findings[0].detail if findings else None


def refused(session: Session, *calls: ToolCall, because: str) -> None:
    detail = problem(session, *calls)
    assert detail is not None and because in detail, detail


def session() -> Session:
    return Session().read(PATH, TEXT)


# --- what passes ------------------------------------------------------------------------------------------------


def test_an_edit_of_a_file_that_was_read_passes() -> None:
    assert problem(session(), edits(PATH, "hello", "good day")) is None
    assert problem(session(), edits(PATH, "    return f'bye {name}'\n", "    return 'bye'\n")) is None
    assert problem(session(), edits(PATH, "name", "who", replace_all=True)) is None
    assert problem(session().shell(), edits(PATH, "hello", "good day")) is None


def test_an_edit_in_opencodes_words_passes() -> None:
    text = "<file>\n00001| hello\n\n(End of file - total 1 lines)\n</file>"
    read = Session().call("read", {"filePath": "/p/a.txt"}, text)
    call = drafted("edit", {"filePath": "/p/a.txt", "oldString": "hello", "newString": "bye", "replaceAll": False})
    assert problem(read, call) is None


def test_an_edit_of_a_part_that_was_read_passes() -> None:
    long = "\n".join(f"value_{n} = {n}" for n in range(500))
    partly = Session().read(PATH, long, 100, 20)
    assert problem(partly, edits(PATH, "value_105 = 105", "value_105 = 5")) is None
    refused(partly, edits(PATH, "value_205 = 205", "value_205 = 5"), because="does not occur")


def test_other_calls_are_not_its_business() -> None:
    assert problem(Session(), drafted("Bash", {"command": "rm x"}), drafted("Read", "{")) is None
    assert edit.check(Session().request, Completion("m", (), "end_turn", None)) == ()


def test_edits_of_one_draft_build_on_each_other() -> None:
    first, second = edits(PATH, "hello", "good day"), edits(PATH, "good day", "welcome")
    assert problem(session(), first, second) is None
    refused(session(), second, because="does not occur")
    refused(session(), first, edits(PATH, "hello", "hi"), because="does not occur")
    many = [{"old_string": "hello", "new_string": "good day"}, {"old_string": "good day", "new_string": "welcome"}]
    assert problem(session(), drafted("MultiEdit", {"file_path": PATH, "edits": many})) is None
    reverse = drafted("MultiEdit", {"file_path": PATH, "edits": many[::-1]})
    refused(session(), reverse, because="does not occur")


# --- which file -------------------------------------------------------------------------------------------------


def test_the_file_must_have_been_seen() -> None:
    refused(Session(), edits(PATH, "hello", "bye"), because="not seen")
    refused(session(), edits("/project/src/great.py", "hello", "bye"), because="not seen")
    failed = Session().call("Read", {"file_path": PATH}, "File does not exist.", error=True)
    refused(failed, edits(PATH, "hello", "bye"), because="not seen")
    assert problem(Session().write(PATH, TEXT), edits(PATH, "hello", "bye")) is None


@pytest.mark.parametrize(
    "path",
    [
        "/project/../etc/passwd",
        "../x.py",
        "/project/.git/hooks/pre-commit",
        "/project/.GIT/config",
        ".git/config",
        "/home/u/.ssh/authorized_keys",
        "/project/.claude/commands/x.md",
        "/project/.github/workflows/ci.yml",
        "/home/u/.bashrc",
        "/home/u/.config/tool/rc",
        "/Users/u/.zprofile",
        "/home/u/.profile",
        "~/notes.txt",
        "/project/.env",
        "/project/.env.local",
        "/project/.npmrc",
        "/project/CLAUDE.md",
        "/project/sub/agents.md",
        "/project/.vscode/settings.json",
        "/project/settings.json",
        "/project/package-lock.json",
        "/project/yarn.lock",
        "/project/pnpm-lock.yaml",
        "/project/Cargo.lock",
        "/project/go.sum",
        "/project/server.key",
        "/etc/hosts",
        "/usr/bin/tool",
        "/project/a\u0000.py",
        "C:\\project\\..\\x.py",
        "C:\\project\\.git\\config",
    ],
)
def test_some_paths_are_nobodys_but_the_verify_models(path: str) -> None:
    seen = Session().read(path, "old text\n")
    reason = protected_paths.problem_with(path)
    assert reason is not None
    refused(seen, edits(path, "old", "new"), because=reason)
    refused(seen, writes(path, "new text\n"), because=reason)


@pytest.mark.parametrize(
    "path",
    ["/project/.eslintrc.json", "/project/.gitignore", "/home/u/src/lock.py", "/project/deadlock.py", "src/a.py"],
)
def test_common_paths_are_free(path: str) -> None:
    assert problem(Session().read(path, '"old text"\n'), edits(path, "old", "new")) is None


@pytest.mark.parametrize("name", ["NotebookEdit", "notebook_edit", "patch", "replace"])
def test_tools_without_a_validator_are_refused(name: str) -> None:
    refused(session(), drafted(name, {"notebook_path": PATH, "new_source": "x"}), because="cannot be checked")


@pytest.mark.parametrize(
    "arguments",
    [
        "{",
        "",
        "[]",
        {"file_path": PATH},
        {"file_path": PATH, "old_string": "hello"},
        {"file_path": "", "old_string": "hello", "new_string": "bye"},
        {"file_path": PATH, "old_string": "hello", "new_string": None},
        {"file_path": PATH, "old_string": "hello", "new_string": "bye", "replace_all": "yes"},
        {"file_path": PATH, "filePath": "/etc/passwd", "old_string": "hello", "new_string": "bye"},
        {"file_path": PATH, "old_string": "hello", "oldString": "bye", "new_string": "x"},
        {"file_path": PATH, "old_string": "name", "new_string": "x", "replace_all": True, "replaceAll": False},
    ],
)
def test_arguments_that_do_not_say_one_thing_are_refused(arguments: dict[str, object] | str) -> None:
    refused(session(), drafted("Edit", arguments), because="cannot be read")


# --- which text -------------------------------------------------------------------------------------------------


def test_the_old_text_must_be_there_once() -> None:
    refused(session(), edits(PATH, "name", "who"), because="more than once")
    refused(session(), edits(PATH, "", "who"), because="empty")
    refused(session(), edits(PATH, "hello", "hello"), because="the same")
    refused(session(), edits(PATH, "Hello", "bye"), because="does not occur")
    refused(session(), edits(PATH, "Hello", "bye", replace_all=True), because="does not occur")
    refused(Session().read(PATH, "aXaXa"), edits(PATH, "aXa", "b"), because="more than once")
    numbers = numbered(TEXT).split("\n")[4]
    refused(session(), edits(PATH, numbers, "    return 'x'"), because="does not occur")


def test_the_newest_content_counts() -> None:
    changed = session().edit(PATH, "hello", "good day")
    refused(changed, edits(PATH, "hello", "bye"), because="does not occur")
    assert problem(changed, edits(PATH, "good day", "bye")) is None
    reread = session().read(PATH, TEXT.replace("hello", "welcome"))
    refused(reread, edits(PATH, "hello", "bye"), because="does not occur")


def test_an_edit_that_failed_is_not_made_again() -> None:
    failed = Session().edit(PATH, "hello", "bye", error="File has not been read yet.").read(PATH, TEXT)
    refused(failed, edits(PATH, "hello", "bye"), because="failed before")
    refused(failed, edits(PATH, "hello", "bye", replace_all=False), because="failed before")
    assert problem(failed, edits(PATH, "hello", "bye bye")) is None


@pytest.mark.parametrize(
    ("path", "text", "old", "new", "breaks"),
    [
        ("/p/a.py", "x = (1)\n", "(1)", "(1", True),
        ("/p/a.py", "def f():\n    pass\n", "    pass", "pass", True),
        ("/p/a.py", "def f(:\n    pass\n", "pass", "pas", False),
        ("/p/a.py", "x = '1'\n", "'1'", r"'\\d'", False),
        ("/p/a.pyi", "x: int\n", "int", "int)", True),
        ("/p/a.json", '{"a": 1}', "1", "1,", True),
        ("/p/a.json", '// note\n{"a": 1}', "1", "1,", False),
        ("/p/a.toml", "a = 1\n", "1", "", True),
        ("/p/a.toml", "a = 1\n", "1", "2", False),
        ("/p/a.txt", "x = (1)\n", "(1)", "(1", False),
        ("/p/a.py", "x = 1\n", "1", "(" * 9_000, True),
        ("/p/a.py", "x = 1\n", "1", "-" * 100_000 + "1", True),
        ("/p/a.py", "x = 1\n", "1", "\x00", True),
    ],
)
def test_a_file_that_parsed_still_does(path: str, text: str, old: str, new: str, breaks: bool) -> None:
    detail = problem(Session().read(path, text), edits(path, old, new))
    assert (detail is not None and "parse" in detail) is breaks
    assert breaks or detail is None


def test_a_part_of_a_file_is_not_parsed() -> None:
    assert problem(Session().read(PATH, TEXT, 1, 4), edits(PATH, "greet(name):", "greet(")) is None


def test_keys_and_tokens_do_not_get_in() -> None:
    token = "q7Rk2LmX9" + "vB4nT8sWc3ZyH6dJ"
    for secret in (
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        "sk-" + "ant-api03-abcdefghijkl",
        "ghp_" + "0123456789abcdefghij",
        token,
        "d41d8cd98f00b204" + "e9800998ecf8427e",
    ):
        refused(session(), edits(PATH, "hello", secret), because="key or token")
        refused(session(), writes("/project/src/new.txt", secret), because="key or token")
        assert problem(Session().read("/p/a.txt", f"{secret} a"), edits("/p/a.txt", " a", f" {secret}")) is None
    innocent = "test_that_a_very_long_name_of_2024_passes_as_well https://example.com/some/long/path/to/page.html"
    assert problem(session(), edits(PATH, "hello", innocent)) is None
    assert problem(session(), edits(PATH, "hello", "123e4567-e89b-12d3-a456-426614174000")) is None


def test_code_that_was_left_out_is_missed() -> None:
    for gap in (
        "# ... existing code ...",
        "// ...rest of the file",
        "# rest of the function unchanged",
        "// … other methods",
    ):
        refused(
            Session().read("/p/a.js", "let a = 1"), edits("/p/a.js", "let a = 1", gap), because="leaves something out"
        )
    assert problem(Session().read("/p/a.js", "let a = 1"), edits("/p/a.js", "1", "{...rest, ...other}")) is None
    assert problem(Session().read("/p/a.js", "// ... rest of it: 1"), edits("/p/a.js", "1", "2")) is None


def test_large_edits_are_the_verify_models() -> None:
    big = "\n".join(f"line {n}" for n in range(400))
    text = Session().read("/p/a.txt", big)
    assert problem(text, edits("/p/a.txt", "line 399", "\n".join(["x"] * 200))) is None
    refused(text, edits("/p/a.txt", "line 399", "\n".join(["x"] * 201)), because="200 changed lines")
    refused(text, edits("/p/a.txt", "line", "row", replace_all=True), because="200 changed lines")
    refused(text, edits("/p/a.txt", "line 399", "\n".join(["line 399"] * 202)), because="200 changed lines")
    one_line = big.replace("line 200", "row 200")
    assert problem(text, edits("/p/a.txt", big, one_line)) is None
    assert problem(text, writes("/p/a.txt", one_line)) is None
    refused(text, writes("/p/a.txt", "gone"), because="200 changed lines")
    halves = [edits("/p/a.txt", f"line {n}", "\n".join(["x"] * 150)) for n in (150, 350)]
    assert problem(text, halves[0]) is None
    refused(text, *halves, because="200 changed lines")


# --- whole files ------------------------------------------------------------------------------------------------


def test_a_file_is_written_over_only_if_all_of_it_was_seen() -> None:
    assert problem(session(), writes(PATH, "x = 1\n")) is None
    refused(Session().read(PATH, TEXT, 1, 3), writes(PATH, "x = 1\n"), because="only in part")
    refused(session().edit(PATH, "gone", "x"), writes(PATH, "x = 1\n"), because="only in part")
    refused(session(), writes(PATH, "x = (1\n"), because="parse")


def test_a_new_file_lies_near_one_that_was_seen() -> None:
    for path in ("/project/src/new.py", "/project/src/deep/er/new.py"):
        assert problem(session(), writes(path, "x = 1\n")) is None
        refused(session(), writes(path, "x = (1\n"), because="parse")
    refused(session(), writes("/project/src/new.json", "{"), because="parse")
    for path in ("/project/new.py", "/project/src2/new.py", "/other/new.py", "new.py", "/new.py"):
        refused(session(), writes(path, "x = 1\n"), because="near")
    refused(Session(), writes("/project/src/new.py", "x = 1\n"), because="near")
    refused(Session().read("/top.py", "x = 1"), writes("/anywhere/new.py", "x = 1\n"), because="near")
    assert problem(Session().read("top.py", "x = 1"), writes("src/new.py", "x = 1\n")) is None


def test_a_new_file_is_really_new() -> None:
    new = writes("/project/src/new.py", "x = 1\n")
    for listing in ("/project/src/new.py", "./src/new.py\n./src/greet.py", "found 2 files\nsrc/new.py"):
        refused(session().call("Glob", {"pattern": "*"}, listing), new, because="may exist")
    assert problem(session().call("Glob", {"pattern": "*"}, "/project/src/new.pyx\nsrc/brandnew.py"), new) is None
    missing = "File does not exist: /project/src/new.py"
    assert problem(session().call("Read", {"file_path": "/project/src/new.py"}, missing, error=True), new) is None


# --- properties -------------------------------------------------------------------------------------------------

_WORDS = st.text(st.sampled_from("abcxyz (){}=\n"), min_size=1, max_size=30)


@st.composite
def _good_edits(draw: st.DrawFn) -> tuple[str, str, str]:
    """A file, a text that occurs in it once, and another one."""
    content = draw(
        st.lists(st.sampled_from(["one", "two", "three", "four\n", "five ", "(six)"]), min_size=3, unique=True)
    )
    text = "".join(content)
    start = draw(st.integers(0, len(text) - 2))
    old = text[start : draw(st.integers(start + 1, len(text)))]
    assume(text.count(old) == 1 and text.find(old, text.find(old) + 1) < 0)
    new = draw(_WORDS)
    assume(new != old)
    return text, old, new


@given(_good_edits())
def test_a_good_edit_passes(case: tuple[str, str, str]) -> None:
    text, old, new = case
    assert problem(Session().read("/p/a.txt", text), edits("/p/a.txt", old, new)) is None


@given(_good_edits(), st.data())
def test_an_old_text_with_one_letter_off_is_caught(case: tuple[str, str, str], data: st.DataObject) -> None:
    text, old, new = case
    place = data.draw(st.integers(0, len(old) - 1))
    wrong = old[:place] + "#" + old[place + data.draw(st.integers(0, 1)) :]
    refused(Session().read("/p/a.txt", text), edits("/p/a.txt", wrong, new), because="does not occur")


@given(_good_edits(), st.integers(0, 200))
def test_an_old_text_that_is_there_twice_is_caught(case: tuple[str, str, str], place: int) -> None:
    text, old, new = case
    line = place % (len(text) + 1)
    doubled = text[:line] + old + text[line:] if text[:line].count(old) + text[line:].count(old) else text + old
    refused(Session().read("/p/a.txt", doubled), edits("/p/a.txt", old, new), because="more than once")


@given(_good_edits())
def test_an_edit_passes_as_often_as_its_text_is_there(case: tuple[str, str, str]) -> None:
    """Once made, an edit can be made again only if it brought its own old text back."""
    text, old, new = case
    made = Session().read("/p/a.txt", text).edit("/p/a.txt", old, new)
    after = text.replace(old, new, 1)
    assume(new.strip())
    detail = problem(made, edits("/p/a.txt", old, new))
    assert (detail is None) == (after.count(old) == 1 and after.find(old, after.find(old) + 1) < 0)


_JUNK = st.one_of(st.text(max_size=30), st.sampled_from(["/p/a.txt", "a", "\n", "(" * 300, ".env", "..", "\ud800"]))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Edit", "Write", "MultiEdit", "edit", "write", "NotebookEdit", "patch"]),
            st.one_of(
                _JUNK,
                st.dictionaries(
                    st.sampled_from(
                        ["file_path", "old_string", "new_string", "content", "edits", "replace_all", "filePath"]
                    ),
                    st.one_of(
                        _JUNK,
                        st.booleans(),
                        st.none(),
                        st.lists(st.dictionaries(st.sampled_from(["old_string", "new_string"]), _JUNK), max_size=2),
                    ),
                ).map(json.dumps),
            ),
        ),
        max_size=4,
    ),
)
def test_junk_never_raises(calls: list[tuple[str, str]]) -> None:
    problem(Session().read("/p/a.txt", "a\n"), *(ToolCall("c", name, text) for name, text in calls))


@given(chat_requests, completions)
def test_odd_turns_never_raise(of: ChatRequest, answer: Completion) -> None:
    edit.check(of, answer)


def test_findings_quote_nothing() -> None:
    for call in (
        edits(PATH, "topsecret", "x"),
        edits(PATH, "hello", "topsecret'"),
        writes("/topsecret/x", "topsecret"),
    ):
        assert "topsecret" not in str(problem(session(), call))
