"""An account as aligned text: as wide as the terminal up to 120 columns, 80 in a pipe.

Rule: names from outside are printed as they are, never as markup. No figure is shortened, and no line is wider than the
page unless the figures alone are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import TextIO

from rlmc.domain.outcome import Outcome
from rlmc.ledger.period import local
from rlmc.ledger.quality import Known
from rlmc.ledger.report import Account, SavingsReport, Side
from rlmc.ui.console import encodable, page_width, paint
from rlmc.ui.listing import Cell, Column, Toned, lines
from rlmc.ui.palette import Meaning, of_outcome, of_saving, tint
from rlmc.ui.prose import PIPE, wrapped
from rlmc.ui.sparkline import saved_by_day
from rlmc.views import sentences
from rlmc.views.figures import amount, baseline, cells, count, label, money, path, percent, seconds, short, short_saving

_WIDE = 100  # from here on there is room for more than is needed
_GAP = 2
_BETWEEN = 6  # two tables side by side
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_OUTCOMES = (
    Column("outcome"),
    Column("turns", right=True),
    Column("share", right=True),
    Column("p50", right=True),
    Column("p95", right=True),
)
_SIDES = (
    Column("side"),
    Column("calls", right=True),
    Column("prompt tokens", right=True),
    Column("cache read", right=True),
    Column("output tokens", right=True),
    Column("paid", right=True),
)
_FIGURES = (
    Column("turns", right=True),
    Column("skipped", right=True, room=_WIDE),
    Column("direct", right=True),
    Column("paid", right=True),
    Column("baseline", right=True),
    Column("saved", right=True),
    Column("share", right=True),
    Column("p50", right=True, room=_WIDE),
)
# What names a group: of a session its id too, and when it began where there is room.
_SESSION = (Column("session", least=4), Column("began", room=_WIDE), Column("name", least=4, start=True))
LEAST_ID = 8


def account_lines(
    account: Account, by: str | None, id_length: int, out: TextIO, known: Known | None = None
) -> list[str]:
    """The account with its groups by `by` as a table; without one its groups are days, and only drawn. `id_length` is
    what a session's id may be shortened to, `known` what there is to say of quality."""
    width = page_width(out) or PIPE
    found: list[str] = []
    if by is not None:
        found += [*_groups(account, by, max(LEAST_ID, id_length), width, out), ""]
    found += _figures(account.total, known, width, out)
    spark = saved_by_day(account.groups, width, out) if by in (None, "day") else []
    if spark:
        found += ["", *spark]
    found += ["", *_beside(_latencies(account.total, width, out), _sides(account.total, width, out), width)]
    found.append("")
    for remark in _remarks(account, by):
        found += wrapped(encodable(remark, out), width)
    return found


# --- the parts ------------------------------------------------------------------------------------------------------


def _figures(report: SavingsReport, known: Known | None, width: int, out: TextIO) -> list[str]:
    """A name, a figure and what has to be known of it."""
    outcomes = " · ".join(f"{report.outcomes[o.value]:,} {o.value}" for o in Outcome if report.outcomes[o.value])
    lost = (report.saving.amount or 0) < 0
    rows = [
        ("turns", f"{report.turns:,}", outcomes),
        ("paid", amount(report.paid), ""),
        ("baseline", baseline(report), sentences.estimates(report).removeprefix("baseline ")),
        ("lost" if lost else "saved", _saved(report), _saved_remarks(report)),
    ]
    alone = sentences.draft_alone(report)
    if alone is not None:
        rows.append(("draft only", alone, "what the draft model alone would have cost"))
    if report.brief.calls:
        rows.append(("checks", amount(report.brief.paid), sentences.brief_checks(report)))
    if report.keepalive.calls:
        rows.append(("keep-alive", amount(report.keepalive.paid), sentences.kept_warm(report)))
    if report.audit.calls:
        rows.append(("audits", amount(report.audit.paid), sentences.audited(report)))
    if report.wasted.calls:
        drafts = f"{count(report.wasted.calls, 'draft')} paid for and not used"
        rows.append(("wasted", amount(report.wasted.paid), drafts))
    quality = sentences.quality(report, known)
    if quality is not None:
        rows.append(("quality", "", quality))
    plain = [(name, encodable(figure, out), encodable(text, out)) for name, figure, text in rows]
    return _aligned(plain, of_saving(report.saving), width, out)


def _aligned(rows: Sequence[tuple[str, str, str]], saved: Meaning | None, width: int, out: TextIO) -> list[str]:
    first = max(len(name) for name, _, _ in rows) + _GAP
    second = max(cells(figure) for _, figure, _ in rows)
    indent = " " * (first + second + _GAP)
    found = []
    for name, figure, text in rows:
        head = name.ljust(first) + " " * (second - cells(figure))
        shown = tint(figure, saved, out) if name in ("saved", "lost") else figure
        start, *rest = wrapped(text, width, indent, indent) if text else [indent]
        remark = start[len(indent) :]
        quiet = name not in ("turns", "quality")
        remark = " " * _GAP + (paint(remark, "dim", out) if quiet else remark) if remark else ""
        found.append((head + shown + remark).rstrip())
        found += [indent + (paint(line[len(indent) :], "dim", out) if quiet else line[len(indent) :]) for line in rest]
    return found


