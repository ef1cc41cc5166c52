"""Real agents in the matrix: Claude Code and Codex, headless, on a task of two turns, with and without `rlmc run`.

Rule: what an agent says and how it ends is compared, and how often it asked. The environment is the same both times;
the agent's own retries are on, and kept short by its own settings.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Self

from tests.faults.catalogue import FAULTS, Fault, good, spoken
from tests.faults.cells import Cell, Verdict
from tests.faults.clients import Client
from tests.faults.proxy import own_environment
from tests.faults.seen import Seen
from tests.faults.upstream import Ask, Delivery, FaultUpstream, Lane
from tests.support.scripts import steps_done
from tests.support.speaking import Saying

Script = Callable[[Ask], Delivery]

_PROMPT = "Say what is in hello.txt."
_DONE = Saying("Done: hello.txt says hello.")
_KEY = "sk-ant-api03-fault-000000000000000000000000000000"
_SECONDS = 90
# A stream that falls silent is waited for much longer than anybody would wait here.
_HANGING_SECONDS = 25
_TIMES = 4
# Of the many places where a stream can end, the first, two in the middle and one near the end.
_BOUNDARIES = frozenset({1, 5, 9, 13})
# rlmc listens whether or not its provider does. Where nobody does Codex waits for the network, without an end.
# And it passes on no words that are no HTTP.
_NO_ANSWER = next(fault for fault in FAULTS if fault.name == "closed before headers")
_SEEN_AS = {"refused": _NO_ANSWER, "no HTTP": _NO_ANSWER}


class Agent(Client, ABC):
    """`program` is its path. Runs in a home of its own each time."""

    def __init__(self, name: str, protocol: str, program: str) -> None:
        super().__init__(name, protocol)
        self.program = program

    @abstractmethod
    def look(self, project: Path, file: str) -> tuple[str, dict[str, str]]:
        """The call by which it reads a file."""

    @abstractmethod
    def prepare(self, home: Path, project: Path, lane: str) -> tuple[list[str], dict[str, str]]:
        """Its arguments and what its environment holds besides, with the provider at `lane`."""

    @abstractmethod
    def said(self, ran: subprocess.CompletedProcess[str]) -> str:
        """What the user gets to read in the end."""

    @abstractmethod
    def done(self, ask: Ask) -> int:
        """How many steps of the task are behind it."""


class ClaudeCode(Agent):
    def __init__(self, program: str) -> None:
        super().__init__("Claude Code", "anthropic", program)

    def look(self, project: Path, file: str) -> tuple[str, dict[str, str]]:
        return "Read", {"file_path": str(project / file)}

    def prepare(self, home: Path, project: Path, lane: str) -> tuple[list[str], dict[str, str]]:
        onboarded = {
            "hasCompletedOnboarding": True,
            "customApiKeyResponses": {"approved": [_KEY[-20:]]},
            "projects": {str(project): {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}},
        }
        (home / ".claude.json").write_text(json.dumps(onboarded))
        env = {
            "ANTHROPIC_BASE_URL": lane,
            "ANTHROPIC_API_KEY": _KEY,
            "CLAUDE_CODE_MAX_RETRIES": "1",
            "API_TIMEOUT_MS": "4000",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }
        return ["-p", _PROMPT, "--allowedTools", "Read"], env

    def said(self, ran: subprocess.CompletedProcess[str]) -> str:
        return ran.stdout

    def done(self, ask: Ask) -> int:
        return steps_done(ask.json)


class Codex(Agent):
    def __init__(self, program: str) -> None:
        super().__init__("Codex", "responses", program)

    def look(self, project: Path, file: str) -> tuple[str, dict[str, str]]:
        return "exec_command", {"cmd": f"cat {file}"}

    def prepare(self, home: Path, project: Path, lane: str) -> tuple[list[str], dict[str, str]]:
        (home / ".codex").mkdir()
        (home / ".codex" / "config.toml").write_text(
            'model_provider = "mine"\n[model_providers.mine]\nname = "Mine"\nwire_api = "responses"\n'
            f'base_url = "{lane}/v1"\nenv_key = "MY_KEY"\n'
            "request_max_retries = 1\nstream_max_retries = 1\nstream_idle_timeout_ms = 4000\n"
        )
        words = ["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "-m", "gpt-5.2-codex"]
        return [*words, _PROMPT], {"MY_KEY": "sk-mine"}

    def said(self, ran: subprocess.CompletedProcess[str]) -> str:
        errors = [line for line in ran.stderr.splitlines() if line.startswith("ERROR")]
        return "\n".join([ran.stdout, *errors])

    def done(self, ask: Ask) -> int:
        return sum(item.get("type") == "function_call_output" for item in ask.json["input"])


def agents() -> Iterator[Agent]:
    """Those whose program is named in the environment."""
    for kind, variable in ((ClaudeCode, "CLAUDE_BIN"), (Codex, "CODEX_BIN")):
        if os.environ.get(variable):
            yield kind(os.environ[variable])


def agent_cells(asked: Iterable[Agent]) -> Iterator[Cell]:
    for fault in FAULTS:
        count = re.fullmatch(r"clean EOF after (\d+) events", fault.name)
        if count is None or int(count[1]) in _BOUNDARIES:
            for agent in asked:
                yield Cell("draft", fault, agent, "drafted", True)
                yield Cell("verify", fault, agent, "direct", True)


@dataclass(frozen=True, slots=True)
class _Met:
    """What a user sees, how often the agent has asked for it, and how long the conversation was each time: a request
    that is only made again counts once there."""

    seen: Seen
    asked: int
    steps: tuple[int, ...]

    @classmethod
    def of(cls, seen: Seen, asks: list[Ask]) -> _Met:
        lengths = [len(ask.json.get("messages") or ask.json["input"]) for ask in asks]
        return cls(seen, len(asks), tuple(length for length, _ in groupby(lengths)))

    def difference(self, expected: _Met) -> str:
        apart = self.seen.difference(expected.seen, exactly=True)
        return apart or f"the verify model was asked {self.asked} times instead of {expected.asked}"


class AgentRuns:
    """What all runs of agents share: two upstreams, and one daemon. What an agent does where nothing is wrong is found
    out once."""

    def __init__(self, verify: FaultUpstream, draft: FaultUpstream, folder: Path) -> None:
        self.verify, self.draft, self.folder = verify, draft, folder
        self._env = own_environment(folder) | {"RLMC_AUDITS": "off", "RLMC_DRAFT_BREAKER": "0", "TERM": "dumb"}
        self._lock = threading.Lock()
        self._well: dict[str, _Met] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run([sys.executable, "-m", "rlmc", "stop"], env=self._env, capture_output=True, timeout=60)

    def run(self, cell: Cell) -> Verdict:
        """Agents do not always do the same: how often they ask can depend on what they notice first. What is different
        is therefore done again, and must be among what is seen without rlmc."""
        began = time.perf_counter()
        agent = cell.client
        assert isinstance(agent, Agent)
        requests, found, expected = 0, list[_Met](), list[_Met]()
        for _ in range(_TIMES):
            if cell.side == "draft":
                expected.append(self._where_all_is_well(agent))
                seen, verify, draft = self._ask(agent, draft=cell.fault)
                if not draft.asks and not cell.fault.refuses:
                    return Verdict(cell, "the draft model was not asked", requests, time.perf_counter() - began)
            else:
                fault = _SEEN_AS.get(cell.fault.name, cell.fault)
                alone, reference, _ = self._ask(agent, verify=fault, without=True)
                expected.append(_Met.of(alone, [] if cell.fault.refuses else reference.asks))
                seen, verify, draft = self._ask(agent, verify=cell.fault)
                requests += len(reference.asks)
            met = _Met.of(seen, verify.asks)
            if cell.side == "draft" and cell.fault.harmless:
                met = replace(met, steps=expected[-1].steps)  # the draft was whole, and took a step of them
            found.append(met)
            requests += len(verify.asks) + len(draft.asks)
            if all(met in expected for met in found):
                break
        strange = next((met for met in found if met not in expected), None)
        counts = [sorted({met.asked for met in runs}) for runs in (expected, found)]
        if strange is not None and _varies(expected, found):
            strange = None
        difference = "" if strange is None else strange.difference(expected[-1])
        notes = [note for note, holds in (
            ("as a connection that ends without an answer", cell.side == "verify" and cell.fault.name in _SEEN_AS),
            (f"the agent varies: {counts[0]} requests without rlmc, {counts[1]} with", len(found) > 1),
        ) if holds]  # fmt: skip
        return Verdict(cell, difference, requests, time.perf_counter() - began, "".join(f" ({one})" for one in notes))

    def _where_all_is_well(self, agent: Agent) -> _Met:
        with self._lock:
            if agent.name not in self._well:
                seen, verify, _ = self._ask(agent, without=True)
                self._well[agent.name] = _Met.of(seen, verify.asks)
            return self._well[agent.name]

    def _ask(
        self, agent: Agent, *, verify: Fault | None = None, draft: Fault | None = None, without: bool = False
    ) -> tuple[Seen, Lane, Lane]:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            home, project = Path(folder) / "home", Path(folder) / "project"
            home.mkdir()
            project.mkdir()
            (project / "hello.txt").write_text("hello\n")
            (project / "notes.txt").write_text("Greetings are in hello.txt.\n")
            able = self.verify.lane(_verify_script(agent, project, verify))
            cheap = self.draft.lane(_draft_script(agent, project, draft))
            words, env = agent.prepare(home, project, self.verify.nowhere if verify and verify.refuses else able.url)
            drafts = self.draft.nowhere if draft and draft.refuses else cheap.url
            name = f"d{cheap.url.rpartition('/')[2]}"
            env |= {
                "HOME": str(home),
                "PWD": str(project),
                f"RLMC_UPSTREAM_{name.upper()}_BASE_URL": drafts + ("" if agent.protocol == "anthropic" else "/v1"),
                f"RLMC_UPSTREAM_{name.upper()}_PROTOCOL": agent.protocol,
                "RLMC_DRAFT_MODEL": f"{name}/cheap",
                "RLMC_DRAFT_TIMEOUT": "2" if draft else "20",
            }
            command = [agent.program, *words]
            if not without:
                command = [sys.executable, "-m", "rlmc", "run", "--", *command]
            hangs = any(fault is not None and fault.name.startswith("hang") for fault in (verify, draft))
            seen = _seen(agent, command, project, self._env | env, _HANGING_SECONDS if hangs else _SECONDS)
            return seen, able, cheap


def _varies(expected: list[_Met], found: list[_Met]) -> bool:
    """Only how often the agent makes one and the same request again is different, and not always in the same way."""
    results = {(repr(met.seen), met.steps) for met in expected}
    same = all((repr(met.seen), met.steps) in results for met in found)
    return same and not _apart(expected, found)


def _apart(expected: list[_Met], found: list[_Met]) -> bool:
    """rlmc makes it more or fewer each time."""
    without, behind = [met.asked for met in expected], [met.asked for met in found]
    return max(without) < min(behind) or max(behind) < min(without)


def _seen(agent: Agent, command: list[str], project: Path, env: dict[str, str], seconds: float) -> Seen:
    process = subprocess.Popen(
        command,
        cwd=project,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return Seen("still waiting")
    ran = subprocess.CompletedProcess(command, process.returncode, out, err)
    return Seen(f"exit {ran.returncode}", exact=_plain(agent.said(ran)))


def _verify_script(agent: Agent, project: Path, fault: Fault | None) -> Script:
    def script(ask: Ask) -> Delivery:
        saying = _DONE if agent.done(ask) else Saying("I look.", (agent.look(project, "hello.txt"),))
        answer = spoken(ask, saying)
        over = fault is None or (fault.name in _ONCE and ask.number > 0)
        told = good(answer) if fault is None or over else fault.make(answer) or good(answer)
        # Of messages of one name an agent shows one: each answer names its own.
        pieces = tuple(_IDS.sub(b'"%s_%dx"' % (rb"\1", ask.number), piece) for piece in told.pieces)
        return replace(told, pieces=pieces)

    return script


# A model that calls for ever what cannot be called keeps an agent busy for ever.
_ONCE = ("unknown tool", "bad tool JSON", "unknown block")
_IDS = re.compile(rb'"(msg|resp|fc|call|toolu)_\d+"')


def _draft_script(agent: Agent, project: Path, fault: Fault | None) -> Script:
    """Asked for the second turn. Where its draft is whole all the same, it is not there for the third."""

    def script(ask: Ask) -> Delivery:
        answer = spoken(ask, Saying("I read on.", (agent.look(project, "notes.txt"),)), "draft")
        if ask.number or fault is None:
            return Delivery(503, sized=True)
        return fault.make(answer) or good(answer)

    return script


# Where the provider is differs each time, and so do the names of what is asked.
_PLACES = re.compile(r"https?://[^\s,)]+|127\.0\.0\.1:\d+|req_\w+|/tmp/\S+")


def _plain(text: str) -> str:
    return _PLACES.sub("…", text).strip()
