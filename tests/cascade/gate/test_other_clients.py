"""Files as Codex, opencode and qwen-code read and change them: what is known of them, and which drafts fit."""

from __future__ import annotations

import json

import pytest
from tests.support.coding import Session, draft, drafted
from tests.support.playbook import Play, request, tool, turn, user

from rlmc.cascade.gate import edit, repeat
from rlmc.cascade.gate.seen_files import seen_file, seen_paths
from rlmc.cascade.signals import Past
from rlmc.domain.chat import Message, Text, ToolCall
from rlmc.domain.effect import Effect

ROOT = "/project"
PATH = "/project/src/greet.py"
TEXT = "import os\n\n\ndef greet(name):\n    return f'hello {name}'\n\n\ndef leave(name):\n    return f'bye {name}'\n"
CONTEXT = Message("user", (Text(f"<environment_context>\n  <cwd>{ROOT}</cwd>\n</environment_context>"),))
RAN = "Chunk ID: a1b2c3\nWall time: 0.1 seconds\nProcess exited with code 0\nOriginal token count: 9\nOutput:\n"
SCRIPT = "Script completed\nWall time 0.2 seconds\nOutput:\n\n"


def codex() -> Session:
    return Session(CONTEXT, user("Fix the greeting."))


def looked(command: str = "cat src/greet.py", text: str = TEXT) -> Session:
    return codex().call("exec_command", {"cmd": command}, RAN + text)


def patch(*lines: str) -> ToolCall:
    return drafted("apply_patch", {"input": "\n".join(["*** Begin Patch", *lines, "*** End Patch"])})


def updates(*lines: str, path: str = "src/greet.py") -> ToolCall:
    return patch(f"*** Update File: {path}", *lines)


FITS = ("@@ def greet(name):", "-    return f'hello {name}'", "+    return f'good day {name}'")


def problem(session: Session, *calls: ToolCall) -> str | None:
    findings = edit.check(session.request, draft(*calls))
    return findings[0].detail if findings else None


def refused(session: Session, *calls: ToolCall, because: str) -> None:
    detail = problem(session, *calls)
    assert detail is not None and because in detail, detail


# --- Codex: commands that read --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("cat src/greet.py", TEXT),
        ("cat ./src//greet.py", TEXT),
        ("cat /project/src/greet.py", TEXT),
        ("sed -n '1,200p' src/greet.py", TEXT),
        ("head -n 100 src/greet.py", TEXT),
        ("nl -ba src/greet.py | sed -n '1,200p'", "".join(f"{n:6}\t{t}\n" for n, t in enumerate(TEXT.split("\n"), 1))),
    ],
)
def test_a_patch_of_a_file_that_a_command_showed_passes(command: str, text: str) -> None:
    assert problem(looked(command, text), updates(*FITS)) is None
    assert seen_paths(looked(command, text).request) == {PATH}


@pytest.mark.parametrize(
    ("name", "arguments", "head"),
    [
        ("shell", {"command": ["bash", "-lc", "cat greet.py"], "workdir": "/project/src"}, ""),
        (
            "shell_command",
            {"command": "cat greet.py", "workdir": "src"},
            "Exit code: 0\nWall time: 1 seconds\nOutput:\n",
        ),
        ("exec", {"input": "const r = await tools.exec_command({cmd: 'cat src/greet.py'}); text(r.output);"}, SCRIPT),
    ],
)
def test_every_tool_that_runs_commands_can_show_a_file(name: str, arguments: dict[str, object], head: str) -> None:
    assert problem(codex().call(name, arguments, head + TEXT), updates(*FITS)) is None


def test_a_script_that_shows_the_whole_result_shows_the_file_too() -> None:
    source = "const r = await tools.exec_command({cmd: 'cat src/greet.py'}); text(r);"
    shown = json.dumps({"exit_code": 0, "output": TEXT})
    assert problem(codex().call("exec", {"input": source}, SCRIPT + shown), updates(*FITS)) is None
    refused(codex().call("exec", {"input": source}, SCRIPT + TEXT), updates(*FITS), because="does not occur")


@pytest.mark.parametrize(
    "command",
    [
        "cat src/greet.py src/other.py",
        "cat src/greet.py; cat src/other.py",
        "cat src/*.py",
        "cat $FILE",
        "grep -n hello src/greet.py",
        "cat src/greet.py | grep hello",
        "cat -A src/greet.py",
        "tail -n 5 src/greet.py",
        "python show.py src/greet.py",
    ],
)
def test_a_command_that_does_anything_else_shows_no_file(command: str) -> None:
    refused(looked(command), updates(*FITS), because="not seen")