def _saved(report: SavingsReport) -> str:
    saved = report.saving
    words = {"exact": "", "unknown": "unknown", "at most": "at most ", "at least": "at least "}
    if saved.amount is not None and saved.amount < 0:
        words["at most"], words["at least"] = words["at least"], words["at most"]
    return words[saved.bound] + ("" if saved.amount is None else money(abs(saved.amount)))


def _saved_remarks(report: SavingsReport) -> str:
    remarks = []
    if report.share is not None:
        remarks.append(percent(abs(report.share)))
    if report.break_even is not None:
        remarks.append(f"gone if rlmc caused {percent(report.break_even)} more turns")
    return "; ".join(remarks)


def _latencies(report: SavingsReport, width: int, out: TextIO) -> list[str]:
    rows: list[list[Cell]] = []
    for outcome in Outcome:
        turns = report.outcomes[outcome.value]
        if turns:
            times = report.latency_by_outcome.get(outcome.value)
            spent = ("-", "-") if times is None else (_time(times.p50), _time(times.p95))
            name = Toned(outcome.value, of_outcome(outcome.value))
            rows.append([name, f"{turns:,}", percent(turns / report.turns), *spent])
    rows.append(["all", f"{report.turns:,}", " ", _time(report.latency.p50), _time(report.latency.p95)])
    alone = report.baseline_latency
    if report.drafted_turns and alone.count:
        rows.append(["baseline (est.)", " ", " ", _time(alone.p50), _time(alone.p95)])
    return lines(_OUTCOMES, rows, out, width)


def _sides(report: SavingsReport, width: int, out: TextIO) -> list[str]:
    rows = [[name, *_side(side)] for name, side in (("draft", report.draft), ("verify", report.verify)) if side.calls]
    return lines(_SIDES, rows, out, width) if rows else []


def _side(side: Side) -> tuple[str, ...]:
    read = "-" if side.read_share is None else percent(side.read_share)
    return f"{side.calls:,}", f"{side.prompt:,}", read, f"{side.output:,}", short(side.paid)


def _groups(account: Account, by: str, id_length: int, width: int, out: TextIO) -> list[str]:
    names = _SESSION if by == "session" else (Column(by, least=8),)
    rows = [[*_key(key, report, by, id_length, width), *_group(report)] for key, report in account.groups]
    return lines([*names, *_FIGURES], rows, out, width)


def _key(key: str, report: SavingsReport, by: str, id_length: int, width: int) -> list[Cell]:
    match by:
        case "session":
            began = "" if report.first_at is None else f"{local(report.first_at):%m-%d %H:%M}"
            return [key[:id_length], began, report.session_name or ("" if width >= _WIDE else began)]
        case "project":
            return [path(key) or "unknown"]
        case "branch":
            return [key or "none"]
        case "outcome":
            return [Toned(key, of_outcome(key))]
    return [key]


def _group(report: SavingsReport) -> list[Cell]:
    return [
        f"{report.turns:,}",
        f"{report.outcomes[Outcome.SKIPPED.value]:,}",
        f"{report.outcomes[Outcome.DIRECT.value]:,}",
        short(report.paid),
        short(report.baseline),
        Toned(short_saving(report.saving), of_saving(report.saving)),
        "-" if report.share is None else percent(report.share),
        _time(report.latency.p50),
    ]


def _remarks(account: Account, by: str | None) -> list[str]:
    report = account.total
    reasons = sorted(report.reasons.items(), key=lambda item: (-item[1], item[0]))
    found = [
        "Reasons: " + " · ".join(f"{label(reason)} {turns:,}" for reason, turns in reasons) if reasons else None,
        *(f"{line}." for line in sentences.unknown_prices(report)),
    ]
    if report.estimated_calls:
        found.append(f"Usage was reckoned on {count(report.estimated_calls, 'call')} whose answer broke off.")
    if report.unfinished:
        found.append(f"{count(report.unfinished, 'turn')} did not come to a proper end; latencies leave them out.")
    found.append(sentences.auto_mode(report))
    if by is not None:
        found.append(
            "A saving belongs to a whole session: what a skipped turn saves, the next direct one pays in part."
        )
    if report.simulated:
        found.append("Simulated models, simulated prices.")
    if account.left_out:
        found.append(f"{count(account.left_out, 'simulated turn')} left out.")
    return [line for line in found if line]


def _beside(left: Sequence[str], right: Sequence[str], width: int) -> list[str]:
    """Two tables, the one after the other where they do not fit side by side."""
    if not right:
        return [*left]
    column = max(_size(line) for line in left) + _BETWEEN
    if column + max(_size(line) for line in right) > width:
        return [*left, "", *right]
    pairs = zip_longest(left, right, fillvalue="")
    return [f"{one}{' ' * (column - _size(one))}{other}".rstrip() for one, other in pairs]


def _size(line: str) -> int:
    return cells(_COLOUR.sub("", line))


def _time(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else seconds(milliseconds)
