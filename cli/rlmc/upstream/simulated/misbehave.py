"""What a model says when it is asked to go wrong: the `answer` faults of `faults`, and plain mistakes."""

from __future__ import annotations

from typing import Any

import msgspec

from rlmc.upstream.simulated import texts
from rlmc.upstream.simulated.agent import Reply
from rlmc.upstream.simulated.body import Body
from rlmc.upstream.simulated.conversation import read_conversation
from rlmc.upstream.simulated.edits import Edit, edit_for
from rlmc.upstream.simulated.kinds import Kind, kind_of
from rlmc.upstream.simulated.tools import Call, Toolbox, call

_NO_CALL = Call("Read", "{}")


def wrong_reply(fault: str, body: Body) -> Reply:
    conversation = read_conversation(body)
    toolbox = Toolbox.of(body)
    path = next(iter(conversation.paths), "notes.txt")
    read = toolbox.read(path) or toolbox.forced(None) or _NO_CALL
    match fault:
        case "refusal":
            return Reply(stop="refusal")
        case "empty":
            return Reply(stop="end_turn")
        case "max-tokens":
            return Reply(f"{texts.LABEL} This is cut o", stop="max_tokens")
        case "leak":
            return Reply(f"I will look at it.\n<tool_call>\n{_as_json(read)}\n</tool_call>")
        case "bad-json":
            return Reply(calls=(Call(read.name, read.arguments[:-1] + ', "limit": '),))
        case "bad-schema":
            return Reply(calls=(call(read.name, {"simulated_argument": [1, None]}),))
        case "unknown-tool":
            return Reply(calls=(call("NoSuchTool", {"path": path}),))
        case "edit":
            edit = edit_for(conversation) or Edit(path, "simulated old text", "simulated new text")
            return Reply(calls=(toolbox.edit(edit.path, edit.old, edit.new) or _named(Kind.EDIT, toolbox, edit.path),))
        case "shell":
            run = toolbox.shell("rm -rf build", "Remove build output")
            return Reply(calls=(run or call("Bash", {"command": "rm -rf build"}),))
        case "many":
            return Reply(calls=(read,) * 20)
        case _:
            return Reply(texts.long_text(conversation))


def mistake(reply: Reply) -> Reply:
    """A wrong answer that looks like any other to whoever does not know the mark: work that is left undone, or a
    statement that is not true."""
    return Reply(
        f"{texts.LABEL} There is nothing more to do here. {texts.MISTAKE}"
        if reply.calls
        else f"{reply.text} {texts.MISTAKE}"
    )


def mistake_in(reply: Reply, kind: Kind) -> Reply:
    """The same answer with the first call of this kind made wrongly, in a way that breaks no rule of its tool's."""
    calls = list(reply.calls)
    for at, made in enumerate(calls):
        if kind_of(made.name) is kind:
            calls[at] = Call(made.name, msgspec.json.encode(_wrong(made.input)).decode())
            return Reply(reply.text, tuple(calls), reply.stop)
    return reply


def _wrong(arguments: Any) -> Any:
    """The last text in them is another one. Code stays code: to most languages a comment is added."""
    match arguments:
        case str():
            return f"{arguments}  # {texts.MISTAKE}"
        case [*items, last]:
            return [*items, _wrong(last)]
        case dict():
            name = next((name for name, value in reversed(arguments.items()) if isinstance(value, str | list)), None)
            return arguments if name is None else {**arguments, name: _wrong(arguments[name])}
        case _:
            return arguments


def _named(kind: Kind, toolbox: Toolbox, path: str) -> Call:
    """A call of a tool whose arguments this version does not know how to fill."""
    tool = toolbox.find(kind)
    return call(str(tool["name"]) if tool else "Edit", {"file_path": path, "old_string": "a", "new_string": "b"})


def _as_json(made: Call) -> str:
    return f'{{"name": "{made.name}", "arguments": {made.arguments}}}'
