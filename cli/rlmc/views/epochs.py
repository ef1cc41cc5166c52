"""What is known of an epoch, in words: the parts of `rlmc quality`.

Rule: never a rate without its count.
"""

from __future__ import annotations

from collections.abc import Sequence

from rlmc.cascade.bucket import BUCKETS
from rlmc.cascade.obedience import obeys
from rlmc.domain.frozen import dataclass
from rlmc.ledger.care import Calibration
from rlmc.ledger.epochs import BucketQuality, EpochQuality, Unaudited
from rlmc.ledger.period import local
from rlmc.quality.standing import Standing
from rlmc.views.figures import count, exact_percent, lower, money, percent, upper

HOLDS = (
    "A material loss counts as a turn, a minor one as a quarter; where the judge said something else in the other "
    "order, their mean. A bound holds however often it is looked at, for all turns of its epoch together: not for the "
    "last of them alone. It is as good as the judge is on faults like those that were planted."
)
NOTHING = "Nothing was audited yet: a turn can be once a draft has answered it with `rlmc run`."
_CAUSES = (
    "That is so for turns of an older version, with a subscription login, with a verify model on this machine, past a "
    "budget, while too many audits wait, and where `audits` is off."
)


# --- one epoch, line by line ----------------------------------------------------------------------------------------


def verdict(epoch: EpochQuality) -> str:
    """Whether it is certified, since when, and whether it was before."""
    found = epoch.standing
    first = None if epoch.certified_at is None else _moment(epoch.certified_at)
    if first is not None and epoch.removed:
        first += " or before"
    bound = f"at most {upper(found.overall)} of all turns worse"
    against = f"({exact_percent(found.confidence)}), target {exact_percent(found.target)}"
    if found.certified:
        return f"CERTIFIED (first on {first}): {bound} {against}"
    if not found.served:
        return f"NOTHING TO CERTIFY: no draft has been an answer yet; target {exact_percent(found.target)}"
    if first is not None:
        return f"NOT CERTIFIED ANY MORE: it was on {first}; {bound} {against}"
    return f"NOT CERTIFIED YET: {bound} {against}"


def missing(found: Standing) -> str | None:
    """What it takes to meet the target; None where it is met."""
    if found.certified or not found.served:
        return None
    if found.planted and not found.caught:
        return f"the judge has found none of {count(found.planted, 'planted fault')}: its verdicts say nothing so far"
    if found.to_go is None:
        return "no number of audits would meet the target"
    more = f"about {count(found.to_go, 'more audit')} without a loss" if found.to_go else "the end of an audit"
    if found.estimate < found.target:
        return f"{more} would meet the target"
    return f"at this rate of losses the target will not be met; {more} would"


def turns(epoch: EpochQuality) -> str:
    found = epoch.standing
    if not found.turns:
        return "none yet"
    drafted = f"{found.served:,} ({percent(found.served / found.turns)})" if found.served else "none"
    text = f"{found.turns:,}, of which a draft answered {drafted} without a check on the whole prompt"
    return f"{text}; {count(epoch.removed, 'turn')} by now removed from the ledger" if epoch.removed else text


def audits(found: Standing) -> str:
    if not found.audits:
        return "none yet"
    kinds = [f"{found.material:,} material", f"{found.minor:,} minor"]
    kinds += [f"{found.disputed:,} in between"] if found.disputed else []
    parts = [f"{found.worse:,} worse ({', '.join(kinds)})"]
    same = found.ended - found.worse - found.failed
    parts += [
        f"{number:,} {what}"
        for number, what in (
            (same, "no worse"),
            (found.waiting, "under way"),
            (found.failed, "without a verdict"),
            (found.lost, "lost with a daemon that ended"),
        )
        if number
    ]
    text = f"{found.audits:,}: {', '.join(parts)}; together a loss of {found.loss:g}"
    counted = found.waiting + found.failed + found.lost
    return f"{text}, of which {counted:,} for those without a verdict" if counted else text


def judge(found: Standing) -> str:
    if not found.planted:
        return "not tried on a planted fault yet"
    return (
        f"found {found.caught:,} of {count(found.planted, 'planted fault')}, so at least {lower(found.judge)} "
        "of all faults"
    )


def bounds(found: Standing) -> str:
    return (
        f"{upper(found.bound)} of drafted turns as the judge saw them, {upper(found.corrected)} with what it may miss, "
        f"{upper(found.overall)} of all turns"
    )


def controller(epoch: EpochQuality) -> list[str]:
    """What the controller makes of it now."""
    if not obeys(epoch.row.policy):
        return [f"none: audits only watch the policy {epoch.row.policy}, which goes by fixed rules"]
    care = epoch.care
    if care is None:
        return []
    usual = care.usual_cost
    worth = "" if usual is None else f", {money(round(care.price * usual))}"
    found = [f"one regression is held for {care.price:,.1f} usual direct turns{worth}"]
    if care.closed:
        found.append("too many losses lately: no draft is served until that price has sunk")
    return found


def alarms(epoch: EpochQuality) -> str | None:
    times = 0 if epoch.care is None else epoch.care.alarm.times
    return f"raised {count(times, 'time')}: losses had become much more frequent than the target" if times else None


def stop(epoch: EpochQuality) -> str | None:
    if not epoch.stopped:
        return None
    return (
        "STOPPED: several audited drafts in a row were materially worse, so no draft is served. "
        "Look at the turns below with `rlmc explain`; `rlmc quality --resume` lets drafts answer again"
    )


def unaudited(found: Unaudited) -> str | None:
    if not found.turns or found.first_at is None or found.last_at is None:
        return None
    first, last = (f"{local(at):%Y-%m-%d}" for at in (found.first_at, found.last_at))
    days = first if first == last else f"{first} to {last}"
    return (
        f"{count(found.turns, 'turn')} of {count(found.sessions, 'session')} ({days}) that a draft answered could not "
        f"be audited: how good they are is not known, and no bound holds for them. {_CAUSES}"
    )


def _moment(at: int) -> str:
    return f"{local(at):%Y-%m-%d %H:%M}"


# --- kinds of drafts ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kind:
    """All that is known of one kind of drafts: `risk` is the loss the controller reckons with."""

    bucket: str
    audited: BucketQuality | None
    risk: float | None
    calibration: Calibration | None


def kinds(epoch: EpochQuality) -> Sequence[Kind]:
    """From what is safest to be wrong in to what is not."""
    audited = {one.bucket: one for one in epoch.buckets}
    calibrated = {one.bucket: one for one in epoch.calibrations}
    risks = {} if epoch.care is None else epoch.care.risks
    names = [*BUCKETS, *sorted({*audited, *calibrated, *risks} - {*BUCKETS})]
    return [
        Kind(name, audited.get(name), risks.get(name), calibrated.get(name))
        for name in names
        if name in audited or name in calibrated or name in risks
    ]
