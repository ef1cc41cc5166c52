"""The requests every server under test is asked: shaped like a coding agent's, made up, and the same on every run.

Rule: nothing here depends on a clock or on chance; two processes that build the same request get the same bytes.
"""

from __future__ import annotations

import functools
import random
from typing import Any, Literal

import msgspec

Json = dict[str, Any]
Kind = Literal["agent", "agent-mid-task", "small", "small-whole", "growing"]

# Gateways are set up for a list of models; this name is in the lists of those compared with, and has a known price.
MODEL = "claude-sonnet-4-5-20250929"
AGENT_BYTES = 100_000
GROWN_TURN, GROWN_BYTES = 500, 1_000_000  # a growing session is so long at that turn
SMALL_BYTES = 1_000
MESSAGES = 21

# What agents send besides the length and the host.
HEADERS: tuple[tuple[str, str], ...] = (
    ("accept", "application/json"),
    ("content-type", "application/json"),
    ("user-agent", "bench/1.0 (external, cli)"),
    ("x-stainless-arch", "x64"),
    ("x-stainless-lang", "js"),
    ("x-stainless-os", "Linux"),
    ("x-stainless-package-version", "0.128.0"),
    ("x-stainless-retry-count", "0"),
    ("x-stainless-runtime", "node"),
    ("x-stainless-timeout", "600"),
    ("anthropic-beta", "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27"),
    ("anthropic-version", "2023-06-01"),
    ("x-api-key", "sk-ant-nobodys-key-0000"),
    ("x-app", "cli"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
)

_READ = "Read"
_TOOLS = (
    *("Agent", "Bash", "BashOutput", "Edit", "Glob", "Grep", "KillShell", "ListAgents", "MultiEdit", "NotebookEdit"),
    *(_READ, "Skill", "TodoWrite", "ToolSearch", "WebFetch", "WebSearch", "Write"),
)
_VOCABULARY = (
    "the a of to in is that for on with as by from parse stream token model buffer index queue socket branch merge "
    "test build error value schema option default config cache event loop await return yield class import module path "
    "file line column offset header body request answer limit retry price turn task agent session ledger draft verify"
)
# Code has line ends, quotes and now and then a letter beyond ASCII: what makes JSON decoders leave their fast paths.
_SPICE = ("\n", "\n    ", ' "name": "x",', "\\d+\\.", " naïve", " → ", "\t", " `f(x)`.", "\n\n## Notes\n")


@functools.cache
def body_of(kind: Kind, pause_ms: int = 0) -> bytes:
    """The request's body. `pause_ms` asks the fake upstream to rest between two events of its stream."""
    user_id = f"user_bench_pause_{pause_ms}"
    if kind in ("small", "small-whole"):
        return _encode(_small(user_id, stream=kind == "small"), SMALL_BYTES)
    return _encode(_agent(user_id, mid_task=kind == "agent-mid-task"), AGENT_BYTES)


class Growing:
    """A session that grows: each turn appends an exchange to what came before, and the markers move to its end, as
    Claude Code has it. Turns follow a failed command, every tenth the user's words, so that all of them go direct."""

    def __init__(self) -> None:
        request = _agent("user_bench_pause_0", mid_task=False) | {"messages": []}
        head, between, tail = msgspec.json.encode(request).partition(b'"messages":[')
        self._head, self._tail = head + between, tail
        self._prose = _Prose(13)
        self._messages: list[tuple[bytes, bytes]] = []  # as they stand in the middle, and marked
        self._room = (GROWN_BYTES - len(head)) // GROWN_TURN
        self._say("user", {"type": "text", "text": self._prose.take(400)})

    def body_of(self, turn: int) -> bytes:
        """The request of a turn, of which the first is 1."""
        while len(self._messages) < 2 * turn - 1:
            self._exchange()
        last = 2 * turn - 2
        found = [
            marked if at in (last - 2, last) else plain for at, (plain, marked) in enumerate(self._messages[: last + 1])
        ]
        return self._head + b",".join(found) + self._tail

    def turn_of(self, size: int) -> int:
        """The first turn whose request is at least so long."""
        return max(1, -(-(size - len(self._head)) // self._room))

    def _exchange(self) -> None:
        number = len(self._messages) // 2 + 1
        say: Json = {"type": "text", "text": self._prose.take(200)}
        if number % 10 == 0:
            self._say("assistant", say)
            self._say("user", {"type": "text", "text": self._prose.take(self._room - 350)})
            return
        call_id = f"toolu_{number:024d}"
        call = {
            "type": "tool_use",
            "id": call_id,
            "name": "Bash",
            "input": {"command": f"pytest tests/test_{number}.py"},
        }
        self._say("assistant", say, call)
        failed = {"type": "tool_result", "tool_use_id": call_id, "is_error": True}
        self._say("user", failed | {"content": self._prose.take(self._room - 555)})

    def _say(self, role: str, *blocks: Json) -> None:
        *before, last = blocks
        marked = last | {"cache_control": {"type": "ephemeral"}}
        plain, other = ({"role": role, "content": [*before, end]} for end in (last, marked))
        self._messages.append((msgspec.json.encode(plain), msgspec.json.encode(other)))


def pause_of(user_id: str) -> int:
    """The pause asked for by `body_of`, read back from the request."""
    return int(user_id.rpartition("_")[2])


def _small(user_id: str, *, stream: bool) -> Json:
    return {
        "model": MODEL,
        "max_tokens": 1024,
        "system": [{"type": "text", "text": "You are a helpful assistant."}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}],
        "metadata": {"user_id": user_id},
        "stream": stream,
    }


def _agent(user_id: str, *, mid_task: bool) -> Json:
    prose = _Prose(11)
    mark: Json = {"cache_control": {"type": "ephemeral"}}
    return {
        "model": MODEL,
        "max_tokens": 32_000,
        "system": [
            {"type": "text", "text": "You are a coding agent that works in the user's terminal.", **mark},
            {"type": "text", "text": prose.take(12_000), **mark},
        ],
        "tools": [_tool(name, prose) for name in _TOOLS],
        "messages": _history(prose, mark, mid_task=mid_task),
        "metadata": {"user_id": user_id},
        "stream": True,
    }


def _tool(name: str, prose: _Prose) -> Json:
    types = ("string", "integer", "boolean", "string")
    properties: Json = {
        f"{prose.word()}_{number}": {"type": kind, "description": prose.take(90)} for number, kind in enumerate(types)
    }
    properties["file_path"] = {"type": "string", "description": "The absolute path of the file"}
    properties["mode"] = {"type": "string", "enum": ["content", "count", "paths"], "description": prose.take(60)}
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": properties,
        "required": ["file_path"],
        "additionalProperties": False,
    }
    return {"name": name, "description": prose.take(1_400), "input_schema": schema}


def _history(prose: _Prose, mark: Json, *, mid_task: bool) -> list[Json]:
    """A task so far. Its last message is the next thing the user wants, or in mid-task what a file held.

    The first message has room for the text that brings the whole to its exact size.
    """
    messages: list[Json] = [{"role": "user", "content": [{"type": "text", "text": ""}]}]
    rounds = (MESSAGES - 1) // 2
    for number in range(1, rounds + 1):
        last = number == rounds
        call_id = f"toolu_{number:024d}"
        say: Json = {"type": "text", "text": prose.take(260)}
        new_task = (last and not mid_task) or (number == rounds - 1 and mid_task)
        if new_task:
            asked: Json = {"type": "text", "text": prose.take(900)}
            answer = [say]
        else:
            name = _READ if last else _TOOLS[number % len(_TOOLS)]
            call = {"type": "tool_use", "id": call_id, "name": name, "input": {"file_path": f"/src/app/{number}.py"}}
            answer = [say, call]
            asked = {"type": "tool_result", "tool_use_id": call_id, "content": prose.take(3_600)}
        messages.append({"role": "assistant", "content": answer})
        messages.append({"role": "user", "content": [asked | mark if last else asked]})
    return messages


def _encode(request: Json, size: int) -> bytes:
    """The request at its exact size: its first text is filled up."""
    room = size - len(msgspec.json.encode(request))
    # Plain words, one byte a letter and no escapes, so that the length comes out to the byte.
    request["messages"][0]["content"][0]["text"] = ("do the next step " * (room // 17 + 1))[:room]
    return msgspec.json.encode(request)


class _Prose:
    """Endless text that looks like code and documentation."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        self._words = _VOCABULARY.split()

    def word(self) -> str:
        return self._draw.choice(self._words)

    def take(self, length: int) -> str:
        pieces: list[str] = []
        size = 0
        while size < length:
            piece = self._draw.choice(_SPICE) if self._draw.random() < 0.12 else f" {self.word()}"
            pieces.append(piece)
            size += len(piece)
        return "".join(pieces)[:length]
