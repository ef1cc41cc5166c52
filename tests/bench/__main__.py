"""`python -m tests.bench`: what rlmc costs, beside the least it could cost, measured in one run on this machine.

Exit code 0 when every answer was complete, every turn has its row in the ledger and all could be measured, 1 when
not, 2 where it cannot run. A target that is missed is said and changes no exit code.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.bench import peers, process
from tests.bench.rows import GROUPS
from tests.bench.scale import FULL, QUICK, Scale


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", metavar="ROWS", default="", help=f"some of {','.join(GROUPS)}")
    parser.add_argument("--quick", action="store_true", help="a rough answer in half a minute")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often everything is measured")
    parser.add_argument("--turns", type=int, metavar="N", help="the most turns a figure is made of")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value there")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="write the table into this page")
    parser.add_argument("--draw", type=Path, metavar="FILE", help="draw the growing session there, as SVG")
    parser.add_argument("--record", action="store_true", help="append the medians to the history")
    parser.add_argument("--peers", type=Path, metavar="PATH", help="a folder with other servers that are set up")
    parser.add_argument("--peer", metavar="WORDS", default="", help="of those, some: words of their names")
    parser.add_argument(
        "--peers-upstream", type=int, metavar="PORT", default=peers.UPSTREAM_PORT, help="where they ask"
    )
    options = parser.parse_args(arguments)
    options.only = options.only.split(",") if options.only else list(GROUPS)
    unknown = set(options.only) - set(GROUPS)
    if unknown:
        parser.error(f"--only has no {', '.join(sorted(unknown))}; it has {', '.join(GROUPS)}")
    if options.quick and options.record:
        parser.error("--quick is too rough to be recorded")
    return options


def scale_of(options: argparse.Namespace) -> Scale:
    scale = QUICK if options.quick else FULL
    if options.rounds:
        scale = replace(scale, rounds=options.rounds)
    if options.turns:
        few = {name: min(getattr(scale, name), options.turns) for name in ("alone", "streams", "soon", "grown")}
        scale = replace(scale, turns=options.turns, late=2 * few["soon"], **few)
    return scale


def main(arguments: list[str] | None = None) -> int:
    options = options_of(arguments)
    why_not = process.unsupported()
    if why_not is not None:
        print(why_not, file=sys.stderr)
        return 2
    # Only now: they need what is being measured.
    from tests.bench import history, page, report
    from tests.bench.arena import run

    words = [word for word in options.peer.split(",") if word]
    found = peers.read_folder(options.peers, words) if options.peers else []
    port = options.peers_upstream if options.peers else 0
    with tempfile.TemporaryDirectory(prefix="rlmc-bench-") as folder:
        try:
            ran = run(Path(folder), scale_of(options), set(options.only), found, port, _tell)
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 2
    new = history.entry(ran.table)
    if not options.quick:
        ran.table.facts += history.worse(new, history.read())
    print(report.text(ran))
    if options.json:
        options.json.write_text(json.dumps(report.as_json(ran), indent=1) + "\n")
    if options.write:
        page.write(options.write, report.markdown(ran))
    if options.draw and ran.picture is not None:
        options.draw.write_text(ran.picture)
    if options.record:
        history.record(new)
    return 0 if ran.good else 1


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing started here is left behind
    sys.exit(main())
