"""An account as aligned text in at most 80 columns. Colours appear on a terminal only, and not where NO_COLOR is set.

Rule: names from outside are printed as they are, never as markup. rich is imported when something is printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TextIO

from rlmc.domain.turn import Outcome
from rlmc.ledger.period import local
from rlmc.ledger.report import Account, Saving, SavingsReport, Side
from rlmc.ui.console import colours
from rlmc.views import sentences
from rlmc.views.figures import amount, baseline, count, label, money, percent, seconds, short, short_saving

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

WIDTH = 80
_KEY_WIDTH = 12  # never less for the key of a group
_GAP = 2  # what the table puts between two columns
_GROUP_COLUMNS = ("turns", "direct", "paid", "baseline", "saved", "share")
_GAIN, _LOSS, _QUIET = "green", "red", "dim"


def print_account(account: Account, heading: str, by: str | None, notes: list[str], out: TextIO) -> None:
    from rich.text import Text

    console = _console(out)
    console.print(Text(heading, style="bold"))
    console.print()
    if account.groups:
        console.print(_groups(account, by or ""))
        console.print()
    console.print(_figures(account.total))
    console.print()
    console.print(_latencies(account.total))
    console.print()
    console.print(_sides(account.total))
    for note in [*_remarks(account), *notes]:
        console.print()
        console.print(Text(note))


def _console(out: TextIO) -> Console:
    from rich.console import Console

    colour: Literal["auto"] | None = "auto" if colours(out) else None
    console = Console(file=out, color_system=colour, highlight=False, markup=False, emoji=False)
    if console.width > WIDTH:
        console.width = WIDTH
    return console


# --- the parts ------------------------------------------------------------------------------------------------------


def _figures(report: SavingsReport) -> RenderableType:
    from rich.table import Table

    outcomes = [f"{report.outcomes[o.value]:,} {o.value}" for o in Outcome if report.outcomes[o.value]]
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    table.add_row("turns", f"{report.turns:,}", " · ".join(outcomes))
    table.add_row("paid", amount(report.paid), "")
    table.add_row("baseline", baseline(report), _quiet(sentences.estimates(report).removeprefix("baseline ")))
    table.add_row(*_saved_row(report))
    alone = sentences.draft_alone(report)
    if alone is not None:
        table.add_row("draft only", alone, _quiet("what the draft model alone would have cost"))
    if report.brief.calls:
        table.add_row("checks", amount(report.brief.paid), _quiet(sentences.brief_checks(report)))
    if report.keepalive.calls:
        table.add_row("keep-alive", amount(report.keepalive.paid), _quiet(sentences.kept_warm(report)))
    if report.wasted.calls:
        drafts = f"{count(report.wasted.calls, 'draft')} paid for and not used"
        table.add_row("wasted", amount(report.wasted.paid), _quiet(drafts))
    quality = sentences.quality(report)
    if quality is not None:
        table.add_row("quality", "", quality)
    return table


def _saved_row(report: SavingsReport) -> tuple[str, RenderableType, RenderableType]:
    saved = report.saving
    lost = saved.amount is not None and saved.amount < 0
    remarks = []
    if report.share is not None:
        remarks.append(percent(abs(report.share)))
    if report.break_even is not None:
        remarks.append(f"gone if rlmc caused {percent(report.break_even)} more turns")
    words = {"exact": "", "unknown": "unknown", "at most": "at most ", "at least": "at least "}
    if lost:
        words["at most"], words["at least"] = words["at least"], words["at most"]
    text = words[saved.bound] + ("" if saved.amount is None else money(abs(saved.amount)))
    return "lost" if lost else "saved", _coloured(text, saved), _quiet("; ".join(remarks))


def _latencies(report: SavingsReport) -> RenderableType:
    table = _table("outcome")
    for column in ("turns", "share", "p50", "p95"):
        table.add_column(column, justify="right")
    for outcome in Outcome:
        turns = report.outcomes[outcome.value]
        if turns:
            times = report.latency_by_outcome.get(outcome.value)
            p50, p95 = (times.percentile(50), times.percentile(95)) if times else (None, None)
            table.add_row(outcome.value, f"{turns:,}", percent(turns / report.turns), _time(p50), _time(p95))
    table.add_row("all", f"{report.turns:,}", "", *(_time(report.latency.percentile(p)) for p in (50, 95)))
    alone = report.baseline_latency
    if report.drafted_turns and alone.count:
        table.add_row("baseline (est.)", "", "", _time(alone.percentile(50)), _time(alone.percentile(95)))
    return table


def _sides(report: SavingsReport) -> RenderableType:
    table = _table("side")
    for column in ("calls", "prompt tokens", "cache read", "output tokens", "paid"):
        table.add_column(column, justify="right")
    for name, side in (("draft", report.draft), ("verify", report.verify)):
        if side.calls:
            table.add_row(name, *_side(side))
    return table


def _side(side: Side) -> tuple[str, ...]:
    read = "-" if side.read_share is None else percent(side.read_share)
    return f"{side.calls:,}", f"{side.prompt:,}", read, f"{side.output:,}", short(side.paid)


def _groups(account: Account, by: str) -> RenderableType:
    rows = [_group(report) for _, report in account.groups]
    widths = [max(len(row[column]) for row in [_GROUP_COLUMNS, *rows]) for column in range(len(_GROUP_COLUMNS))]
    # What a key may take is what the figures leave: a shortened name can be looked up, a shortened amount misleads.
    key_width = max(_KEY_WIDTH, WIDTH - sum(width + _GAP for width in widths))
    table = _table(by)
    for column in _GROUP_COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    for (key, report), row in zip(account.groups, rows, strict=True):
        *figures, saved, share = row
        table.add_row(_key(key, report, by, key_width), *figures, _coloured(saved, report.saving), share)
    return table


def _group(report: SavingsReport) -> tuple[str, ...]:
    return (
        f"{report.turns:,}",
        f"{report.outcomes[Outcome.DIRECT.value]:,}",
        short(report.paid),
        short(report.baseline),
        short_saving(report.saving),
        "" if report.share is None else percent(report.share),
    )


def _remarks(account: Account) -> list[str]:
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
    if account.groups:
        found.append(
            "A saving belongs to a whole session: what a skipped turn saves, the next direct one pays in part."
        )
    if report.simulated:
        found.append("Simulated models, simulated prices.")
    if account.left_out:
        found.append(f"{count(account.left_out, 'simulated turn')} left out.")
    return [line for line in found if line]


# --- cells ----------------------------------------------------------------------------------------------------------


def _table(first: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    table.add_column(first, no_wrap=True, overflow="ellipsis")
    return table


def _key(key: str, report: SavingsReport, by: str, width: int) -> str:
    if by == "session" and report.first_at is not None:
        about = report.session_name or local(report.first_at).strftime("%m-%d %H:%M")
        room = max(0, width - len(key) - 1)
        return f"{label(key)} {label(about, room)}" if room >= min(8, len(about)) else label(key, width)
    return label(key, width)


def _coloured(text: str, saved: Saving) -> Text:
    from rich.text import Text

    if not saved.amount or saved.bound == "unknown":
        return Text(text)
    return Text(text, style=_LOSS if saved.amount < 0 else _GAIN)


def _quiet(text: str) -> Text:
    from rich.text import Text

    return Text(text, style=_QUIET)


def _time(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else seconds(milliseconds)
