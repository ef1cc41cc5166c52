"""Scripts of Codex's `exec`: the plain ones are read as JavaScript reads them, all others not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.cascade.effects import Effect, effect_of
from rlmc.cascade.inner_calls import inner_calls
from rlmc.cascade.scripts import read_script
from rlmc.domain.chat import ToolCall

LOOK = 'const r = await tools.exec_command({cmd: "git status"}); text(r.output ?? r);'
BOTH = (
    '// @exec: {"yield_time_ms": 10000}\n'
    "const [a, b] = await Promise.all([\n"
    "  tools.exec_command({cmd: 'cat a.py', workdir: \"/p\", yield_time_ms: 1_000,}),\n"
    '  tools.exec_command({"cmd": `ls src`}),\n'
    "]);\n"
    "text(`${a.output}\\n---\\n${b.output}`); // both\n"
    "notify(JSON.stringify(a, null, 2))\n"
)
EACH = (
    "const both = await Promise.all([tools.exec_command({cmd: 'ls'}), tools.update_plan({plan: []})]);\n"
    "for (const r of both) text(r.output);\n"
    "both.forEach((r, i) => { text(r.output.trim().slice(0, 100)); text(i); });\n"
)
HARMLESS = (LOOK, BOTH, EACH, 'await tools.update_plan({plan: [{step: "a", status: "pending"}]})', "text('done')")


def calls(source: str) -> list[tuple[str, object]] | None:
    script = read_script(source)
    return None if script is None else [(name, json.loads(arguments)) for name, arguments in script.calls]


def effect(source: str) -> Effect:
    return effect_of("exec", json.dumps({"input": source}))


def test_calls_are_read_with_their_arguments() -> None:
    assert calls(LOOK) == [("exec_command", {"cmd": "git status"})]
    assert calls(BOTH) == [
        ("exec_command", {"cmd": "cat a.py", "workdir": "/p", "yield_time_ms": 1000}),
        ("exec_command", {"cmd": "ls src"}),
    ]
    assert calls(EACH) == [("exec_command", {"cmd": "ls"}), ("update_plan", {"plan": []})]
    assert calls("") == []


@pytest.mark.parametrize("source", HARMLESS)
def test_a_harmless_script_is_harmless(source: str) -> None:
    assert effect(source) in (Effect.SHELL_SAFE, Effect.PLAN)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"'it\'s'", "it's"),
        (r'"a\n\t\"b\" \\ \x41\u0042\u{1F600} \d"', 'a\n\t"b" \\ AB\U0001f600 d'),
        (r'"\ud83d\ude00"', "\U0001f600"),
        ("`two\nlines`", "two\nlines"),
        ("`a \\`b\\` \\${c}`", "a `b` ${c}"),
        ("'on ' + \"two \" +\n `sides`", "on two sides"),
        ("String.raw`C:\\new\\`", None),
        ("String.raw`C:\\new\\table`", "C:\\new\\table"),
        ('["a", "b",].join("\\n")', "a\nb"),
        ('"long \\\nline\\\u2028s"', "long lines"),
    ],
)
def test_texts_are_what_javascript_makes_of_them(written: str, meant: str | None) -> None:
    found = calls(f"const patch = {written};\ntext(await tools.apply_patch(patch));")
    assert found == (None if meant is None else [("apply_patch", {"input": meant})])


def test_values_are_what_javascript_makes_of_them() -> None:
    source = "const cmd = 'ls', x; await tools.a({cmd})"
    assert calls(source) is None
    source = "const cmd = 'ls'\nconst more = {n: -1.5, deep: [true, null, {'k': cmd}]}\nawait tools.a({cmd, more})"
    assert calls(source) == [("a", {"cmd": "ls", "more": {"n": -1.5, "deep": [True, None, {"k": "ls"}]}})]


@pytest.mark.parametrize(
    "source",
    [
        "tools.exec_command({cmd: 'ls'})",  # not waited for
        "const f = tools.exec_command; await f({cmd: 'ls'})",
        "await tools['exec_command']({cmd: 'ls'})",
        "await tools.exec_command({cmd: 'ls'}).then(() => 1)",
        "await tools.exec_command({cmd: `ls ${x}`})",
        "const t = tools; text(1)",
        "const text = 1; text(2)",
        "const tools = {}; await tools.a()",
        "const a = 'ls'; const a = 'rm'",
        "let a = 'ls'; a = 'rm x'; await tools.exec_command({cmd: a})",
        "if (true) await tools.exec_command({cmd: 'ls'})",
        "for (const x of [1, 2]) await tools.exec_command({cmd: 'ls'})",
        "const rs = await Promise.all([tools.a()]); for (const r of rs) text(await tools.exec_command({cmd: 'ls'}))",
        "await tools.a({...b})",
        "await tools.a({['cmd']: 'ls'})",
        "await tools.a({cmd: 'ls', cmd: 'rm'})",
        "await tools.a({__proto__: {cmd: 'rm'}})",
        "await tools.a({'\\x5f_proto__': {cmd: 'rm'}})",
        "await tools.a({get cmd() { return 'rm' }})",
        "await tools.a({cmd: 1n})",
        "await tools.a({cmd: 010})",
        "await tools.a(1)",
        "await tools.a('a', 'b')",
        "await tools.a('\\ud800')",
        "await \\u0074ools.a()",
        "const r = await tools.a(); r.constructor.constructor('return 1')()",
        "const r = await tools.a(); text(r.constructor('x'))",
        "const r = await tools.a(); text(unknown)",
        "store('k', 1)",
        "exit()",
        "setTimeout(() => {}, 1)",
        "eval('1')",
        "text(/x/.test('a'))",
        "text('a'); \u00a0text('b')",
        "// a\u2028await tools.a()\nawait tools.b(",
        "image('https://example.com/x.png')",
        "text('unclosed",
        "text('a'); /* unclosed",
        "text('a')\r\n",
    ],
)
def test_what_is_not_plain_is_not_read(source: str) -> None:
    assert read_script(source) is None
    assert effect(source) is Effect.UNSAFE


@pytest.mark.parametrize("number", ["1" * 5_000, "-" + "1" * 5_000, "9" * 400 + ".5", "9007199254740993"])
def test_a_number_that_is_another_one_in_javascript_is_not_read(number: str) -> None:
    assert read_script(f"text({number})") is None
    assert effect(f"await tools.exec_command({{cmd: 'ls', yield_time_ms: {number}}})") is Effect.UNSAFE


def test_a_comment_ends_where_javascript_ends_it() -> None:
    assert calls("// a\u2028await tools.rm()") is None
    assert calls("/* await tools.rm() **/ text(1)") == []


@pytest.mark.parametrize(
    ("source", "shows"),
    [
        (LOOK, "output"),
        ("const r = await tools.exec_command({cmd: 'ls'})\ntext(r.output)", "output"),
        ("text((await tools.exec_command({cmd: 'ls'})).output)", "output"),
        ("const r = await tools.exec_command({cmd: 'ls'}); text(r);", "result"),
        ("text(await tools.exec_command({cmd: 'ls'}))", "result"),
        ("const r = await tools.exec_command({cmd: 'ls'}); text(r.output.trim())", ""),
        ("const r = await tools.exec_command({cmd: 'ls'}); text('got ' + r.output)", ""),
        ("const r = await tools.exec_command({cmd: 'ls'}); text(r.output); text('x')", ""),
        ("const r = await tools.exec_command({cmd: 'ls'}); notify(r.output)", ""),
        (BOTH, ""),
        (EACH, ""),
    ],
)
def test_what_a_script_shows_of_its_one_call(source: str, shows: str) -> None:
    script = read_script(source)
    assert script is not None
    assert script.shows == shows


# --- what a script does at worst -------------------------------------------------------------------------------------


def test_a_part_of_the_output_is_not_taken_for_it() -> None:
    script = read_script("text((await tools.exec_command({cmd: 'cat a.py'})).output.slice(0, 9) ?? ('').output)")
    assert script is not None and script.shows == ""


def test_the_worst_call_decides() -> None:
    assert effect("const r = await tools.exec_command({cmd: 'rm x'}); text(r)") is Effect.UNSAFE
    patch = "await tools.apply_patch('*** Begin Patch\\n*** Add File: a\\n+x\\n*** End Patch')"
    assert effect(patch) is Effect.EDIT
    assert effect(f"{LOOK} {patch}") is Effect.EDIT
    assert effect(f"{LOOK} {patch}; await tools.write_stdin({{chars: 'y'}})") is Effect.UNSAFE
    assert effect("await tools.mcp__db__query({sql: 'select 1'})") is Effect.UNSAFE
    assert effect("await tools.exec('text(1)')") is Effect.UNSAFE


def test_the_users_word_holds_within_a_script_too() -> None:
    arguments = json.dumps({"input": "await tools.mcp__db__query({sql: 'select 1'})"})
    assert effect_of("exec", arguments, own={"mcp__db__*": Effect.READ}) is Effect.READ
    assert effect_of("exec", json.dumps({"input": LOOK}), own={"exec_command": Effect.UNSAFE}) is Effect.UNSAFE


@pytest.mark.parametrize("arguments", ["", "{}", "[]", '{"input": 1}', '{"input": "text(1)", "more": 1}', "{"])
def test_a_call_without_a_script_is_unsafe(arguments: str) -> None:
    assert effect_of("exec", arguments) is Effect.UNSAFE


def test_a_call_through_another_is_what_it_comes_to() -> None:
    assert effect_of("tool_call", '{"name": "read_file", "arguments": {"file_path": "a"}}') is Effect.READ
    assert effect_of("tool_call", '{"name": "cron_create", "arguments": {}}') is Effect.UNSAFE
    assert effect_of("tool_call", '{"name": "tool_call", "arguments": {"name": "read_file"}}') is Effect.UNSAFE
    assert inner_calls(ToolCall("c", "tool_call", '{"name": "a", "arguments": {"b": 1}}')) == (
        ToolCall("c", "a", '{"b":1}'),
    )
    assert inner_calls(ToolCall("c", "Read", "{}")) == (ToolCall("c", "Read", "{}"),)


# --- properties ------------------------------------------------------------------------------------------------------

UNKNOWN = "await tools.nobody_knows({})"
PIECES = [
    *LOOK,
    *"{}()[]`'\"\\;,.:?+/*$<>=\n -",
    "await ",
    "tools.",
    "text(",
    "${",
    "//",
    "/*",
    "*/",
    UNKNOWN,
    LOOK,
    "=>",
]


@given(st.text())
def test_any_text_is_read_or_not(source: str) -> None:
    read_script(source)


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_no_call_is_overlooked(source: str) -> None:
    """Whatever is read has as many calls as the source names tools outside of texts and comments, at the least."""
    found = read_script(source)
    if found is not None and "'" not in source and '"' not in source and "`" not in source and "/" not in source:
        assert len(found.calls) == source.count("tools.")


@given(st.sampled_from(HARMLESS), st.data())
def test_a_harmless_script_with_an_unknown_call_put_in_is_never_harmless(source: str, data: st.DataObject) -> None:
    """Wherever it is put: where it is no text or comment, the script is unsafe."""
    at = data.draw(st.integers(0, len(source)))
    mark = data.draw(st.sampled_from([UNKNOWN, f";{UNKNOWN};", f"\n{UNKNOWN}\n", f"${{{UNKNOWN}}}", f"+ ({UNKNOWN})"]))
    changed = source[:at] + mark + source[at:]
    found = read_script(changed)
    named = found is not None and any(name == "nobody_knows" for name, _ in found.calls)
    in_text = found is not None and _inside(source, at)
    assert found is None or named or in_text
    if named or not in_text:
        assert effect(changed) is Effect.UNSAFE


def _inside(source: str, at: int) -> bool:
    """Whether a place lies in a text or a comment: told by a walk of its own over these few scripts."""
    quote = ""
    for n, sign in enumerate(source[:at]):
        if quote:
            quote = "" if sign == quote else quote
        elif source.startswith("//", n):
            quote = "\n"
        elif sign in "'\"`":
            quote = sign
    return bool(quote)
