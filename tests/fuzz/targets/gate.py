"""Drafted calls at the gate: any name, any arguments, over any file seen before. Nothing raises, and what is released
is understood by its runner as it was here.

An input has four parts, with lines of `---` between them: the name of a tool, its arguments, a text that the session
has read as `a.py`, and what the draft says.
"""

from __future__ import annotations

import json
from typing import Any

from tests.fuzz.target import Target
from tests.support.playbook import calls, request, turn, user

from rlmc.cascade.effects import RELEASED, effect_of
from rlmc.cascade.effects.tools import CALLERS, SHELLS
from rlmc.cascade.inner_calls import inner_calls
from rlmc.cascade.reading import CONTENT
from rlmc.domain.chat import ChatRequest, Message, ToolCall, ToolResult, ToolSpec
from rlmc.domain.effect import Effect

_ARGUMENTS = ("file_path", "filePath", "old_string", "new_string", "content", "command", "cmd", "input", "patchText")
_SCHEMA = json.dumps({"type": "object", "properties": {name: {} for name in _ARGUMENTS}}).encode()
_STRICT = json.dumps(
    {
        "type": "object",
        "properties": {"file_path": {"type": "string", "pattern": "^[a-z/.]+$"}, "limit": {"type": "integer"}},
        "required": ["file_path"],
        "additionalProperties": False,
    }
).encode()
_TOOLS = (
    ToolSpec("Read", _STRICT),
    *(
        ToolSpec(name, _SCHEMA)
        for name in (
            *(
                "Write",
                "Edit",
                "MultiEdit",
                "Bash",
                "edit",
                "apply_patch",
                "exec",
                "exec_command",
                "shell",
                "tool_call",
            ),
            *("read_file", "write_file", "TodoWrite", "Grep", "wait"),
        )
    ),
    ToolSpec("mcp__look", _SCHEMA, read_only=True),
)


def run(data: bytes) -> bool:
    name, arguments, seen, said = _parts(data)
    effect = effect_of(name, arguments)
    _, drafted = CONTENT.draft(turn(_session(seen)), calls(name, arguments, said))
    inner_calls(ToolCall("c", name, arguments))
    assert effect is not Effect.SHELL_SAFE or name in (*SHELLS, *CALLERS)
    released = drafted.effect in RELEASED and not drafted.findings
    if released:
        _is_understood_alike(name, arguments, effect)
    return released


def _parts(data: bytes) -> tuple[str, str, str, str]:
    parts = data.decode(errors="replace").split("\n---\n", 3)
    name, arguments, seen, said = (*parts, "", "", "", "")[:4]
    return name.strip(), arguments, seen, said


def _session(seen: str) -> ChatRequest:
    return request(
        user("Fix it."),
        Message("assistant", (ToolCall("t", "Read", '{"file_path":"/p/a.py"}'),)),
        Message("user", (ToolResult("t", len(seen), is_error=False, text=seen),)),
        tools=_TOOLS,
    )


def _is_understood_alike(name: str, arguments: str, effect: Effect) -> None:
    """The client reads the arguments with a JSON reader of its own: what it understands has no other effect."""
    assert any(tool.name == name for tool in _TOOLS)
    given: Any = json.loads(arguments or "{}")
    assert isinstance(given, dict)
    again = effect_of(name, json.dumps(given), None)
    assert again is effect or name == "mcp__look", (effect, again)


TARGETS = (
    Target(
        "gate",
        run,
        (b"\n---\n", b'"file_path":"/p/a.py",', b'"old_string":"x",', b'"new_string":"y",', b'"content":"x",', b'"command":"ls"',
         b'"command":["bash","-lc","ls"]', b'"cmd":"cat a.py"', b'"replace_all":true,', b'"edits":[],', b'"run_in_background":true,',
         b"*** Begin Patch\\n", b"*** End Patch", b"*** Update File: a.py\\n", b"*** Add File: b.py\\n+x\\n", b"*** Delete File: a.py\\n",
         b"*** Move to: b.py\\n", b"@@\\n", b"-x\\n", b"+y\\n", b" x\\n", b"*** End of File\\n", b"Edit", b"Bash", b"exec", b"apply_patch",
         b'"input":"const r = await tools.exec_command({cmd: \\"ls\\"}); text(r.output);"', b"await ", b"tools.", b"`${", b"=>", b"//",
         b"for (const x of [1]) ", b"Promise.all([", b"JSON.stringify(", b'"name":"Read","arguments":{}', b"<tool_call>", b"<invoke ",
         b"     1\tx\n", b"    def f(): pass\n", b".env", b"id_rsa", b'"\\ud800"', b'"__proto__":{},', b'"command":"rm x",', b"1e999"),
        800,
    ),
)  # fmt: skip
