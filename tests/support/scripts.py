"""Ready scripts for the fake upstream: functions of (request JSON, number of the call) to a `Reply`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.support.replies import Reply

Json = dict[str, Any]
Script = Callable[[Json, int], Reply]

_ACCEPT = re.compile(r"ACCEPT-[0-9a-f]{16}")
_READERS = ("Read", "read_file", "read", "view")
_EDITORS = ("Edit", "edit", "replace")
_SHELLS = ("Bash", "bash", "shell", "run_shell_command", "exec_command")


def always_text(text: str = "Hello from the fake upstream.") -> Script:
    return lambda _body, _n: Reply(text)


def sequence(*replies: Reply) -> Script:
    """One reply a call; the last one again and again."""
    return lambda _body, n: replies[min(n, len(replies) - 1)]


def first(reply: Reply, then: Script) -> Script:
    return lambda body, n: reply if n == 0 else then(body, n)


def by_model(**scripts: Script) -> Script:
    """Scripts by a word in the requested model's name; counts calls of each apart. `other` is for any other model."""
    counts: dict[str, int] = {}

    def script(body: Json, _n: int) -> Reply:
        name = next((w for w in scripts if w in str(body.get("model"))), "other")
        counts[name] = counts.get(name, -1) + 1
        return scripts[name](body, counts[name])

    return script


def verifier(accept: Callable[[int], bool], otherwise: Script) -> Script:
    """Judges shown candidates: the n-th is accepted or not; everything else, and what is not, goes to `otherwise`."""
    seen = [0]

    def script(body: Json, n: int) -> Reply:
        word = _ACCEPT.search(last_text(body))
        if word is None:
            return otherwise(body, n)
        seen[0] += 1
        return Reply(word.group()) if accept(seen[0] - 1) else otherwise(without_last_text(body), n)

    return script


def agentic(workdir: Path, file: str = "hello.txt", old: str = "hello world", new: str = "goodbye world") -> Script:
    """Read, then a shell's `ls`, then an edit, then a text; with the client's own tools. Titles and other formats
    without tools are answered with JSON that fits."""
    path = str(workdir / file)

    def script(body: Json, _n: int) -> Reply:
        asked = formatted(body)
        if asked is not None:
            return asked
        tools = {t["name"]: t.get("input_schema", {}) for t in body.get("tools") or []}
        steps = [
            _call(tools, _READERS, {("file_path", "filePath", "path", "absolute_path"): path}),
            _call(tools, _SHELLS, {("command", "cmd"): "ls -la", ("description",): "List files"}),
            _call(
                tools,
                _EDITORS,
                {
                    ("file_path", "filePath", "path"): path,
                    ("old_string", "oldString"): old,
                    ("new_string", "newString"): new,
                },
            ),
        ]
        usable = [s for s in steps if s is not None]
        done = steps_done(body)
        if done < len(usable):
            return Reply(f"Step {done + 1}.", calls=(usable[done],))
        return Reply(f"Done: {file} is changed.")

    return script


def formatted(body: Json) -> Reply | None:
    """JSON for a request that has a format and no tools; None for any other."""
    schema = ((body.get("output_config") or {}).get("format") or {}).get("schema")
    if schema is None or body.get("tools"):
        return None
    blank = {"string": "Fake title", "boolean": False, "integer": 0, "number": 0, "array": [], "object": {}}
    return Reply(json.dumps({k: blank.get(v.get("type")) for k, v in schema.get("properties", {}).items()}))


def steps_done(body: Json) -> int:
    """Assistant messages since the user last spoke (tool results are not speech)."""
    done = 0
    for message in reversed(body["messages"]):
        if message["role"] == "assistant":
            done += 1
        elif message["role"] == "user" and not any(b.get("type") == "tool_result" for b in _blocks(message)):
            break
    return done


def last_text(body: Json) -> str:
    """The last text block of the last message, if that is the user's."""
    last = body["messages"][-1]
    texts = [b["text"] for b in _blocks(last) if b.get("type") == "text"]
    return texts[-1] if last["role"] == "user" and texts else ""


def without_last_text(body: Json) -> Json:
    *before, last = body["messages"]
    rest = _blocks(last)[:-1]
    return body | {"messages": [*before, *([last | {"content": rest}] if rest else [])]}


def _blocks(message: Json) -> list[Json]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _call(tools: dict[str, Json], names: Sequence[str], values: dict[tuple[str, ...], str]) -> tuple[str, Json] | None:
    name = next((n for n in names if n in tools), None)
    if name is None:
        return None
    properties = tools[name].get("properties", {})
    chosen = ((next((k for k in keys if k in properties), None), value) for keys, value in values.items())
    return name, {key: value for key, value in chosen if key is not None}
