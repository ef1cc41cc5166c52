"""The best anybody could do who knew the session in advance, under a policy's constraints: a dynamic programme.

Rule: it reckons caches in its own way (what a later prompt still has in common with an earlier one, and how long ago
that was), so that it also checks the simulator. It never wastes a draft; where a draft must be verified, it pays for
that and for the share that is refused. Amounts are picodollars.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from rlmc.cascade.economics import Prospect
from rlmc.cascade.policies.policy import Policy
from rlmc.cascade.seen import Drafted
from rlmc.domain.chat import Usage
from rlmc.domain.effect import Effect
from rlmc.domain.frozen import dataclass
from rlmc.domain.price import Price, cost
from rlmc.domain.turn import Model
from rlmc.pricing.cache import LIFE, rule_for
from rlmc.pricing.catalog import PriceTable
from rlmc.replay.assumptions import Assumptions
from rlmc.replay.given import INSTRUCTION_TOKENS, VERDICT_TOKENS
from rlmc.replay.prompts import RecordedPrompt
from rlmc.replay.run import Pair, PreparedSession

Choice = Literal["direct", "skip", "shown", "checked"]
"""What a call's best choice is besides direct: serve the draft, show it in any way, or show it on a compact context."""
# A prospect in which everything about a draft pays: what a policy still sends direct then is a constraint.
_EAGER = Prospect(direct=10**15, skipped=0, verified=1, brief=1, accept=1.0, accept_brief=1.0)


@dataclass(frozen=True, slots=True)
class _Call:
    prompt: RecordedPrompt
    choice: Choice
    verify: Model


def optimum(
    session: PreparedSession, policy: Policy, pair: Pair, assumptions: Assumptions, prices: PriceTable
) -> float | None:
    """The least expected cost of the session; None where a price is unknown."""
    policy = assumptions.moved(policy)
    threads: dict[str, list[_Call]] = {}
    for prompt, (effect, _), signals in zip(session.prompts, session.effects, session.signals, strict=True):
        call = prompt.call
        verify = pair.verify or Model(call.provider, call.model)
        choice: Choice = "direct"
        if policy.route(policy, signals, _EAGER).kind != "direct":
            effect = effect if call.known else Effect.UNSAFE
            drafted = Drafted(effect, call.calls, call.text_chars, call.output)
            if effect is not None and effect not in policy.releases:
                choice = "checked" if effect in policy.brief else "direct"
            else:
                route = policy.route(policy, signals, _EAGER)
                after = policy.after_draft(policy, signals, drafted, _EAGER, route)
                choice = "skip" if after.kind == "skip" else "shown"
        threads.setdefault(call.thread, []).append(_Call(prompt, choice, verify))
    total = 0.0
    for calls in threads.values():
        best = _thread(calls, pair, assumptions, prices)
        if best is None:
            return None
        total += best
    return total


def _thread(calls: list[_Call], pair: Pair, assumptions: Assumptions, prices: PriceTable) -> float | None:
    """Backwards over the calls; the state before a call is which call either model last read."""
    count = len(calls)
    common = _common(calls)
    verify_price, draft_price, brief = _prices(calls, pair, assumptions, prices)
    draft_rule = rule_for(pair.draft)
    heads = _heads(calls)

    def warm(last: int, now: int, life: int) -> int:
        if last < 0:
            return 0
        alive = calls[now].prompt.call.at - calls[last].prompt.call.at < life
        return common(last, now) if alive else 0

    after: dict[tuple[int, int], float] = {}
    for now in range(count - 1, -1, -1):
        call = calls[now]
        price, cheap, looked = verify_price(now), draft_price(now), brief(now)
        if price is None:
            return None
        states = {(now - 1, other) for other in range(-1, now)} | {(other, now - 1) for other in range(-1, now)}
        best: dict[tuple[int, int], float] = {}
        for verify, draft in states:
            if verify < 0:
                found = heads[now]
            else:
                found = warm(verify, now, LIFE[calls[verify].prompt.lifetime])
            reading = _cost(call, price, found, rule_for(call.verify).minimum)
            direct = reading + price.output * call.prompt.call.output
            least = direct + after.get((now, draft), 0.0)
            if call.choice != "direct" and cheap is not None:
                life = draft_rule.life if draft_rule.automatic else -1
                if draft >= 0 and life < 0:
                    life = LIFE[calls[draft].prompt.lifetime]
                drafted = _cost(call, cheap, warm(draft, now, life), draft_rule.minimum)
                drafted += cheap.output * call.prompt.call.output
                if call.choice == "skip":
                    least = min(least, drafted + after.get((verify, now), 0.0))
                else:
                    accepted, refused = after.get((verify, now), 0.0), direct + after.get((now, now), 0.0)
                    share = assumptions.brief_accept
                    least = min(least, drafted + looked + share * accepted + (1 - share) * refused)
                if call.choice == "shown":
                    whole = reading + _judging(call, price, assumptions.verify_accept)
                    least = min(least, drafted + whole + after.get((now, now), 0.0))
            best[verify, draft] = least
        after = best
    return after.get((-1, -1), 0.0)


def _cost(call: _Call, price: Price, found: int, minimum: int) -> int:
    """Of reading the prompt. `minimum` is the shortest beginning the model's provider caches."""
    through = call.prompt.through if call.prompt.through >= minimum else 0
    found = min(found, through) if found >= minimum else 0
    written, long = through - found, call.prompt.lifetime == "1h"
    usage = Usage(call.prompt.call.prompt - through, found, 0 if long else written, written if long else 0)
    return cost(usage, price) or 0


def _judging(call: _Call, price: Price, accept: float) -> float:
    """What a verification on the whole prompt costs beside reading it."""
    output = call.prompt.call.output
    answer = accept * VERDICT_TOKENS + (1 - accept) * output
    return price.input * (output + INSTRUCTION_TOKENS) + price.output * answer


def _heads(calls: list[_Call]) -> list[int]:
    """What a verify model that was not asked so far finds of what others had cached before the thread began."""
    first = calls[0].prompt
    least, found = first.common, []
    for call in calls:
        least = min(least, call.prompt.common)
        alive = call.prompt.call.at - first.call.at < LIFE[first.lifetime]
        found.append(least if alive else 0)
    return found


def _common(calls: list[_Call]) -> Callable[[int, int], int]:
    """How much of a later prompt an earlier one had in common with it."""
    rows: list[list[int]] = []
    for first in range(len(calls)):
        least = calls[first].prompt.through
        row = []
        for later in calls[first + 1 :]:
            least = min(least, later.prompt.common)
            row.append(least)
        rows.append(row)
    return lambda last, now: rows[last][now - last - 1]


def _prices(
    calls: list[_Call], pair: Pair, assumptions: Assumptions, prices: PriceTable
) -> tuple[Callable[[int], Price | None], Callable[[int], Price | None], Callable[[int], float]]:
    verify = [prices.lookup(c.verify, c.prompt.call.at, c.prompt.call.prompt) for c in calls]
    draft = [prices.lookup(pair.draft, c.prompt.call.at, c.prompt.call.prompt) for c in calls]

    def brief(now: int) -> float:
        price = prices.lookup(calls[now].verify, calls[now].prompt.call.at, assumptions.brief_tokens)
        usage = Usage(input=assumptions.brief_tokens + calls[now].prompt.call.output, output=VERDICT_TOKENS)
        return 0.0 if price is None else float(cost(usage, price) or 0)

    return verify.__getitem__, draft.__getitem__, brief
