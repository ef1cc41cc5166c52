"""Recorded sessions of many calls, made up in the format of Claude Code's: the same on every run, for one number."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from tests.bench.requests import MODEL

_CALLS_A_SESSION = 250
_CALLS_A_TASK = 8
_FORMAT = 1  # counts changes of what is made up here
_TOOLS = (
    ("Read", {"file_path": "/home/ada/project/src/app.py"}),
    ("Grep", {"pattern": "def main", "path": "src"}),
    ("Bash", {"command": "pytest -q tests/test_app.py"}),
    ("Edit", {"file_path": "/home/ada/project/src/app.py", "old_string": "a = 1", "new_string": "a = 2"}),
)
_RESULT = "     1\tfrom __future__ import annotations\n     2\t\n     3\tdef main() -> int:\n" * 12


def transcripts(folder: Path, calls: int) -> Path:
    """The folder of the sessions, made anew unless it is there."""
    whole = folder / f"transcripts-{calls}-v{_FORMAT}"
    done = whole / "done"
    if not done.exists():
        (whole / "project").mkdir(parents=True, exist_ok=True)
        for number, first in enumerate(range(0, calls, _CALLS_A_SESSION)):
            lines = _session(number, min(_CALLS_A_SESSION, calls - first))
            data = b"\n".join(msgspec.json.encode(line) for line in lines) + b"\n"
            (whole / "project" / f"{_id(number)}.jsonl").write_bytes(data)
        done.touch()
    return whole


def _id(number: int) -> str:
    return f"{number:08d}-0000-4000-8000-000000000000"


def _session(number: int, calls: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(number)
    at, prompt, line = number * 1000, 20_000, 0
    waiting: str | None = None

    def written(kind: str, message: dict[str, Any], **more: Any) -> dict[str, Any]:
        nonlocal line
        line += 1
        stamp = f"2026-{1 + at // 2_419_200 % 10:02}-{1 + at // 86_400 % 28:02}T{at // 3600 % 24:02}:{at // 60 % 60:02}"
        return {
            "parentUuid": f"{number}-{line - 1}" if line > 1 else None,
            "isSidechain": False,
            "userType": "external",
            "cwd": f"/home/ada/project-{number % 40}",
            "sessionId": _id(number),
            "version": "2.1.330",
            "gitBranch": "main",
            "type": kind,
            "message": message,
            "uuid": f"{number}-{line}",
            "timestamp": f"{stamp}:{at % 60:02}.000Z",
            **more,
        }

    for call in range(calls):
        if waiting is None or call % _CALLS_A_TASK == 0:
            yield written(
                "user", {"role": "user", "content": f"Fix ticket {call}: the fees of heavy parcels are wrong."}
            )
        else:
            failed = {"is_error": True} if chance.random() < 0.06 else {}
            result = {"type": "tool_result", "tool_use_id": waiting, "content": _RESULT, **failed}
            yield written("user", {"role": "user", "content": [result]}, toolUseResult={"stdout": _RESULT[:200]})
        at += chance.choice((4, 8, 20, 40, 400))
        grown = chance.randrange(200, 1_500)
        cached = 0 if call == 0 else prompt
        usage = {
            "input_tokens": 4,
            "cache_read_input_tokens": cached,
            "cache_creation_input_tokens": prompt + grown - cached,
            "output_tokens": chance.randrange(40, 900),
        }
        prompt += grown
        name, arguments = chance.choice(_TOOLS)
        waiting = f"toolu_{number:012d}{call:012d}"
        blocks: list[dict[str, Any]] = [
            {"type": "text", "text": "I look at what the function does with the weight before I change it."},
            {"type": "tool_use", "id": waiting, "name": name, "input": arguments},
        ]
        if call % _CALLS_A_TASK == _CALLS_A_TASK - 1:
            del blocks[1]
            waiting = None
        head = {"id": f"msg_{number:012d}{call:012d}", "type": "message", "role": "assistant", "model": MODEL}
        for block in blocks:
            message = {**head, "content": [block], "stop_reason": None, "stop_sequence": None, "usage": usage}
            yield written("assistant", message, requestId=f"req_{number:012d}{call:012d}")