def test_a_command_that_failed_shows_no_file() -> None:
    failed = RAN.replace("code 0", "code 1")
    refused(
        codex().call("exec_command", {"cmd": "cat src/greet.py"}, failed + TEXT), updates(*FITS), because="not seen"
    )


def test_a_program_of_the_shells_is_no_look_at_a_file() -> None:
    arguments = {"command": ["bash", "deploy.sh", "cat src/greet.py"]}
    ran = codex().call("shell", arguments, "Exit code: 0\nWall time: 1 seconds\nOutput:\n" + TEXT)
    assert seen_file(ran.request, PATH) is None
    before = looked().call("shell", arguments, "Exit code: 0\nWall time: 1 seconds\nOutput:\n" + TEXT)
    file = seen_file(before.request, PATH)
    assert file is not None and file.possibly_stale


def test_a_command_that_still_runs_has_not_shown_all_of_a_file() -> None:
    running = RAN.replace("Process exited with code 0", "Process running with session ID 5")
    file = seen_file(codex().call("exec_command", {"cmd": "cat src/greet.py"}, running + TEXT).request, PATH)
    assert file is None or file.whole is None


def test_what_a_program_says_of_a_file_is_not_the_file() -> None:
    source = "const r = await tools.exec_command({cmd: 'cat src/greet.py'}); text(r.output)"
    said = codex().call("exec", {"input": source}, SCRIPT + "cat: src/greet.py: Permission denied\n")
    file = seen_file(said.request, PATH)
    assert file is None or not file.stretches


def test_a_script_that_failed_may_have_made_its_first_patches() -> None:
    first = updates(*FITS).arguments
    patches = "".join(f"await tools.apply_patch({json.dumps(json.loads(one)['input'])});\n" for one in (first, first))
    failed = looked().call("exec", {"input": patches}, "Script failed\nWall time 0.2 seconds\nOutput:\n\nno such lines")
    file = seen_file(failed.request, PATH)
    assert file is not None and not file.stretches


def test_a_part_is_known_by_its_numbers() -> None:
    long = [f"value_{n} = {n}" for n in range(1, 501)]
    part = looked("sed -n '101,110p' src/greet.py", "\n".join(long[100:110]))
    file = seen_file(part.request, PATH)
    assert file is not None and file.whole is None
    assert [(s.first, s.text.split("\n")[-1]) for s in file.stretches] == [(101, "value_110 = 110")]


def test_more_lines_than_were_asked_for_are_not_the_files_alone() -> None:
    file = seen_file(looked("sed -n '1,3p' src/greet.py").request, PATH)
    assert file is not None and not file.stretches


def test_what_was_cut_out_of_the_output_is_not_known() -> None:
    cut = TEXT.replace("def leave", "…12 tokens truncated…leave")
    assert problem(looked(text=cut), updates(*FITS)) is None
    file = seen_file(looked(text=cut).request, PATH)
    assert file is not None and file.whole is None
    refused(looked(text=cut), updates("-    return f'bye {name}'", "+    return 'bye'"), because="does not occur")
    total = looked(text="Total output lines: 900\n\n" + TEXT)
    refused(total, updates(*FITS), because="does not occur")


def test_claude_codes_edit_wants_a_file_that_was_read_by_its_own_tool() -> None:
    shown = Session().call("Bash", {"command": f"cat {PATH}"}, TEXT)
    call = drafted("Edit", {"file_path": PATH, "old_string": "hello", "new_string": "bye"})
    refused(shown, call, because="not seen")


# --- Codex: patches --------------------------------------------------------------------------------------------------


def test_a_patch_must_fit_what_was_seen() -> None:
    refused(codex(), updates(*FITS), because="not seen")
    refused(looked(), updates("-    return f'hallo {name}'", "+x"), because="does not occur")
    refused(looked(), updates("-    return f'hello", "+x"), because="not whole lines")
    refused(looked(), updates("@@ def nothing():", *FITS[1:]), because="was not seen")
    refused(looked(), updates("-", "-", "+x"), because="more than once")
    refused(looked(), updates("+x = 1"), because="cannot be checked")
    refused(looked(), patch("*** Update File: src/greet.py", "*** Frobnicate"), because="cannot be read")
    refused(looked(), updates(*FITS, path="../src/greet.py"), because="somewhere else")
    refused(looked("cat .git/config"), updates(*FITS, path=".git/config"), because="protected")


