"""A ledger of many turns, made up but shaped like a year of work: the same on every run, for one number of turns.

Rule: written by plain inserts in the order of time, as a daemon would have, into the tables as they are today.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from rlmc.ledger.schema import VERSION, migrate

YEAR = 365 * 86_400_000_000
_DAY = 86_400_000_000
_TURNS_A_SESSION = 500
_CHUNK = 20_000
_SHAPES = 64  # different signals and decisions; every turn has one of them
_FORMAT = 1  # counts changes of what is made up here
_MODELS = (("anthropic", "claude-opus-5-5"), ("anthropic", "claude-haiku-5-5"), ("local", "qwen-coder"))
_REASONS = {
    "skipped": ("after-read", "auxiliary", "simple"),
    "accepted": ("verdict", "brief"),
    "enhanced": ("verdict", "gate", "brief-refused"),
    "direct": ("unsure", "after-edit", "first-turn", "unprofitable", "media", "safeguards"),
}
_TURN = f"INSERT INTO turns VALUES ({', '.join('?' * 25)})"  # noqa: S608
_CALL = f"INSERT INTO calls VALUES ({', '.join('?' * 26)})"  # noqa: S608


def books(folder: Path, turns: int, now: int) -> Path:
    """The ledger's folder, made anew unless it is there. Its last turn is of `now` (unix microseconds) or the day the
    folder was first asked for."""
    whole = folder / f"ledger-{turns}-v{VERSION}.{_FORMAT}"
    path = whole / "ledger.db"
    if not path.exists():
        whole.mkdir(parents=True, exist_ok=True)
        unfinished = whole / "unfinished.db"
        unfinished.unlink(missing_ok=True)
        with closing(sqlite3.connect(unfinished, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = OFF")
            db.execute("PRAGMA synchronous = OFF")
            migrate(db)
            write(db, turns, now)
            db.execute("PRAGMA journal_mode = WAL")
        unfinished.rename(path)
    return whole


def write(db: sqlite3.Connection, turns: int, now: int) -> None:
    chance = random.Random(turns)
    sessions = max(1, turns // _TURNS_A_SESSION)
    db.execute("BEGIN")
    moments = []
    for number in range(sessions):
        id = f"{chance.getrandbits(64):016x}"
        length = chance.randrange(1, 9) * 3_600_000_000
        start = now - length - (0 if number == 0 else chance.randrange(YEAR))
        db.execute(
            "INSERT INTO sessions (id, started_at, ended_at, client, name, directory, git_branch, policy, version,"
            " simulated) VALUES (?, ?, ?, ?, ?, ?, ?, 'balanced', '0.1.0', ?)",
            (
                id, start, start + length, ("claude", "codex", "aider")[number % 3], f"task {number}",
                f"/home/ada/project-{number % 40}", ("main", "dev", f"fix/{number % 90}")[number % 3],
                int(number % 50 == 49),
            ),
        )  # fmt: skip
        count = turns // sessions + (number < turns % sessions)
        moments += [(start + chance.randrange(length), id) for _ in range(count)]
    moments.sort()
    shapes = [_shape(chance) for _ in range(_SHAPES)]
    for first in range(0, turns, _CHUNK):
        rows = [_turn(chance, at, session, shapes) for at, session in moments[first : first + _CHUNK]]
        db.executemany(_TURN, (turn for turn, _ in rows))
        db.executemany(_CALL, (call for _, calls in rows for call in calls))
    db.execute("COMMIT")


def _turn(
    chance: random.Random, at: int, session: str, shapes: list[tuple[str, str]]
) -> tuple[tuple[Any, ...], list[tuple[Any, ...]]]:
    id = f"{at:014x}{chance.getrandbits(32):08x}"
    outcome = chance.choices(tuple(_REASONS), (35, 10, 15, 40))[0]
    reason = chance.choice(_REASONS[outcome])
    ending = "client-gone" if chance.random() < 0.02 else "complete"
    calls = list(_calls(chance, id, at, outcome))
    served = f"{calls[-1][3]}/{calls[-1][4]}"
    signals, decision = chance.choice(shapes)
    latency = round(chance.lognormvariate(8, 0.8), 3)
    base = None if chance.random() < 0.01 else chance.randrange(10**9, 3 * 10**11)
    turn = (
        id, session, "c1", at, "anthropic", "main", "claude-opus-5-5", served, "balanced", outcome, reason, ending, 200,
        round(latency / 4, 3), latency, base, int(outcome != "direct"), signals, "[]", chance.random() * 1e8,
        chance.random() * 1e18, None if chance.random() < 0.05 else chance.randrange(10**8, 10**10), decision,
        None, None,
    )  # fmt: skip
    return turn, calls


def _calls(chance: random.Random, turn: str, at: int, outcome: str) -> Iterator[tuple[Any, ...]]:
    roles = {"skipped": ("draft",), "accepted": ("verify", "draft"), "enhanced": ("draft", "verify")}
    found = list(roles.get(outcome, ("direct",)))
    if outcome == "direct":
        found = [*(["draft"] if chance.random() < 0.2 else []), "direct"]
        found += ["keepalive"] if chance.random() < 0.05 else []
    for seq, role in enumerate(found):
        provider, model = _MODELS[chance.choice((1, 2)) if role == "draft" else 0]
        measured = chance.random() > 0.01
        cost = None if not measured or chance.random() < 0.01 else chance.randrange(10**8, 2 * 10**11)
        read = chance.randrange(200_000)
        tokens = (chance.randrange(2000), read, chance.randrange(8000), 0, chance.randrange(3000), 0, 0)
        served = int(role == {"skipped": "draft", "accepted": "draft", "enhanced": "verify"}.get(outcome, "direct"))
        latency = round(chance.lognormvariate(8, 0.8), 3)
        yield (
            turn, seq, role, provider, model, at, round(latency / 4, 3), latency, 200, None, "end_turn", served,
            *(tokens if measured else [None] * 7), None, None, int(not measured), cost, "list of 2026-11",
            int(role == "verify" and turn[-1] in "0123"), '{"complete":true,"output_chars":1234}',
        )  # fmt: skip


def _shape(chance: random.Random) -> tuple[str, str]:
    """Signals and a decision nearly as long as real ones: 0.9 KB together."""
    signals = {name: chance.randrange(100_000) for name in ("prompt_chars", "messages", "tools", "images", "errors")}
    places = [[f"{chance.getrandbits(64):016x}", n, n * 7, chance.randrange(9000), 0] for n in range(22)]
    decision = {"format": 1, "events": [1, 2], "outline": {"places": places, "markers": 2}, "kind": "text"}
    return json.dumps(signals | {"after": "read"}, separators=(",", ":")), json.dumps(decision, separators=(",", ":"))
