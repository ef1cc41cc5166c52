"""From the figures to a table: for a terminal, for a page, and as JSON for whoever keeps a history.

Rule: a figure is a median with its spread, and stands beside its ratio to the other side of the same round; absolute
values say more of the machine than of the server.
"""

from __future__ import annotations

import os
import platform
import time
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.arena import Run
from tests.bench.rows import Row, Table, ratios, spread

Json = dict[str, Any]
SCHEMA = "rlmc.bench/2"
_HEAD = ("", "beside", "rlmc", "ratio", "at most", "")
_OF_PEERS = ("cpu", "first-byte", "event", "memory idle", "memory after", "cold")
_PEERS_HEADS = {
    "cpu": "CPU a turn, 100 KB, 32 at once, ms",
    "first-byte": "added to the first byte, ms",
    "event": "CPU an event, us",
    "memory idle": "memory idle, MB",
    "memory after": "memory after the run, MB",
    "cold": "cold start, s",
}


def text(found: Run) -> str:
    """For a terminal."""
    table = found.table
    lines = [f"rlmc bench: {table.scale.rounds} rounds on {machine_line()}"]
    lines += ["median of the rounds (lowest-highest); a ratio is made within its round", ""]
    lines += _aligned([list(_HEAD), *_rows(table)])
    if table.more:
        lines += ["", "without a target", *_aligned(_more(table))]
    if table.peers:
        lines += ["", "others, and as a multiple of the floor in the same round", *_aligned(_peers(table))]
    lines += ["", *table.facts, *_account(found)]
    return "\n".join(lines)


def markdown(found: Run) -> str:
    """For a page."""
    table = found.table
    facts = machine()
    lines = [
        f"Measured on {_today()}: {facts['cores']} x {facts['processor']}, Linux {facts['kernel']}, Python"
        f" {facts['python']}, load {facts['load']}. {table.scale.rounds} rounds: medians, lowest and highest.",
        "",
        *_piped([list(_HEAD), *_rows(table)]),
    ]
    if table.more:
        lines += ["", "Without a target:", "", *_piped([["", "floor", "rlmc", "ratio"], *_more(table)])]
    if table.peers:
        lines += ["", "Others in the same run, and as a multiple of the floor in the same round:", ""]
        lines += _piped(_peers(table))
    said = [*table.facts, *_account(found)]
    return "\n".join([*lines, "", *(f"- {line.strip()}" for line in said)])


def as_json(found: Run) -> Json:
    """Everything, every round's own value included."""
    table = found.table
    return {
        "schema": SCHEMA,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
        "scale": asdict(table.scale),
        "rows": [
            {
                "key": row.key,
                "title": row.title(table.scale),
                "unit": row.unit,
                "rounds": _rounded(table.own[row.key].values()),
                "beside": _rounded(table.beside[row.key].values()),
                "ratios": _rounded(table.ratios(row)),
                "most": row.most,
                "verdict": table.verdict(row),
            }
            for row in table.rows()
        ],
        "more": [
            {"title": more.name, "unit": more.unit, "rounds": _rounded(more.own.values()),
             "beside": _rounded(more.beside.values())}
            for more in table.more
        ],
        "peers": {
            name: {key: _rounded(values.values()) for key, values in figures.items() if values}
            for name, figures in table.peers.items()
        },
        "facts": table.facts,
        "servers": [
            {"name": server.name, "asked": server.asked, "bad": server.bad, "problem": server.problem}
            for server in found.account
        ],
        "left_out": [{"name": name, "reason": reason} for name, reason in found.left_out],
        "ledger_differences": found.ledger,
        "failed": found.failed,
    }  # fmt: skip


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


def _rows(table: Table) -> list[list[str]]:
    return [_row(table, row) for row in table.rows()]


def _row(table: Table, row: Row) -> list[str]:
    own = spread(list(table.own[row.key].values()), row.decimals, f" {row.unit}")
    beside = list(table.beside[row.key].values())
    ratio = table.ratios(row)
    other = row.beside.format(scale=table.scale) if row.beside else "floor"
    return [
        row.title(table.scale),
        f"{other}: {spread(beside, row.decimals, f' {row.unit}')}" if beside else "",
        own,
        spread(ratio, 2, "x") if ratio else "",
        f"{row.most:g}x" if row.beside else f"{row.most:g} {row.unit}",
        table.verdict(row) or "-",
    ]


def _more(table: Table) -> list[list[str]]:
    return [
        [
            more.name,
            spread(list(more.beside.values()), more.decimals, f" {more.unit}") if more.beside else "",
            spread(list(more.own.values()), more.decimals, f" {more.unit}"),
            spread(found, 1, "x") if (found := ratios(more.own, more.beside)) else "",
        ]
        for more in table.more
    ]


def _peers(table: Table) -> list[list[str]]:
    """A line a server: the floor, rlmc, the others."""
    keys = [key for key in _OF_PEERS if any(figures.get(key) for figures in table.peers.values())]
    late = {"memory after": "memory late"}  # under which the table has it of the floor and rlmc
    lines = [
        ["", *(_PEERS_HEADS[key] for key in keys)],
        ["floor", *(_cell(key, table.beside.get(late.get(key, key), {}), {}) if key != "cold" else "" for key in keys)],
        ["rlmc", *(_against(table, key, table.own.get(late.get(key, key), {})) for key in keys)],
    ]
    lines += [
        [name, *(_against(table, key, figures.get(key, {})) for key in keys)] for name, figures in table.peers.items()
    ]
    return lines


def _against(table: Table, key: str, values: dict[int, float]) -> str:
    compared = key in ("cpu", "first-byte", "event")
    return _cell(key, values, table.beside[key] if compared else {})


def _cell(key: str, values: dict[int, float], floor: dict[int, float]) -> str:
    if not values:
        return ""
    value = median(values.values())
    shown = f"{value / 1000:.2f}" if key == "cold" else f"{value:.3g}" if value < 100 else f"{value:,.0f}"
    found = ratios(values, floor)
    return f"{shown}, {spread(found, 1, 'x')}" if found else shown


def _account(found: Run) -> list[str]:
    asked, bad = sum(s.asked for s in found.account), sum(s.bad for s in found.account)
    lines = []
    if found.account:
        lines.append(f"{asked:,} turns asked, {bad} without a complete answer")
        lines += [f"  {s.name}: {s.bad} of {s.asked} bad; first: {s.problem}" for s in found.account if s.bad]
        lines.append("ledger: " + ("NOT as asked" if found.ledger else "a row for every turn, with the right outcome"))
        lines += [f"  {difference}" for difference in found.ledger]
    lines += [f"not measured: {failure}" for failure in found.failed]
    return lines + [f"left out: {name}: {reason}" for name, reason in found.left_out]


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _piped(rows: list[list[str]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [lines[0], f"|{' --- |' * len(rows[0])}", *lines[1:]]


def _today() -> str:
    return time.strftime("%-d %B %Y")


def _rounded(values: Any) -> list[float]:
    return [round(value, 6) for value in values]
