"""Fuzzes what reads bytes that others write, with atheris (Linux on x86-64: the extra `fuzz`).

    python -m tests.fuzz [TARGET…] [--seconds 60] [--runs N] [--jobs 1] [--seed N] [--corpus FOLDER]
        [--plain]

Each target runs in a process of its own for so many seconds. What breaks a promise is kept in `tests/fuzz/found`, where
the tests try it again; exit code 1 if there was any. `--plain` goes without atheris, on any system.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.findings import MARK
from tests.fuzz.target import FOUND, NAMES, SEEDS

_RUNS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
# Where files are cheap, on systems that have it: some targets write one for every input.
_MEMORY = Path("/dev/shm")
_COVERAGE = re.compile(r"cov: (\d+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    name: str
    inputs: int
    seconds: float
    coverage: int
    findings: tuple[str, ...]


def fuzz(name: str, seconds: int, runs: int, seed: int, corpus: Path | None) -> Outcome:
    """Runs a target until its time or its number of inputs is over; without a `corpus` without atheris."""
    if corpus is None:
        command = ["tests.fuzz.plain", name, str(seconds), str(runs), str(seed)]
    else:
        command = ["tests.fuzz.worker", name, *_guided(name, seconds, runs, seed, corpus)]
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None) as scratch:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=FOUND.parent.parent.parent,
            env={**os.environ, "TMPDIR": scratch},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    took = time.perf_counter() - began
    if (FOUND / name).is_dir() and not any((FOUND / name).iterdir()):
        (FOUND / name).rmdir()
    said = done.stdout + done.stderr
    findings = tuple(line.removeprefix(MARK) for line in said.splitlines() if line.startswith(MARK))
    if done.returncode:
        findings += (f"the process ended with {done.returncode}:\n{said[-3_000:]}",)
    ran, covered = _RUNS.findall(said), _COVERAGE.findall(said)
    return Outcome(name, int(ran[-1]) if ran else 0, took, int(covered[-1]) if covered else 0, findings)


def _guided(name: str, seconds: int, runs: int, seed: int, corpus: Path) -> list[str]:
    """Options of libFuzzer, and its folders: the first takes in what reaches something new."""
    own = corpus / name
    own.mkdir(parents=True, exist_ok=True)
    (FOUND / name).mkdir(parents=True, exist_ok=True)
    return [
        f"-max_total_time={seconds}",
        f"-runs={runs}",
        f"-seed={seed}",
        f"-artifact_prefix={FOUND / name}/",
        *("-timeout=20", "-rss_limit_mb=2048", "-len_control=0", "-reload=0", "-print_final_stats=1"),
        *(str(own), str(SEEDS / name)),
    ]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(NAMES)}; default: all")
    options.add_argument("--seconds", type=int, default=60, help="for each target")
    options.add_argument("--runs", type=int, default=-1, help="inputs for each target, if that is reached before")
    options.add_argument("--jobs", type=int, default=1, help="targets at a time")
    options.add_argument("--seed", type=int, default=0, help="the same inputs for the same number; 0: others each time")
    options.add_argument("--corpus", type=Path, help="where inputs that reach something new are kept for the next run")
    options.add_argument("--plain", action="store_true", help="without atheris: no coverage, many more inputs")
    asked = options.parse_args()
    unknown = [name for name in asked.targets if name not in NAMES]
    if unknown:
        options.error(f"no target is called {unknown[0]!r}; there are {', '.join(NAMES)}")
    if not asked.plain and find_spec("atheris") is None:
        options.error("atheris is not installed: pip install -e '.[fuzz]' (Linux on x86-64), or --plain")
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(asked.jobs) as pool:
        corpus = None if asked.plain else asked.corpus.resolve() if asked.corpus else Path(scratch)
        print(f"{'target':24} {'inputs':>12} {'inputs/s':>10} {'coverage':>9} {'findings':>9}", flush=True)
        outcomes = []
        for one in pool.map(lambda n: fuzz(n, asked.seconds, asked.runs, asked.seed, corpus), asked.targets or NAMES):
            outcomes.append(one)
            rate = one.inputs / one.seconds
            print(
                f"{one.name:24} {one.inputs:>12,} {rate:>10,.0f} {one.coverage:>9,} {len(one.findings):>9}", flush=True
            )
    print(f"{'all':24} {sum(one.inputs for one in outcomes):>12,}")
    for one in outcomes:
        for finding in one.findings:
            print(f"\n{one.name}: {finding}")
    if any(one.findings for one in outcomes):
        print("\nTo try what was kept again: pytest tests/fuzz")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
