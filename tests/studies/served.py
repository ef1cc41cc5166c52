"""Does what `rlmc quality` says hold, with everything in the way? Sessions through the live proxy, with simulated
models whose drafts are wrong at a known rate, and every answer looked at.

    python -m tests.studies.served [--turns 3000] [--errors 5] [--audit-rate 25] [--policy balanced] [--json]

The agent is the one of `rlmc demo`, at work on the same project under ever new words. The daemon is the real one, on a
real socket. A draft that is wrong says so in a mark the product's own judge reads, so the judge is as good as can be:
this is about the bound and the controller, not about judging.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.ledger_rows import ledger_path
from tests.support.live import live_daemon

from rlmc.demo.agent import Agent, AgentError, Api

_MARK = "(simulated mistake)"
_DRAFT = "sim/draft"


@dataclass(slots=True)
class Truth:
    """What the agent got: turns, those that a draft answered, and wrong ones among them."""

    turns: int = 0
    drafted: int = 0
    wrong: int = 0

    @property
    def rate(self) -> float:
        return self.wrong / self.turns if self.turns else 0.0


class Worker(Agent):
    """The demonstration's agent, with words of its own, silent, and counting."""

    def __init__(self, api: Api, truth: Truth, name: str) -> None:
        super().__init__(api)
        self._truth, self._name = truth, name

    def _say(self, task: str) -> None:
        super()._say(f"{task}\n\n(This is for {self._name}.)")

    def _turn(self, task: int, body: dict[str, Any], hints: dict[str, str]) -> dict[str, Any]:
        answer = self._api.ask(body, **hints)
        self._truth.turns += 1
        self._truth.drafted += answer["model"].startswith(_DRAFT)
        self._truth.wrong += _MARK in json.dumps(answer["content"])
        return answer


def serve(turns: int, errors: float, audit_rate: float, policy: str, seed: int) -> tuple[Truth, dict[str, Any]]:
    """One run: what was true, and what `rlmc quality` says of it."""
    truth, chance = Truth(), random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        with live_daemon(Path(folder), patch) as live:
            live.daemon.audits.chance = random.Random(chance.random())
            live.daemon.audits.epochs.chance = random.Random(chance.random()).random
            while truth.turns < turns:
                session = live.open_session(
                    overrides={
                        "draft-model": f"sim/draft+errors={errors:g}+latency=0",
                        "verify-model": "sim/verify+latency=0",
                        "policy": policy,
                        "audits": "auto",
                        "audit-rate": f"{audit_rate:g}",
                    }
                )
                with closing(Api(session.base_url, "k")) as api:
                    try:
                        Worker(api, truth, f"job {chance.randrange(10**9)}").work()
                    except AgentError as error:
                        print(f"a session ended early: {error}", file=sys.stderr)
                session.end()
            live.settle()
        return truth, quality()


def quality() -> dict[str, Any]:
    """The one epoch there is."""
    asked = subprocess.run(
        [sys.executable, "-m", "rlmc", "quality", "--json"], capture_output=True, text=True, check=True
    )
    (epoch,) = json.loads(asked.stdout)["data"]["epochs"]
    return {**epoch, "turns_when_certified": _turns_at(epoch["certified_at"])}


def _turns_at(moment: str | None) -> int | None:
    """How many turns had begun by then."""
    if moment is None:
        return None
    at = round(datetime.fromisoformat(moment).timestamp() * 1_000_000)
    with closing(sqlite3.connect(ledger_path())) as db:
        return int(db.execute("SELECT count(*) FROM turns WHERE started_at <= ?", (at,)).fetchone()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=3000)
    parser.add_argument("--errors", type=float, default=5.0, help="of drafts, in percent")
    parser.add_argument("--audit-rate", type=float, default=25.0)
    parser.add_argument("--policy", default="balanced")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    truth, found = serve(wanted.turns, wanted.errors, wanted.audit_rate, wanted.policy, wanted.seed)
    if wanted.json:
        print(json.dumps({"truth": asdict(truth), "quality": found}, indent=1))
        return
    said = f"{truth.turns:,} turns, {truth.drafted:,} by a draft; wrong drafts"
    print(f"{said} {truth.wrong:,} = {truth.rate:.2%} of all turns")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
