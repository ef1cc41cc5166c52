"""What a decision takes, `python -m tests.bench.decision`: JSON, microseconds of CPU by case, one value a round.

From a request's bytes to the word on what is asked of whom: decode, signals, outline, expected costs, policy. It stands
beside the typed decode of the same bytes and nothing else. Of a session's *first* request nothing is known; before the
one that *follows* the session has had the request that it goes on from.

Rule: only `_Session` knows how the turn's path calls these functions.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import TypeVar

import msgspec
from tests.bench.requests import MODEL, Growing

from rlmc.cascade.engine import run
from rlmc.cascade.plan import Plan, Relay
from rlmc.cascade.policies.balanced import POLICY
from rlmc.cascade.session import Arrival, Memory
from rlmc.cascade.signals import past_after, read_signals
from rlmc.domain.chat import ChatRequest, Usage
from rlmc.domain.outcome import Outcome
from rlmc.domain.turn import ClientHints, DraftAbilities, Model, Turn
from rlmc.pricing.facts import TurnFacts
from rlmc.upstream.prices import load_prices
from rlmc.wire.anthropic.codec import ANTHROPIC

SIZES = {"100k": 100_000, "1m": 1_000_000}
_VERIFY = Model("anthropic", MODEL)
_DRAFT = Model("anthropic", "claude-haiku-4-5-20251001")
_HINTS = ClientHints(request_class="main")
_CONVERSATION = "c1"
_FOLLOWING = 6  # requests that follow one another within a repeat
_SECOND = 1_000_000

_T = TypeVar("_T")


class _Block(msgspec.Struct):
    type: str = ""
    text: str = ""
    id: str = ""
    name: str = ""
    tool_use_id: str = ""
    is_error: bool = False
    input: msgspec.Raw = msgspec.Raw()
    content: msgspec.Raw = msgspec.Raw()


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Block]


class _Tool(msgspec.Struct):
    name: str
    input_schema: msgspec.Raw = msgspec.Raw()


class _Request(msgspec.Struct):
    """What a router has to look into, typed; the rest raw."""

    model: str
    messages: list[_Message]
    max_tokens: int = 0
    stream: bool = False
    system: msgspec.Raw = msgspec.Raw()
    tools: list[_Tool] = []


_ALONE = msgspec.json.Decoder(_Request)
_PRICES = load_prices()


@dataclass(slots=True)
class _Session:
    """One, as the daemon has it. `at` is the time, in unix microseconds."""

    memory: Memory = field(default_factory=Memory)
    key: bytes = b"k" * 32
    at: int = 1_795_435_200 * _SECOND
    request: ChatRequest | None = None
    arrival: Arrival | None = None

    def decide(self, body: bytes) -> Plan:
        before = () if self.request is None else (self.request,)
        self.request = request = ANTHROPIC.decode_request(body, self.key, before)
        turn = Turn(request, _HINTS, _VERIFY, 1_000_000, _DRAFT, None, DraftAbilities(1_000_000), True, "0" * 16)
        past = self.memory.past(_CONVERSATION)
        signals = read_signals(turn, past)
        self.memory.remember(_CONVERSATION, past_after(past, turn, signals))
        outline = self.memory.outline(request.layout, (_VERIFY, _DRAFT), self.at)
        self.arrival = Arrival(_CONVERSATION, self.at, signals, outline, _VERIFY, _DRAFT, POLICY)
        foresight = self.memory.arrive(self.arrival, _PRICES)
        try:
            next(run(turn, signals, foresight.prospect, POLICY, foresight.marker))
        except StopIteration as decided:
            plan: Plan = decided.value
            return plan
        raise AssertionError("the requests of the bench go direct")

    def finish(self, plan: Plan) -> None:
        """The turn has had its answer. No part of a decision."""
        assert isinstance(plan, Relay)
        assert self.arrival is not None
        outline = self.arrival.outline
        usage = Usage(input=10, cache_read=0, cache_write_5m=20_000, output=260)
        facts = TurnFacts(self.at, Outcome.DIRECT, _VERIFY, _DRAFT, outline, (usage,), kind="text", answer_chars=900)
        self.memory.finish(self.arrival, facts, plan.reason)
        self.at += 20 * _SECOND


def measure(rounds: int, repeats: int) -> dict[str, list[float]]:
    """Microseconds by `decode|first|following SIZE`: of each round the median."""
    growing = Growing()
    found: dict[str, list[float]] = {}
    turns = {name: growing.turn_of(size) for name, size in SIZES.items()}
    bodies = {name: [growing.body_of(at) for at in range(turn - _FOLLOWING, turn + 1)] for name, turn in turns.items()}
    for _ in range(rounds):
        for name, asked in bodies.items():
            times: dict[str, list[float]] = {"decode": [], "first": [], "following": []}
            for _ in range(max(2, repeats * SIZES["100k"] // SIZES[name])):
                for body in asked:
                    times["decode"].append(_timed(_ALONE.decode, body)[0])
                times["first"].append(_timed(_Session().decide, asked[-1])[0])
                session = _Session()
                for number, body in enumerate(asked):
                    took, plan = _timed(session.decide, body)
                    times["following" if number else "first"].append(took)
                    session.finish(plan)
            for case, values in times.items():
                found.setdefault(f"{case} {name}", []).append(round(median(values), 2))
    return found


def _timed(what: Callable[[bytes], _T], body: bytes) -> tuple[float, _T]:
    """Microseconds of CPU, and what came of it. A daemon never gets the same bytes object twice, and so has a copy."""
    fresh = bytes(bytearray(body))
    before = time.thread_time_ns()
    made = what(fresh)
    return (time.thread_time_ns() - before) / 1000, made


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.decision")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args()
    # As the daemon has it once it serves.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)
    measure(1, 2)
    sys.stdout.buffer.write(msgspec.json.encode(measure(options.rounds, options.repeats)) + b"\n")


if __name__ == "__main__":
    main()
