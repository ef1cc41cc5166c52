"""A run of the load as a table, as JSON and as curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from tests.bench.report import machine, machine_line
from tests.load.plot import Panel, svg
from tests.load.samples import MB, courses
from tests.load.soak import Outcome

Json = dict[str, Any]


def percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def table(outcome: Outcome) -> str:
    scale = outcome.scale
    answers, asked = outcome.counted("answers"), sum(outcome.counted("asked").values())
    lines = [
        f"rlmc load: {scale.seconds:g} s on {machine_line()}",
        f"{_load(outcome)}, {outcome.registered} sessions",
        "",
        f"{asked} turns, {outcome.total('left')} left by their client, {outcome.total('bad')} bad answers",
        "  " + ", ".join(f"{kind}: {count}" for kind, count in sorted(answers.items())),
        "",
        f"{'':34}{'median':>10}{'p99':>10}{'highest':>10}",
    ]
    for title, which, calm in (
        ("1 KB turn through the floor, ms", "floor", False),
        ("1 KB turn through rlmc, ms", "direct", False),
        ("  while no large body came", "direct", True),
        ("100 KB turn, skipped, ms", "skipped", False),
        ("  while no large body came", "skipped", True),
    ):
        times = outcome.times(which, calm=calm)
        figures = (percentile(times, 0.5), percentile(times, 0.99), max(times, default=0.0))
        lines.append(f"{title:34}" + "".join(f"{figure:10.2f}" for figure in figures))
    for title, calm in (("added by rlmc to 1 KB, ms", False), ("  while no large body came", True)):
        added = _added(outcome, calm=calm)
        lines.append(f"{title:34}{added['p50']:10.2f}{added['p99']:10.2f}")
    lines.append("")
    lines.append(f"{'':34}{'first':>10}{'2nd third':>10}{'3rd third':>10}{'highest':>10}{'after':>10}")
    for course in courses(outcome.samples):
        values = (course.first, course.middle, course.last, course.highest, getattr(outcome.after, course.figure.name))
        shown = "".join(f"{value / course.figure.unit:10.1f}" for value in values)
        lines.append(f"{course.figure.title:34}{shown}")
    lines += ["", "cores: " + ", ".join(f"{name} {cores:.2f}" for name, cores in outcome.cpu.items())]
    lines.append(f"the daemon was ready to run and had no core {outcome.starved:.0%} of the time")
    late = outcome.total("late")
    if late:
        lines.append(f"{late} small turns were sent late: the load itself had too little of the machine")
    lines += ["", *(f"NOT as it should be: {problem}" for problem in outcome.problems)]
    lines.append("" if outcome.problems else "all as it should be")
    return "\n".join(lines).rstrip()


def _load(outcome: Outcome) -> str:
    scale = outcome.scale
    size = scale.large / 1024**2
    return f"{scale.streams} slow streams, {scale.rate:g} small turns a second, bodies of {size:g} MiB"


def _added(outcome: Outcome, *, calm: bool) -> dict[str, float]:
    floor, direct = outcome.times("floor", calm=calm), outcome.times("direct", calm=calm)
    return {name: percentile(direct, share) - percentile(floor, share) for name, share in (("p50", 0.5), ("p99", 0.99))}


def as_json(outcome: Outcome) -> Json:
    return {
        "schema": "rlmc.load/1",
        "machine": machine(),
        "scale": asdict(outcome.scale),
        "turns": sum(outcome.counted("asked").values()),
        "answers": dict(outcome.counted("answers")),
        "left": outcome.total("left"),
        "bad": outcome.total("bad"),
        "late": outcome.total("late"),
        "sessions": outcome.registered,
        "latency_ms": {
            which: {"p50": percentile(times, 0.5), "p99": percentile(times, 0.99), "count": len(times)}
            for which in ("floor", "direct", "skipped")
            if (times := outcome.times(which))
        },
        "added_ms": _added(outcome, calm=False),
        "added_while_calm_ms": _added(outcome, calm=True),
        "cpu_cores": outcome.cpu,
        "starved": round(outcome.starved, 4),
        "before": asdict(outcome.before) if outcome.before else None,
        "after": asdict(outcome.after) if outcome.after else None,
        "samples": [asdict(sample) for sample in outcome.samples],
        "problems": outcome.problems,
    }


def plot(outcome: Outcome) -> str:
    samples = outcome.samples

    def line(name: str, unit: float = 1.0) -> list[tuple[float, float]]:
        return [(sample.at, getattr(sample, name) / unit) for sample in samples]

    def slow(which: str) -> list[tuple[float, float]]:
        found = ((at, sorted(getattr(window, which))) for at, window in outcome.windows)
        return [(at, percentile(times, 0.99)) for at, times in found if times]

    panels = [
        Panel("resident memory, MB", [("", line("rss", MB))]),
        Panel("open files", [("all", line("files")), ("sockets", line("sockets"))]),
        Panel("tasks", [("", line("tasks"))]),
        Panel("sessions", [("", line("sessions"))]),
        Panel("rows on their way to the ledger", [("", line("ledger_waiting"))]),
        Panel("99 % of small turns are faster than, ms", [("rlmc", slow("direct")), ("floor", slow("floor"))]),
    ]
    return svg(_load(outcome), panels)
