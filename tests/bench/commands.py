"""What commands cost: each a process of its own, waited for with its children, in turns with what stands beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench import ledger
from tests.bench.books import books
from tests.bench.daemon import Daemon
from tests.bench.process import ROOT
from tests.bench.rows import Table
from tests.bench.scale import Scale
from tests.bench.transcripts import transcripts

_TYPER = (sys.executable, "-c", "import typer")
_NOTHING = (sys.executable, "-c", "pass")
_QUERIES = """\
import sqlite3, sys
import typer
db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
for query in sys.argv[2].split(";"):
    db.execute(query).fetchall()
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """`cpu` in seconds, of all threads and of all children that were waited for; `peak` is the memory of the largest of
    them, in megabytes."""

    cpu: float
    seconds: float
    peak: float


def rlmc_command() -> tuple[str, ...]:
    """As a user has it: the script beside the interpreter."""
    script = Path(sys.executable).with_name("rlmc")
    return (str(script),) if script.exists() else (sys.executable, "-m", "rlmc")


def clean(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Nothing of the user's own settings, and compiled bytecode is kept as it usually is."""
    return {k: v for k, v in env.items() if not k.startswith("RLMC_") and k != "PYTHONDONTWRITEBYTECODE"}


def spent(command: Sequence[str], env: Mapping[str, str]) -> Spent:
    """Raises RuntimeError where the command fails."""
    began = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"{' '.join(command)[:200]} ended with {child.returncode}")
    return Spent(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, usage.ru_maxrss / 1024)


def decisions(table: Table, scale: Scale) -> None:
    """By a process of its own, in which nothing else has left anything behind."""
    command = [sys.executable, "-m", "tests.bench.decision"]
    command += ["--rounds", str(scale.rounds), "--repeats", str(scale.decisions)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise RuntimeError(f"decisions cannot be made: {ran.stderr.strip().rpartition(chr(10))[2]}")
    found: dict[str, list[float]] = json.loads(ran.stdout)
    for key, values in found.items():
        case, _, size = key.partition(" ")
        if case != "decode":
            for number, (own, alone) in enumerate(zip(values, found[f"decode {size}"], strict=True)):
                table.note(f"decision {key}", number, own, alone)


def runs(table: Table, scale: Scale, folder: Path) -> None:
    """`rlmc run -- true` while a daemon is there already."""
    daemon = Daemon(folder / "run", upstream=9, draft_upstream=9)  # nobody asks them anything
    try:
        daemon.wait()
        env = clean() | daemon.folders
        run = (*rlmc_command(), "run", "--", "true")
        spent(run, env)
        bare = []
        for number in range(scale.rounds):
            times = _in_turns(scale.starts, {"bare": (_NOTHING, env), "typer": (_TYPER, env), "run": (run, env)})
            before = daemon.process.cpu_seconds()
            spent(run, env)
            daemon.process.settle()
            times["daemon"] = (daemon.process.cpu_seconds() - before) * 1000
            bare.append(times)
            table.note("run", number, times["run"], times["typer"])
    finally:
        daemon.process.stop()
    said = {name: median(times[name] for times in bare) for name in ("bare", "daemon")}
    table.facts.append(
        f"rlmc run: `python -c pass` takes {said['bare']:.0f} ms; the daemon spends {said['daemon']:.1f} ms on a run"
    )


def stats(table: Table, scale: Scale, folder: Path) -> None:
    """Beside one process that imports typer and asks SQLite what comes to the same account."""
    data = books(folder, scale.ledger, round(time.time() * 1_000_000))
    env = clean() | {"RLMC_DATA_DIR": str(data)} | {f"RLMC_{n}_DIR": str(folder / n) for n in ("CONFIG", "STATE")}
    own = (*rlmc_command(), "stats", "--today")
    queries = ledger.script("", ledger.today()).partition("\n")[2]
    beside = (sys.executable, "-c", _QUERIES, str(data / "ledger.db"), queries)
    spent(own, env)
    for number in range(scale.rounds):
        times = _in_turns(scale.starts, {"own": (own, env), "beside": (beside, env)})
        table.note("stats", number, times["own"], times["beside"])


def replays(table: Table, scale: Scale, folder: Path) -> None:
    """Every policy over all calls, which is what `rlmc replay` does unless told otherwise; once, as it takes long."""
    env = clean() | {f"RLMC_{n}_DIR": str(folder / n) for n in ("CONFIG", "DATA", "STATE")}
    whole, part = (
        spent((*rlmc_command(), "replay", str(transcripts(folder, calls))), env)
        for calls in (scale.calls, scale.calls // 10)
    )
    table.note("replay", 0, whole.cpu)
    table.note("replay memory", 0, whole.peak, part.peak)


def _in_turns(times: int, commands: Mapping[str, tuple[Sequence[str], Mapping[str, str]]]) -> dict[str, float]:
    """The median milliseconds of CPU of each, started one after the other `times` times."""
    found: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(times):
        for name, (command, env) in commands.items():
            found[name].append(spent(command, env).cpu * 1000)
    return {name: median(values) for name, values in found.items()}
