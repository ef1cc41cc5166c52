"""From the figures to a table for people and to JSON for whoever keeps a history.

Rule: a figure is a median with its spread, and stands beside its ratio to the floor of the same round; absolute times
say more of the machine than of the server.
"""

from __future__ import annotations

import os
import platform
import time
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.measure import CONNECTIONS, Measurement, Scale

Json = dict[str, Any]

FLOOR = "floor"
# Title, decimals, and columns: (heading, figures; a server has one of them).
_TABLES: tuple[tuple[str, int, tuple[tuple[str, tuple[str, ...]], ...]], ...] = (
    (
        f"CPU of the proxy, ms a turn at {CONNECTIONS} connections",
        3,
        (
            ("100 KB streamed", ("cpu agent", "cpu agent-mid-task")),
            ("1 KB streamed", ("cpu small",)),
            ("1 KB whole", ("cpu small-whole",)),
        ),
    ),
    ("CPU of the proxy, us an event, many slow streams at once", 1, (("1 KB, paced", ("cpu event",)),)),
    (
        "Added at one connection to what the upstream itself takes, ms",
        2,
        (
            ("100 KB first byte", ("first_byte agent",)),
            ("100 KB total", ("total agent",)),
            ("1 KB first byte", ("first_byte small",)),
            ("1 KB total", ("total small",)),
        ),
    ),
    ("Resident memory, MB", 1, (("idle", ("idle",)), ("after", ("after",)))),
)


def table(measured: Measurement, scale: Scale, ledger: list[str] | None) -> str:
    lines = [
        f"rlmc bench: {scale.rounds} rounds on {machine_line()}",
        "median of the rounds (lowest-highest), and as a multiple of the floor in the same round",
    ]
    for title, decimals, columns in _TABLES:
        rows = [["", *(heading for heading, _ in columns)]]
        for server in measured.servers:
            cells = [_cell(measured, server.name, figures, decimals) for _, figures in columns]
            if any(cells):
                rows.append([f"  {server.name}", *cells])
        lines += ["", title, *_aligned(rows)]
    lines += ["", *_account(measured, ledger)]
    return "\n".join(lines)


def as_json(measured: Measurement, scale: Scale, ledger: list[str] | None) -> Json:
    """Everything, every round's own value included."""
    return {
        "schema": "rlmc.bench/1",
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
        "scale": asdict(scale),
        "servers": [
            {
                "name": server.name,
                "asked": server.asked,
                "bad": server.bad,
                "problem": server.problem,
                "figures": {
                    figure: {
                        "rounds": [round(v, 6) for v in values],
                        "median": round(median(values), 6),
                        "floor_ratios": _ratios(measured, server.name, figure),
                    }
                    for figure, values in measured.figures[server.name].items()
                },
            }
            for server in measured.account
        ],
        "left_out": [{"name": name, "reason": reason} for name, reason in measured.left_out],
        "ledger_differences": ledger,
    }


def machine() -> Json:
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def machine_line() -> str:
    facts = machine()
    return (
        f"{facts['cores']} x {facts['processor']}, Linux {facts['kernel']}, Python {facts['python']}, "
        f"load {facts['load']}"
    )


def _cell(measured: Measurement, server: str, figures: tuple[str, ...], decimals: int) -> str:
    figure = next((f for f in figures if measured.figures[server].get(f)), None)
    if figure is None:
        return ""
    text = _with_spread(measured.figures[server][figure], decimals)
    ratios = _ratios(measured, server, figure)
    return f"{text}  {_with_spread(ratios, 1, 'x')}" if ratios and server != FLOOR else text


def _with_spread(values: list[float], decimals: int, unit: str = "") -> str:
    text = f"{median(values):.{decimals}f}{unit}"
    return text if len(values) == 1 else f"{text} ({min(values):.{decimals}f}-{max(values):.{decimals}f})"


def _ratios(measured: Measurement, server: str, figure: str) -> list[float]:
    """How many times the floor's, round by round. A turn in the middle of a task is set against the floor's relay of
    a request of the same size."""
    floor = measured.figures[FLOOR].get(figure.replace("-mid-task", ""), [])
    pairs = zip(measured.figures[server][figure], floor, strict=False)
    return [round(own / base, 3) for own, base in pairs if base > 0]


def _account(measured: Measurement, ledger: list[str] | None) -> list[str]:
    asked, bad = sum(s.asked for s in measured.account), sum(s.bad for s in measured.account)
    lines = [f"{asked} turns asked, {bad} without a complete answer"]
    lines += [f"  {s.name}: {s.bad} of {s.asked} bad; first: {s.problem}" for s in measured.account if s.bad]
    if ledger is not None:
        lines.append("ledger: " + ("a row for every turn, with the right outcome" if not ledger else "NOT as asked"))
        lines += [f"  {difference}" for difference in ledger]
    lines += [f"left out: {name}: {reason}" for name, reason in measured.left_out]
    return lines


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
