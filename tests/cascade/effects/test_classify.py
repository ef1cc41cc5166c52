"""Whose word on a tool counts, in which order."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.cascade.effects import RELEASED, Effect, effect_of
from rlmc.cascade.effects.tools import CALLERS, PATCHES, SHELLS, TOOLS, WAITS
from rlmc.domain.chat import ToolSpec

PROMISES = ToolSpec("mcp__db__query", b"{}", read_only=True)
SILENT = ToolSpec("mcp__db__query", b"{}")


@pytest.mark.parametrize(
    ("name", "effect"),
    [
        ("Read", Effect.READ),
        ("grep_search", Effect.READ),
        ("TodoWrite", Effect.PLAN),
        ("update_plan", Effect.PLAN),
        ("Edit", Effect.EDIT),
        ("apply_patch", Effect.UNSAFE),
        ("write_stdin", Effect.UNSAFE),
        ("save_memory", Effect.UNSAFE),
        ("request_user_input", Effect.UNSAFE),
        ("collaboration__spawn_agent", Effect.UNSAFE),
        ("clock__sleep", Effect.PLAN),
        ("exec", Effect.UNSAFE),
        ("tool_call", Effect.UNSAFE),
        ("wait", Effect.UNSAFE),
        ("Agent", Effect.UNSAFE),
        ("read ", Effect.UNSAFE),
        ("READ", Effect.UNSAFE),
        ("", Effect.UNSAFE),
    ],
)
def test_tools_are_known_by_their_exact_names(name: str, effect: Effect) -> None:
    assert effect_of(name, "{}") is effect


def test_a_shell_is_as_safe_as_its_command() -> None:
    for name in SHELLS:
        assert effect_of(name, json.dumps({"command": "git status"})) is Effect.SHELL_SAFE
        assert effect_of(name, json.dumps({"command": "git push"})) is Effect.UNSAFE


def test_a_patch_is_as_safe_as_what_becomes_of_the_files() -> None:
    def effect(*lines: str, name: str = "input") -> Effect:
        patch = "\n".join(["*** Begin Patch", *lines, "*** End Patch"])
        return effect_of("apply_patch", json.dumps({name: patch}))

    update = ("*** Update File: a.py", "@@", "-old", "+new")
    assert effect(*update) is Effect.EDIT
    assert effect(*update, name="patchText") is Effect.EDIT
    assert effect(*update, "*** Add File: b.py", "+new") is Effect.EDIT
    assert effect(*update, name="patch") is Effect.UNSAFE
    assert effect(*update, "*** Delete File: b.py") is Effect.UNSAFE
    assert effect("*** Update File: a.py", "*** Move to: b.py", "@@", "-old", "+new") is Effect.UNSAFE
    assert effect("rm -rf /") is Effect.UNSAFE


def test_to_wait_is_harmless_and_to_end_what_runs_is_not() -> None:
    assert effect_of("wait", '{"cell_id": "1", "yield_time_ms": 100}') is Effect.PLAN
    assert effect_of("wait", '{"cell_id": "1", "terminate": false}') is Effect.PLAN
    assert effect_of("wait", '{"cell_id": "1", "terminate": true}') is Effect.UNSAFE
    assert effect_of("wait", '{"cell_id": "1", "kill": 1}') is Effect.UNSAFE


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("exec_command", {"cmd": "%s", "workdir": "/p", "yield_time_ms": 1000, "max_output_tokens": 10}),
        ("shell", {"command": ["bash", "-lc", "%s"], "timeout_ms": 1000}),
        ("shell_command", {"command": "%s", "workdir": "/p"}),
        ("run_shell_command", {"command": "%s", "is_background": False, "description": "Look", "directory": "/p"}),
        ("bash", {"command": "%s", "timeout": 1000, "workdir": "/p"}),
    ],
)
def test_commands_in_the_words_of_every_client(name: str, arguments: dict[str, object]) -> None:
    def effect(command: str) -> Effect:
        return effect_of(name, json.dumps(arguments).replace("%s", command))

    assert effect("sed -n 1,40p a.py") is Effect.SHELL_SAFE
    assert effect("git push") is Effect.UNSAFE


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Read", '{"file_path": "/home/u/\\u002eenv"}'),
        ("read", '{"filePath": "/home/u/.s\\u0073h/config"}'),
        ("Read", '{"file_path": "\\/proc\\/self\\/environ"}'),
        ("read_many_files", '{"paths": ["a", "b/\\u002eenv"]}'),
        ("Grep", '{"pattern": ".", "path": "/proc/self", "glob": "environ"}'),
        ("Grep", '{"pattern": ".", "glob": "shadow", "path": "/etc/"}'),
        ("grep", '{"pattern": ".", "path": "/home/u/.docker", "include": "config.json"}'),
        ("grep_search", '{"pattern": ".", "path": "/home/u/.config", "glob": "gh/*"}'),
    ],
)
def test_a_secret_is_one_however_its_name_is_written(name: str, arguments: str) -> None:
    assert effect_of(name, arguments) is Effect.UNSAFE


def test_what_is_searched_for_is_no_name_of_a_file() -> None:
    assert effect_of("Grep", json.dumps({"pattern": ".*environ", "path": "src", "glob": "*.py"})) is Effect.READ
    assert effect_of("Glob", json.dumps({"pattern": "**/*.py", "path": "/home/u/p"})) is Effect.READ


def test_a_tool_that_promises_to_read_only_is_believed_unless_it_is_known() -> None:
    assert effect_of("mcp__db__query", "{}", PROMISES) is Effect.READ
    assert effect_of("mcp__db__query", "{}", SILENT) is Effect.UNSAFE
    assert effect_of("Bash", '{"command": "rm x"}', ToolSpec("Bash", b"{}", read_only=True)) is Effect.UNSAFE
    write = b'{"properties": {"file_path": {}, "content": {}}}'
    assert effect_of("Write", "{}", ToolSpec("Write", write, read_only=True)) is Effect.EDIT
    assert effect_of("Write", "{}", ToolSpec("Write", b"{}", read_only=True)) is Effect.UNSAFE


def test_the_users_word_stands_above_all() -> None:
    own = {"Read": Effect.UNSAFE, "Bash": Effect.UNSAFE, "mcp__db__query": Effect.READ}
    assert effect_of("Read", "{}", own=own) is Effect.UNSAFE
    assert effect_of("Bash", '{"command": "ls"}', own=own) is Effect.UNSAFE
    assert effect_of("mcp__db__query", "{}", SILENT, own) is Effect.READ
    assert effect_of("Grep", "{}", own=own) is Effect.READ


def test_the_exact_name_counts_before_a_beginning_and_a_longer_beginning_before_a_shorter() -> None:
    own = {
        "mcp__*": Effect.UNSAFE,
        "mcp__github__*": Effect.EDIT,
        "mcp__github__get_*": Effect.READ,
        "mcp__github__get_token": Effect.UNSAFE,
    }
    assert effect_of("mcp__github__get_issue", "{}", PROMISES, own) is Effect.READ
    assert effect_of("mcp__github__get_", "{}", own=own) is Effect.READ
    assert effect_of("mcp__github__create", "{}", own=own) is Effect.EDIT
    assert effect_of("mcp__github__get_token", "{}", own=own) is Effect.UNSAFE
    assert effect_of("mcp__db__query", "{}", PROMISES, own) is Effect.UNSAFE


def test_a_star_is_only_a_pattern_at_the_end_of_the_users_word() -> None:
    assert effect_of("mcp__x", "{}", own={"mcp_*x": Effect.READ}) is Effect.UNSAFE
    assert effect_of("mcp__*", "{}", own={"mcp__": Effect.READ}) is Effect.UNSAFE


def test_edits_and_unsafe_calls_are_never_always_released() -> None:
    assert frozenset(Effect) - RELEASED == {Effect.EDIT, Effect.UNSAFE}
    assert not (SHELLS | PATCHES | CALLERS | WAITS) & TOOLS.keys()


@given(st.text(), st.text(), st.dictionaries(st.text(), st.sampled_from(Effect)))
def test_any_call_has_an_effect(name: str, arguments: str, own: dict[str, Effect]) -> None:
    assert effect_of(name, arguments, None, own) in Effect
    assert effect_of("Bash", arguments) in (Effect.SHELL_SAFE, Effect.UNSAFE)
