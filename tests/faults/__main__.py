"""`python -m tests.faults`: every fault a provider can have, on both sides, met by every client with and without rlmc.

One line a cell. Exit code 1 where a client sees anything else than specified; docs/reliability.md says what that is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.agents import Agent, AgentRuns, agent_cells, agents
from tests.faults.cells import Cell, Verdict, cells, run
from tests.faults.clients import RAW, sdks
from tests.faults.proxy import running_proxy
from tests.faults.table import markdown
from tests.faults.upstream import FaultUpstream

_AT_A_TIME = 12
_AGENTS_AT_A_TIME = 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", choices=("sdk", "all"), default="sdk", help="all: Claude Code and Codex, too")
    parser.add_argument("--only", metavar="PATTERN", default="", help="cells whose line has all of these words")
    parser.add_argument("--list", action="store_true", help="print the cells and run none")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table of docs/reliability.md there")
    options = parser.parse_args()
    words = options.only.split()
    real = list(agents()) if options.clients == "all" else []
    if options.clients == "all" and len(real) < 2:
        print("CLAUDE_BIN and CODEX_BIN name the agents; of one that is not named there are no cells", file=sys.stderr)
    matrix = (*cells((*RAW, *sdks())), *agent_cells(real))
    chosen = [cell for cell in matrix if all(word in cell.title for word in words)]
    if options.list:
        print("\n".join(cell.title for cell in chosen))
        return 0
    began, verdicts = time.perf_counter(), []
    for verdict in _verdicts(chosen):
        print(verdict.line, flush=True)
        verdicts.append(verdict)
    different = [verdict for verdict in verdicts if verdict.difference]
    print(f"\ncells {len(verdicts)}, requests {sum(v.requests for v in verdicts)}, "
          f"agent-visible differences {len(different)}, {time.perf_counter() - began:.0f} s")  # fmt: skip
    for note, count in Counter(verdict.note for verdict in verdicts if verdict.note).items():
        print(f"  {count} as specified{note}")
    if options.markdown:
        options.markdown.write_text(markdown(verdicts))
    return 1 if different else 0


def _verdicts(chosen: list[Cell]) -> Iterator[Verdict]:
    asked = [cell for cell in chosen if not isinstance(cell.client, Agent)]
    driven = [cell for cell in chosen if isinstance(cell.client, Agent)]
    with tempfile.TemporaryDirectory(prefix="rlmc-faults-") as folder, FaultUpstream() as up:
        if asked:
            with running_proxy(Path(folder) / "asked") as proxy, ThreadPoolExecutor(_AT_A_TIME) as pool:
                yield from pool.map(lambda cell: run(cell, up, proxy), asked)
        if driven:
            (Path(folder) / "driven").mkdir()
            with (
                FaultUpstream() as drafts,
                AgentRuns(up, drafts, Path(folder) / "driven") as runs,
                ThreadPoolExecutor(_AGENTS_AT_A_TIME) as pool,
            ):
                yield from pool.map(runs.run, driven)


if __name__ == "__main__":
    sys.exit(main())