def test_lines_that_may_stand_elsewhere_do_not_tell_a_place() -> None:
    part = looked("sed -n '101,106p' src/greet.py", "def f():\n    a = 1\n    return a\n\n\nx = 2")
    refused(part, updates("-    return a", "+    return 2"), because="may occur where the file was not seen")
    assert (
        problem(part, updates(" def f():", "     a = 1", "-    return a", "+    return 2", " ", " ", " x = 2")) is None
    )


LINES = [f"v{n} = {n}" for n in range(1, 121)]
ALL = "\n".join(LINES) + "\n"
BEGINNING = "\n".join(LINES[:60]) + "\n"


def change(number: int) -> tuple[str, str]:
    return f"-v{number} = {number}", f"+v{number} = 0"


@pytest.mark.parametrize(("command", "text"), [("cat src/greet.py", ALL), ("head -n 60 src/greet.py", BEGINNING)])
def test_lines_are_looked_for_behind_the_change_before(command: str, text: str) -> None:
    seen = looked(command, text)
    assert problem(seen, updates("@@", *change(10), "@@", *change(40))) is None
    assert problem(seen, updates("@@", *change(10), "@@ v39 = 39", *change(40))) is None
    refused(seen, updates("@@", *change(40), "@@", *change(10)), because="not where they are looked for")
    refused(seen, updates("@@", *change(40), "@@ v9 = 9", *change(50)), because="not seen")
    refused(seen, updates("@@ v40 = 40", *change(10)), because="not where they are looked for")


def test_a_place_is_known_by_its_very_line() -> None:
    seen = looked("head -n 60 src/greet.py", BEGINNING.replace("v4 =", "  v4 ="))
    assert problem(seen, updates("@@   v4 = 4", *change(10))) is None
    refused(seen, updates("@@ v4 = 4", *change(10)), because="not seen")
    whole = looked(text=ALL.replace("v4 =", "  v4 ="))
    assert problem(whole, updates("@@ v4 = 4", *change(10))) is None
    moved = looked(text=ALL.replace("v4 =", "  v4 =").replace("v50 = 50", "v4 = 4"))
    refused(moved, updates("@@ v4 = 4", *change(10)), because="not where they are looked for")


def test_opencode_takes_a_place_without_its_blanks() -> None:
    text = ALL.replace("v4 =", "  v4 =").replace("v50 = 50", "v4 = 4")
    lines = ("*** Begin Patch", f"*** Update File: {PATH}", "@@   v4 = 4", *change(10), "*** End Patch")
    seen = looked(text=text)
    assert problem(seen, drafted("apply_patch", {"input": "\n".join(lines)})) is None
    refused(seen, drafted("apply_patch", {"patchText": "\n".join(lines)}), because="not where they are looked for")


def test_lines_at_the_end_of_a_file_are_looked_for_there_alone() -> None:
    end = "*** End of File"
    assert problem(looked(text=ALL), updates("@@", *change(120), end)) is None
    refused(looked(text=ALL), updates("@@", *change(10), end), because="not where they are looked for")
    part = looked("head -n 60 src/greet.py", BEGINNING)
    refused(part, updates("@@", *change(10), end), because="not where they are looked for")
    refused(part, updates("@@", *change(60), end), because="not where they are looked for")
    done = part.call("apply_patch", updates("@@", *change(10), end).arguments, "Success.")
    file = seen_file(done.request, PATH)
    assert file is not None and not file.stretches


def test_changes_out_of_their_order_leave_nothing_known() -> None:
    turned = updates("@@", *change(40), "@@", *change(10))
    file = seen_file(looked(text=ALL).call("apply_patch", turned.arguments, "Success.").request, PATH)
    assert file is not None and not file.stretches


def test_lines_of_a_file_that_may_have_changed_must_tell_their_place() -> None:
    changed = looked(text=ALL).call("exec_command", {"cmd": "black ."}, RAN + "1 file reformatted")
    refused(changed, updates("@@", *change(10)), because="may have changed")
    assert problem(changed, updates(" v8 = 8", " v9 = 9", *change(10), " v11 = 11")) is None


