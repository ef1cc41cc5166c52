"""What is known of quality, for people: the epoch in use in full, others in a line each.

Rule: every rate stands beside its counts. The words are those of every other surface.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from rlmc.ledger.epochs import EpochQuality, Quality
from rlmc.ledger.period import local
from rlmc.ui.listing import Cell, Column, Toned, lines
from rlmc.ui.palette import Meaning
from rlmc.ui.rows import named_lines, section, sentence_lines
from rlmc.views import epochs as words
from rlmc.views.figures import exact_percent, label, upper

_WIDE, _WIDER = 100, 110
_KINDS = (
    Column("kind of draft"),
    Column("audits", right=True),
    Column("no end yet", right=True),
    Column("worse", right=True),
    Column("loss", right=True),
    Column("reckoned with", right=True),
    Column("calibration", least=12, start=True),
)
_LOSSES = (Column("turn"), Column("when"), Column("kind"), Column("loss", right=True))
_OTHERS = (
    Column("last used"),
    Column("draft", least=8),
    Column("verify", least=8),
    Column("policy", least=6, start=True),
    Column("turns", right=True, room=_WIDER),
    Column("drafted", right=True),
    Column("audits", right=True),
    Column("rate", right=True, room=_WIDER),
    Column("worse", right=True, room=_WIDE),
    Column("bound", right=True),
    Column("target", right=True, room=_WIDER),
    Column(""),
)


def quality_lines(found: Quality, whole: bool, id_length: int, out: TextIO) -> list[str]:
    """`whole` shows every epoch in full. `id_length` is what a turn's id may be shortened to."""
    shown = found.epochs if whole else found.epochs[:1]
    body: list[str] = []
    for epoch in shown:
        body += ["", *_epoch(epoch, id_length, out)]
    rest = found.epochs[len(shown) :]
    if rest:
        body += section("Other epochs", lines(_OTHERS, [_other(one) for one in rest], out), out)
    body.append("")
    for note in _notes(found, shown):
        body += sentence_lines(note, out)
    return body


def _epoch(epoch: EpochQuality, id_length: int, out: TextIO) -> list[str]:
    row, standing = epoch.row, epoch.standing
    judged = "which is also the judge" if row.judge == row.verify else f"judged by {label(row.judge)}"
    last = "" if epoch.last_at is None else f", last turn {_moment(epoch.last_at)}"
    rows: list[tuple[str, Cell]] = [
        ("drafts", f"{label(row.draft)} for {label(row.verify)}, {judged}"),
        ("policy", f"{label(row.policy)}, at least {exact_percent(row.least)} of drafted turns audited"),
        ("since", f"{_moment(row.began_at)}{last}"),
        ("quality", Toned(words.verdict(epoch), _tone(epoch))),
    ]
    missing, stop, alarms = words.missing(standing), words.stop(epoch), words.alarms(epoch)
    rows += [("", missing)] if missing else []
    rows += [("stop", Toned(stop, "loss"))] if stop else []
    rows += [
        ("turns", words.turns(epoch)),
        ("audits", words.audits(standing)),
        ("judge", words.judge(standing)),
        ("bounds", words.bounds(standing)),
    ]
    rows += [("controller" if not at else "", text) for at, text in enumerate(words.controller(epoch))]
    rows += [("alarm", alarms)] if alarms else []
    found = named_lines(rows, out)
    kinds = words.kinds(epoch)
    if kinds:
        found += ["", *lines(_KINDS, [_kind(one) for one in kinds], out)]
    if epoch.losses:
        losses = [[one.turn[:id_length], _moment(one.at), one.bucket, f"{one.loss:g}"] for one in epoch.losses]
        found += section("The last losses", lines(_LOSSES, losses, out), out)
    return found


def _tone(epoch: EpochQuality) -> Meaning | None:
    if epoch.standing.certified:
        return "gain"
    return None if epoch.certified_at is None else "loss"


def _kind(kind: words.Kind) -> list[Cell]:
    audited, calibration = kind.audited, kind.calibration
    counts = ("0", "-", "-", "-")
    if audited is not None:
        counts = (f"{audited.audits:,}", f"{audited.open:,}", f"{audited.worse:,}", f"{audited.loss:g}")
    risk = "-" if kind.risk is None else upper(kind.risk)
    if calibration is None:
        return [kind.bucket, *counts, risk, "-"]
    opened = "open" if calibration.opened else "shut"
    return [kind.bucket, *counts, risk, f"{opened}: loss {calibration.loss:g} in {calibration.labels:,}"]


def _other(epoch: EpochQuality) -> list[Cell]:
    row, standing = epoch.row, epoch.standing
    certified = "certified" if standing.certified else "no more" if epoch.certified_at is not None else "not yet"
    return [
        f"{local(epoch.last_at or row.began_at):%Y-%m-%d}",
        row.draft.partition("/")[2] or row.draft,
        row.verify.partition("/")[2] or row.verify,
        row.policy,
        f"{standing.turns:,}",
        f"{standing.served:,}",
        f"{standing.audits:,}",
        exact_percent(row.least),
        f"{standing.worse:,}",
        upper(standing.overall),
        exact_percent(standing.target),
        certified,
    ]


def _notes(found: Quality, shown: Sequence[EpochQuality]) -> list[str]:
    unaudited = words.unaudited(found.unaudited)
    notes = [words.HOLDS] if shown else [words.NOTHING]
    notes += [unaudited] if unaudited else []
    if found.simulated and shown:
        notes.append("Simulated models: this says nothing of real ones.")
    if found.left_out:
        other = (
            "Epochs of real models are left out."
            if found.simulated
            else ("Epochs of simulated models are left out; --simulated shows them.")
        )
        notes.append(other)
    return notes


def _moment(at: int) -> str:
    return f"{local(at):%Y-%m-%d %H:%M}"
