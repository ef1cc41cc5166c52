"""Transcripts in the format of Claude Code, of sessions that a simulated model worked through: what calibrations read.

The agent's tools run against the demo's project in memory. Every session has tasks of its own words, so that no two
states are alike. `detailed` ones also hold what a request was beside the conversation, as newer versions keep it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.support.simulated import send

from rlmc.demo import prompts
from rlmc.demo.project import ROOT
from rlmc.demo.workspace import Workspace
from rlmc.upstream.simulated import SimulatedTransport

CHANGE = "Fix the fees of ticket {n}: replace `return round(amount)` with `return round(amount, {digits})`."
QUESTION = "Ticket {n}: where is `shipping_fee` computed, and what happens with heavy parcels?"
MODEL = "sim/verify"


def changes(sessions: int) -> list[list[str]]:
    """One task of searching, reading, planning, editing, testing and reporting for each session."""
    return [[CHANGE.format(n=n, digits=2 + n % 3)] for n in range(sessions)]


def write_sessions(folder: Path, tasks: Sequence[Sequence[str]], *, detailed: bool = False) -> None:
    """A file for each session, in a project's folder as Claude Code has them."""
    project = folder / "-home-demo-parcel"
    project.mkdir(parents=True, exist_ok=True)

    async def work() -> None:
        transport = SimulatedTransport(latency=0)
        for n, said in enumerate(tasks):
            session = Recorded(f"{n:08d}-0000-4000-8000-000000000000", detailed)
            await session.work(transport, said)
            session.write(project / f"{session.id}.jsonl")

    asyncio.run(work())


class Recorded:
    """A session while it goes on: the conversation as the API wants it, and the lines the client keeps of it."""

    def __init__(self, id: str, detailed: bool = False) -> None:
        self.id = id
        self.lines: list[dict[str, Any]] = []
        self._detailed = detailed
        self._workspace = Workspace()
        self._messages: list[dict[str, Any]] = []
        self._last: str | None = None
        self._seconds: Iterator[int] = itertools.count()

    async def work(self, transport: SimulatedTransport, tasks: Sequence[str]) -> None:
        for task in tasks:
            self._say(task)
            while await self._turn(transport):
                pass

    def write(self, file: Path) -> None:
        head = {"type": "file-history-snapshot", "messageId": f"{self.id}-0", "snapshot": {}, "isSnapshotUpdate": False}
        file.write_text("".join(json.dumps(line) + "\n" for line in [head, *self.lines]))

    def _say(self, task: str) -> None:
        self._messages.append({"role": "user", "content": [{"type": "text", "text": task}]})
        self._line("user", {"role": "user", "content": task})
        if self._detailed:
            told = "<system-reminder>\nThe house rule: small changes.\n</system-reminder>"
            self._line("attachment", None, attachment={"kept": "never to be sent"}, rendered=[{"content": told}])

    async def _turn(self, transport: SimulatedTransport) -> bool:
        """Whether there is more to do."""
        body = {
            "model": MODEL,
            "max_tokens": 8192,
            "system": [{"type": "text", "text": f"Working directory: {ROOT}"}],
            "tools": prompts.tools(),
            "messages": self._messages,
        }
        status, raw = await send(transport, body)
        assert status == 200, raw
        answer = json.loads(raw)
        blocks = answer["content"]
        self._messages.append({"role": "assistant", "content": blocks})
        # A line for each block; what the stream began with stands on all of them.
        reference = self._request(body) if self._detailed else {}
        head = {key: answer[key] for key in ("id", "type", "role", "model")}
        usage = answer["usage"] | {"output_tokens": 1}
        said = {}
        for block in blocks:
            kept = block
            if block.get("name") == "Edit":
                # The client fills in what the model has left out.
                kept = block | {"input": {"replace_all": False, **block["input"]}}
            message = head | {"content": [kept], "stop_reason": None, "stop_sequence": None, "usage": usage}
            said[block.get("id")] = self._line("assistant", message, requestId=f"req_{answer['id']}", **reference)
        results = []
        for block in blocks:
            if block["type"] != "tool_use":
                continue
            output, failed = self._workspace.run(block["name"], block["input"])
            result = {"type": "tool_result", "tool_use_id": block["id"], "content": output}
            result |= {"is_error": True} if failed else {}
            results.append(result)
            # The client keeps more for itself than it shows to a model.
            kept = {"stdout": output, "secret": "never to be sent"}
            self._line("user", {"role": "user", "content": [result]}, said[block["id"]], toolUseResult=kept)
        if results:
            self._messages.append({"role": "user", "content": results})
        return bool(results)

    def _request(self, body: dict[str, Any]) -> dict[str, str]:
        """What is told of a request: an id, and by a hash of its own what it offered."""
        shape = {"system": [{"type": "text", "text": "You are the recorded agent."}], "tools": body["tools"]}
        number = len(self.lines)
        self.lines += [
            {"type": "api-request-shape", "sessionId": self.id, "shapeHash": "hash-1", "shape": shape},
            {"type": "api-request", "sessionId": self.id, "id": f"request-{number}", "shapeHash": "hash-1"},
            {"type": "tools-used", "sessionId": self.id, "tools": []},
        ]
        return {"requestRef": f"request-{number}"}

    def _line(self, kind: str, message: dict[str, Any] | None, parent: str | None = None, **more: Any) -> str:
        second = next(self._seconds)
        uuid = f"{self.id}-{second}"
        self.lines.append(
            {
                "parentUuid": parent or self._last,
                "isSidechain": False,
                "userType": "external",
                "cwd": ROOT,
                "sessionId": self.id,
                "version": "2.1.330",
                "gitBranch": "main",
                "type": kind,
                **({} if message is None else {"message": message}),
                "uuid": uuid,
                "timestamp": f"2026-11-02T{9 + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.000Z",
                **more,
            }
        )
        self._last = uuid
        return uuid