def test_files_that_go_or_move_are_refused() -> None:
    refused(looked(), patch("*** Delete File: src/greet.py"), because="cannot be checked")
    refused(looked(), updates("*** Move to: src/meet.py", *FITS), because="cannot be checked")


def test_a_patch_must_leave_a_file_that_parses() -> None:
    refused(looked(), updates("-def greet(name):", "+def greet(name:"), because="no longer parse")


def test_a_new_file_is_made_near_one_that_was_seen() -> None:
    assert problem(looked(), patch("*** Add File: src/new.py", "+x = 1")) is None
    refused(looked(), patch("*** Add File: lib/new.py", "+x = 1"), because="no file near")


def test_patches_of_one_draft_build_on_each_other() -> None:
    again = updates("-    return f'good day {name}'", "+    return 'welcome'")
    assert problem(looked(), updates(*FITS), again) is None
    refused(looked(), again, because="does not occur")


def test_a_patch_that_went_through_is_known_and_one_that_failed_is_not_made_again() -> None:
    done = looked().call(
        "apply_patch", updates(*FITS).arguments, "Success. Updated the following files:\nM src/greet.py"
    )
    file = seen_file(done.request, PATH)
    assert file is not None and file.whole == TEXT.replace("hello", "good day")
    failed = looked().call("apply_patch", updates(*FITS).arguments, "apply_patch verification failed: no such lines")
    refused(failed, updates(*FITS), because="failed before")
    assert repeat.check(failed.request, draft(updates(*FITS)))


@pytest.mark.parametrize(
    "lines",
    [
        ("*** Delete File: src/greet.py",),
        ("*** Update File: src/greet.py", "+x = 1"),
        ("*** Update File: src/greet.py", "-x", "+y"),
        ("*** Update File: src/greet.py", "-os", "+sys"),
        ("*** Update File: src/greet.py", "*** Move to: src/meet.py"),
        ("*** Update File: src/greet.py", "-    return f'hello {name}'", "+"),
    ],
)
def test_a_patch_that_cannot_be_followed_leaves_nothing_known(lines: tuple[str, ...]) -> None:
    done = looked().call("apply_patch", patch(*lines).arguments, "Success.")
    file = seen_file(done.request, PATH)
    assert file is not None and not file.stretches


# --- Codex: scripts --------------------------------------------------------------------------------------------------


def script(source: str) -> ToolCall:
    return drafted("exec", {"input": source})


def test_patches_in_a_script_are_checked_like_others() -> None:
    text = json.dumps(json.loads(updates(*FITS).arguments)["input"])
    assert problem(looked(), script(f"text(await tools.apply_patch({text}));")) is None
    refused(codex(), script(f"await tools.apply_patch({text});"), because="not seen")
    twice = f"await tools.apply_patch({text}); await tools.apply_patch({text});"
    refused(looked(), script(twice), because="does not occur")


def test_patches_in_a_script_are_known_afterwards() -> None:
    text = json.dumps(json.loads(updates(*FITS).arguments)["input"])
    both = f"await tools.apply_patch({text}); text(await tools.exec_command({{cmd: 'cat src/greet.py'}}));"
    done = looked().call("exec", {"input": both}, SCRIPT + "whatever")
    file = seen_file(done.request, PATH)
    assert file is not None and file.whole == TEXT.replace("hello", "good day")
    failed = looked().call("exec", {"input": both}, "Script failed\nWall time 0.2 seconds\nOutput:\n")
    file = seen_file(failed.request, PATH)
    assert file is not None and not file.stretches  # the patch may have been made before


def test_a_script_that_cannot_be_read_may_have_changed_anything() -> None:
    done = looked().call("exec", {"input": "for (;;) await tools.apply_patch(x)"}, SCRIPT)
    file = seen_file(done.request, PATH)
    assert file is not None and file.possibly_stale


# --- qwen-code -------------------------------------------------------------------------------------------------------


def qwen(text: str = TEXT, **window: int) -> Session:
    return Session().call("read_file", {"file_path": PATH, **window}, text)


def qwen_edits(old: str, new: str) -> ToolCall:
    return drafted("edit", {"file_path": PATH, "old_string": old, "new_string": new, "replace_all": False})


