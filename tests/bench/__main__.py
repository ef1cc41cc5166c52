"""`python -m tests.bench`: what rlmc costs beside a raw passthrough, measured in one run on this machine.

Exit code 0 when every answer was complete and every turn has its row, 1 when not, 2 where it cannot run.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.bench import measure, peers, process, report


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a rough answer in a quarter of a minute")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often everything is measured")
    parser.add_argument("--turns", type=int, metavar="N", help="the most turns a figure is made of")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value there")
    parser.add_argument("--peers", type=Path, metavar="PATH", help="a folder with other servers that are set up")
    parser.add_argument(
        "--only", metavar="WORDS", default="", help="of those, the ones with one of these in their name"
    )
    parser.add_argument(
        "--peers-upstream", type=int, metavar="PORT", default=peers.UPSTREAM_PORT, help="where they ask"
    )
    return parser.parse_args(arguments)


def scale_of(options: argparse.Namespace) -> measure.Scale:
    scale = measure.QUICK if options.quick else measure.FULL
    if options.rounds:
        scale = replace(scale, rounds=options.rounds)
    if options.turns:
        few = min(scale.alone, options.turns), min(scale.streams, options.turns)
        scale = replace(scale, turns=options.turns, alone=few[0], streams=few[1])
    return scale


def main(arguments: list[str] | None = None) -> int:
    options = options_of(arguments)
    why_not = process.unsupported()
    if why_not is not None:
        print(why_not, file=sys.stderr)
        return 2
    # Only now: it needs what is being measured.
    from tests.bench.arena import run

    scale = scale_of(options)
    words = [word for word in options.only.split(",") if word]
    found = peers.read_folder(options.peers, words) if options.peers else []
    with tempfile.TemporaryDirectory(prefix="rlmc-bench-") as folder:
        try:
            measured, ledger = run(Path(folder), scale, found, options.peers_upstream if options.peers else 0, _tell)
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 2
    print(report.table(measured, scale, ledger))
    if options.json:
        options.json.write_text(json.dumps(report.as_json(measured, scale, ledger), indent=1) + "\n")
    return 1 if ledger or any(server.bad for server in measured.account) else 0


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing started here is left behind
    sys.exit(main())
