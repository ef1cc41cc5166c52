"""What a simulated model does next, given a conversation and the client's own tools."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.messages import calls, texts
from tests.support.simulated import ask
from tests.support.tools import ALL, BASH, EDIT, READ, request, result, use

FILE = "1\thello world\n2\tsecond line\n"


def play(task: str, tools: list[dict[str, Any]], world: dict[str, str], **fields: Any) -> tuple[list[str], str]:
    """Runs the tool loop as an agent does. `world` maps a tool's name to what it answers. Returns tools used, text."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": task}]
    used: list[str] = []
    for _ in range(20):
        answer = ask(request(*messages, tools=tools, **fields))
        messages.append({"role": "assistant", "content": answer["content"]})
        made = [b for b in answer["content"] if b["type"] == "tool_use"]
        assert (answer["stop_reason"] == "tool_use") == bool(made)
        if not made:
            return used, texts(answer)
        results = []
        for block in made:
            schema = next(t["input_schema"] for t in tools if t["name"] == block["name"])
            jsonschema_rs.validate(schema, block["input"])
            used.append(block["name"])
            results.append({"type": "tool_result", "tool_use_id": block["id"], "content": world[block["name"]]})
        messages.append({"role": "user", "content": results})
    raise AssertionError(f"no end in sight: {used}")


LISTING = "\n".join(f"src/{n}.py" for n in ("fees", "rates", "cart", "zones", "orders", "labels", "boxes"))
WORLD = {
    "Grep": LISTING,
    "Glob": "src/fees.py\nsrc/rates.py",
    "Read": "     1→def fee(total):\n     2→    return round(total)\n",
    "TodoWrite": "Todos have been modified",
    "Edit": "The file has been updated.",
    "Bash": "4 passed in 0.10s",
}


@pytest.mark.parametrize("model", ["draft", "verify"])
def test_a_change_is_searched_read_planned_made_tested_and_reported(model: str) -> None:
    used, text = play(
        "Fix the rounding of fees: replace `round(total)` with `round(total, 2)`", ALL, WORLD, model=model
    )
    assert used == ["Grep", "Read", "Read", "Read", "TodoWrite", "Edit", "Bash", "TodoWrite"]
    assert text.startswith("(Simulated answer.)")
    assert "4 passed" in text


def test_a_question_is_searched_read_and_answered() -> None:
    used, text = play("Where is the fee computed?", ALL, WORLD)
    assert used == ["Grep", "Read", "Read", "Read", "Read"]
    assert "fees.py" in text
    assert "fee" in text


def test_a_detailed_question_gets_a_longer_answer() -> None:
    short = play("Where is the fee computed?", ALL, WORLD)[1]
    used, text = play("Explain in detail how the fee is computed", ALL, WORLD)
    assert used.count("Read") == 6
    assert len(text) > len(short)


def test_claude_codes_default_tools_without_search_or_plan() -> None:
    world = {"Read": FILE, "Edit": "ok", "Bash": "total 1"}
    used, _ = play("Change the greeting in hello.txt to goodbye.", [BASH, EDIT, READ], world)
    assert used == ["Read", "Edit", "Bash"]


def test_only_a_shell() -> None:
    used, text = play("Where is the fee computed?", [BASH], {"Bash": "fees.py\nREADME.md"})
    assert used == ["Bash"]
    assert "Simulated" in text


def test_other_clients_spell_tools_differently() -> None:
    schema = {"type": "object", "properties": {"filePath": {"type": "string"}}, "required": ["filePath"]}
    answer = ask(request("What is in hello.txt?", tools=[{"name": "read", "input_schema": schema}]))
    assert calls(answer) == [("read", {"filePath": "hello.txt"})]


def test_paths_are_made_absolute_with_the_working_directory() -> None:
    system = "# Environment\nPrimary working directory: /home/dev/shop\nmore"
    answer = ask(request("Change src/../hello.txt to goodbye", tools=ALL, system=system))
    assert calls(answer) == [("Read", {"file_path": "/home/dev/shop/hello.txt"})]


def test_an_edit_replaces_text_that_occurs_once() -> None:
    seen = "a = 1\nb = round(x)\nc = 1\nd = round(x)\n"
    conversation: list[Any] = [
        "Replace `round(x)` with `round(x, 2)` in fees.py",
        use("t1", "Read", file_path="fees.py"),
        result("t1", seen),
    ]
    ((name, arguments),) = calls(ask(request(*conversation, tools=[EDIT, READ])))
    assert name == "Edit"
    assert seen.count(arguments["old_string"]) == 1
    assert "round(x, 2)" in arguments["new_string"]