def test_qwen_codes_reads_have_no_numbers() -> None:
    assert problem(qwen(), qwen_edits("hello", "good day")) is None
    assert problem(Session().call("read_file", {"absolute_path": PATH}, TEXT), qwen_edits("hello", "good day")) is None
    file = seen_file(qwen().request, PATH)
    assert file is not None and file.whole == TEXT


def test_a_part_says_which_lines_it_is() -> None:
    shown = "Showing lines 101-102 of 500 total lines.\n\n---\n\nx = 1\ny = 2"
    file = seen_file(qwen(shown, offset=100, limit=2).request, PATH)
    assert file is not None and file.whole is None
    assert [(s.first, s.text) for s in file.stretches] == [(101, "x = 1\ny = 2")]
    file = seen_file(qwen("x = 1", offset=100).request, PATH)
    assert file is not None and not file.stretches, "which lines they are is not told"


def test_qwen_codes_writes_are_checked() -> None:
    def writes(content: str) -> ToolCall:
        return drafted("write_file", {"file_path": PATH, "content": content})

    assert problem(qwen(), writes(TEXT.replace("hello", "good day"))) is None
    refused(Session(), writes("x = 1\n"), because="no file near")
    refused(qwen(), writes("def broken(:\n"), because="no longer parse")


def test_a_tool_called_through_another_is_checked_too() -> None:
    inner = json.loads(qwen_edits("hallo", "x").arguments)
    refused(qwen(), drafted("tool_call", {"name": "edit", "arguments": inner}), because="does not occur")


# --- opencode --------------------------------------------------------------------------------------------------------


def test_opencodes_patch_is_checked_like_codexs() -> None:
    shown = "<file>\n00001| hello\n00002| world\n\n(End of file - total 2 lines)\n</file>"
    read = Session().call("read", {"filePath": "/p/a.txt"}, shown)

    def patches(old: str) -> ToolCall:
        text = f"*** Begin Patch\n*** Update File: /p/a.txt\n@@\n-{old}\n+bye\n*** End Patch"
        return drafted("apply_patch", {"patchText": text})

    assert problem(read, patches("hello")) is None
    refused(read, patches("hallo"), because="does not occur")


# --- the same call again ---------------------------------------------------------------------------------------------


def test_a_patch_in_a_script_makes_a_failed_call_another_one() -> None:
    failing = drafted("exec_command", {"cmd": "make"})
    failed = codex().call("exec_command", {"cmd": "make"}, RAN.replace("code 0", "code 2") + "error")
    assert repeat.check(failed.request, draft(failing))
    text = json.dumps(json.loads(updates(*FITS).arguments)["input"])
    mended = failed.call("exec", {"input": f"await tools.apply_patch({text})"}, SCRIPT)
    assert repeat.check(mended.request, draft(failing)) == ()


def test_the_request_needs_no_tools_for_any_of_it() -> None:
    assert edit.check(request(user("x"), tools=(tool("exec", "input"),)), draft(script("text(1)"))) == ()


# --- what may be served ----------------------------------------------------------------------------------------------


def ends(source: str, policy: str = "balanced", **words: Effect) -> str:
    messages = looked().request.messages
    asked = turn(request(*messages, tools=(tool("exec", "input"),)), tools=words)
    play = Play(asked, policy, Past(turns=3)).expect("draft").reply(draft(script(source)))
    if play.ask is not None:
        return play.ask.role
    assert play.plan is not None
    return play.plan.outcome.value


def test_a_drafted_script_is_served_if_all_it_does_may_be() -> None:
    text = json.dumps(json.loads(updates(*FITS).arguments)["input"])
    assert ends("const r = await tools.exec_command({cmd: 'git status'}); text(r.output);") == "skipped"
    assert ends(f"await tools.apply_patch({text});") == "skipped"
    assert ends(f"await tools.apply_patch({text});", "careful") == "direct"
    assert ends("await tools.exec_command({cmd: 'rm x'});") == "direct"
    assert ends("await tools.exec_command({cmd: 'rm x'});", "economy") == "verify"
    assert ends("await tools.replace({file_path: 'a'});") == "direct"


def test_the_users_word_makes_no_unchecked_edit_of_a_script() -> None:
    assert ends("while (1) {}", exec=Effect.EDIT) == "direct"
    assert ends("await tools.exec_command({cmd: 'rm x'});", exec=Effect.EDIT) == "direct"
    assert ends("while (1) {}", exec=Effect.READ) == "skipped"
