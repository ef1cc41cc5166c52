"""`python -m tests.load`: the real daemon under load, and whether what it holds stays flat.

Exit code 0 when it does, every answer was good and every turn has its row, 1 when not, 2 where it cannot run.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path

from tests.bench import process

_UNITS = {"K": 1024, "M": 1024**2}


def size(text: str) -> int:
    number, unit = (text[:-1], text[-1].upper()) if text[-1:].upper() in _UNITS else (text, "")
    return int(number) * _UNITS.get(unit, 1)


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=1200, help="how long (1200)")
    parser.add_argument("--streams", type=int, default=1000, help="slow streams at once (1000)")
    parser.add_argument("--rate", type=float, default=200, help="small turns a second (200)")
    parser.add_argument("--large", type=size, default="32M", help="the size of large bodies (32M)")
    parser.add_argument("--sessions", type=int, help="sessions that come and go (10000 in 1200 seconds)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the curves there, as SVG")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = options_of(arguments)
    why_not = process.unsupported()
    if why_not is not None:
        print(why_not, file=sys.stderr)
        return 2
    # Only now: it needs what is being measured.
    from tests.load import report
    from tests.load.soak import Scale, run

    sessions = max(4, round(options.seconds * 10_000 / 1200)) if options.sessions is None else options.sessions
    scale = Scale(options.seconds, options.streams, options.rate, options.large, sessions)
    with tempfile.TemporaryDirectory(prefix="rlmc-load-") as folder:
        try:
            outcome = run(Path(folder), scale, _tell)
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 2
    print(report.table(outcome))
    if options.json:
        options.json.write_text(json.dumps(report.as_json(outcome), indent=1) + "\n")
    if options.plot:
        options.plot.write_text(report.plot(outcome))
    return 1 if outcome.problems else 0


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing started here is left behind
    sys.exit(main())