def test_a_failed_edit_is_not_tried_for_ever() -> None:
    messages: list[Any] = ["Change the greeting in hello.txt to goodbye", use("t0", "Read", file_path="hello.txt")]
    messages.append(result("t0", FILE))
    for n in range(1, 3):
        ((name, arguments),) = calls(ask(request(*messages, tools=[EDIT, READ])))
        assert name == "Edit"
        messages += [use(f"t{n}", "Edit", **arguments), result(f"t{n}", "not read yet", is_error=True)]
    assert "nothing was edited" in texts(ask(request(*messages, tools=[EDIT, READ])))


def test_an_approval_carries_out_what_was_proposed() -> None:
    messages: list[Any] = [
        "What would you change in fees.py so that fees are exact? Propose it first.",
        use("t1", "Read", file_path="fees.py"),
        result("t1", "def fee(total):\n    return round(total)\n"),
        {"role": "assistant", "content": "In fees.py I would replace `round(total)` with `round(total, 2)`. Shall I?"},
        "yes, go ahead",
    ]
    ((name, arguments),) = calls(ask(request(*messages, tools=ALL)))
    assert (name, arguments["new_string"].strip()) == ("Edit", "return round(total, 2)")


def test_reminders_are_not_taken_for_the_users_words() -> None:
    content = [
        {"type": "text", "text": "<system-reminder>\nFix old.py\n</system-reminder>"},
        {"type": "text", "text": "hi"},
    ]
    answer = ask(request({"role": "user", "content": content}, tools=ALL))
    assert all("old.py" not in json.dumps(c) for c in calls(answer))


def test_a_title_fits_its_schema() -> None:
    schema = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    body = request("Fix the fees", tools=[], output_config={"format": {"type": "json_schema", "schema": schema}})
    assert json.loads(texts(ask(body))) == {"title": "Simulated: Fix the fees"}


LEAVES: list[dict[str, Any]] = [
    {"type": "string"},
    {"type": "string", "minLength": 12},
    {"type": "string", "maxLength": 3},
    {"enum": ["b", "a"]},
    {"const": 7},
    {"type": "integer", "minimum": 3},
    {"type": "number", "exclusiveMinimum": 0, "maximum": 5},
    {"type": "boolean"},
    {"type": ["null", "string"]},
    {"type": "null"},
]


def bigger(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    lists = st.builds(lambda s, n: {"type": "array", "items": s, "minItems": n}, inner, st.integers(0, 2))
    either = inner.map(lambda s: {"anyOf": [s, {"type": "null"}]})
    objects = st.dictionaries(st.sampled_from(["title", "path", "n"]), inner).map(
        lambda p: {"type": "object", "properties": p, "required": list(p), "additionalProperties": False}
    )
    return lists | either | objects


schemas = st.recursive(st.sampled_from(LEAVES), bigger)


@given(schemas)
def test_any_asked_format_is_kept_to(schema: dict[str, Any]) -> None:
    body = request("x", output_config={"format": {"type": "json_schema", "schema": schema}})
    jsonschema_rs.validate(schema, json.loads(texts(ask(body))))


def test_forced_and_forbidden_tools() -> None:
    forced = ask(request("hi", tools=ALL, tool_choice={"type": "tool", "name": "TodoWrite"}))
    assert calls(forced) == [("TodoWrite", {"todos": []})]
    assert calls(ask(request("Fix it", tools=ALL, tool_choice={"type": "none"}))) == []


def test_a_compaction_gets_a_summary() -> None:
    text = texts(ask(request("hi", {"role": "assistant", "content": "x"}, "Respond with TEXT ONLY.", tools=ALL)))
    assert text.startswith("<summary>")
    assert text.endswith("</summary>")


def test_the_output_limit_is_kept() -> None:
    answer = ask(request("Where is it?", max_tokens=12))
    assert answer["stop_reason"] == "max_tokens"
    assert answer["usage"]["output_tokens"] <= 13
    prewarm = ask(request("Where is it?", max_tokens=0))
    assert (prewarm["content"], prewarm["stop_reason"]) == ([], "max_tokens")
