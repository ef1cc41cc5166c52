"""Does the bound hold, and does the controller keep its word? A seeded simulation of the product's own code.

    python -m tests.studies.certificate [--runs 1000] [--turns 3000] [--json]

A run is **missed** when at any moment the true mean loss so far was above the bound shown at that moment, as by
somebody who looks after every turn. Beside it stands what a usual one-sided 95 % interval (Wilson's) of the audits
would have done under the same eyes. Worlds:

- stationary: the rate of bad drafts never changes
- drifting: it rises and falls, and jumps once
- with a judge: it finds 70 % of losses and of planted faults, audits end five turns later, and the bound is the one
  that is shown, with half of its error left to the judge
- adaptive: whoever drafts dares more while the bound looks good, and audits more after a loss, so that turns, rates and
  probabilities all depend on what was seen

The controller's table: mean loss of all turns against its target, over runs, and how often a single run is above it;
in the last row every draft is bad, so that every audit is a loss.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sin

from rlmc.quality.canaries import AT_FIRST, THEN, sensitivity
from rlmc.quality.care import Care
from rlmc.quality.certificate import Certificate
from rlmc.quality.chances import wilson

LEAST, DELTA, TARGET = 0.04, 0.05, 0.02
_ONE_SIDED = 1.645
_CONTROL_RUNS = 200
_LONG = 20_000
_BUCKET, _COST, _DELAY = "text", 1, 3


@dataclass(slots=True)
class Seen:
    """What an adaptive world may look at. The bound is reckoned when somebody looks."""

    certificate: Certificate
    since_loss: int = 10_000
    _at: int = -1
    _bound: float = 1.0

    @property
    def bound(self) -> float:
        if self.certificate.turns - self._at >= 25 or self.since_loss == 0:
            self._at, self._bound = self.certificate.turns, self.certificate.bound
        return self._bound


Rates = Callable[[int, int, Seen], tuple[float, float]]
"""Turn and number of turns, and what was seen, to the next turn's rate of loss and the probability of its audit."""


@dataclass(frozen=True, slots=True)
class World:
    """`least` is the smallest probability of an audit, which the certificate is told. `judge` is the share of losses
    and planted faults it finds; None where nothing is left to one. Audits end `delay` turns after they were drawn."""

    name: str
    rates: Rates
    least: float = LEAST
    judge: float | None = None
    delay: int = 0


def _drift(turn: int, turns: int) -> float:
    return 0.03 + 0.03 * sin(turn / 150) + 0.1 * (turn > turns * 0.6)


WORLDS = (
    World("stationary, 1 %", lambda turn, turns, seen: (0.01, LEAST)),
    World("stationary, 5 %", lambda turn, turns, seen: (0.05, LEAST)),
    World("stationary, 5 %, audits 25 %", lambda turn, turns, seen: (0.05, 0.25), 0.25),
    World("drifting", lambda turn, turns, seen: (_drift(turn, turns), LEAST)),
    World("drifting, audits 25 %", lambda turn, turns, seen: (_drift(turn, turns), 0.25), 0.25),
    World("with a judge, 5 %", lambda turn, turns, seen: (0.05, LEAST), judge=0.7, delay=5),
    World("with a judge, drifting", lambda turn, turns, seen: (_drift(turn, turns), 0.25), 0.25, judge=0.7, delay=5),
    World(
        "adaptive",
        lambda turn, turns, seen: (
            0.15 if seen.bound < 0.08 or turn < 30 else 0.02,
            0.1 if seen.since_loss < 60 else LEAST,
        ),
    ),
)


@dataclass(slots=True)
class Eyes:
    """Whether either bound was ever below the truth."""

    ours: bool = False
    naive: bool = False
    bound: float = 1.0


def watch(world: World, turns: int, seed: int) -> Eyes:
    delta = DELTA if world.judge is None else DELTA / 2
    chance, certificate, eyes = random.Random(seed), Certificate(world.least, delta), Eyes()
    seen = Seen(certificate)
    truth, audits, losses, planted, caught, finds = 0.0, 0, 0, 0, 0, 1.0 if world.judge is None else 0.0
    waiting: deque[tuple[int, float, bool]] = deque()
    for turn in range(turns):
        rate, probability = world.rates(turn, turns, seen)
        lost = chance.random() < rate
        truth += rate
        certificate.served()
        seen.since_loss += 1
        if chance.random() < probability:
            certificate.drawn(probability)
            waiting.append((turn + world.delay, probability, lost))
        while waiting and waiting[0][0] <= turn:
            _, drawn, bad = waiting.popleft()
            found = bad and (world.judge is None or chance.random() < world.judge)
            certificate.settled(drawn, float(found))
            audits, losses = audits + 1, losses + found
            if found:
                seen.since_loss = 0
            if world.judge is not None and (planted < AT_FIRST or chance.random() < THEN):
                planted, caught = planted + 1, caught + (chance.random() < world.judge)
                finds = sensitivity(caught, planted, delta)
        mean = truth / (turn + 1)
        eyes.ours = eyes.ours or (finds > 0 and not certificate.covers(min(1.0, mean * finds)))
        eyes.naive = eyes.naive or (audits > 0 and wilson(losses, audits, _ONE_SIDED)[1] < mean)
    eyes.bound = certificate.bound
    return eyes


@dataclass(frozen=True, slots=True)
class Controlled:
    loss: float
    drafted: float


def control(rate: float, probability: float, turns: int, seed: int) -> Controlled:
    """A long run under the product's own keeper of an epoch: a draft could answer 60 % of the turns, and would save 30
    to 95 % of a turn's cost; audits end three turns later. Somebody looks at once whenever drafting has stopped because
    of several losses in a row, so that it is the price alone that keeps losses down."""
    chance, care = random.Random(seed), Care.begin(TARGET)
    waiting: deque[tuple[int, float, bool]] = deque()
    lost, drafted, possible = 0, 0, 0
    for turn in range(turns):
        while waiting and waiting[0][0] <= turn:
            _, drawn, bad = waiting.popleft()
            care.ended(_BUCKET, drawn, float(bad), judged=True)
            care.look()
        care.turn(_COST)
        if chance.random() > 0.6:
            continue
        possible += 1
        bad, gain = chance.random() < rate, chance.uniform(0.3, 0.95)
        if care.closed or gain < care.price * care.risks.get(_BUCKET, care.usual_risk):
            continue
        drafted, lost = drafted + 1, lost + bad
        current = care.probability(probability)
        falls = chance.random() < current
        care.served(drawn=current if falls else None)
        if falls:
            waiting.append((turn + _DELAY, current, bad))
    return Controlled(lost / turns, drafted / possible)


def certificate_rows(runs: int, turns: int) -> Iterator[dict[str, object]]:
    for world in WORLDS:
        watched = [watch(world, turns, seed) for seed in range(runs)]
        yield {
            "world": world.name,
            "missed": sum(one.ours for one in watched) / runs,
            "naive_missed": sum(one.naive for one in watched) / runs,
            "median_bound": statistics.median(one.bound for one in watched),
        }


def controller_rows(turns: int, runs: int) -> Iterator[dict[str, object]]:
    for probability in (0.04, 0.25):
        for rate in (0.002, 0.01, 0.02, 0.05, 0.2, 1.0):
            done = [control(rate, probability, turns, seed) for seed in range(runs)]
            yield {
                "audits": probability,
                "rate": rate,
                "mean_loss": statistics.mean(one.loss for one in done),
                "worst_loss": max(one.loss for one in done),
                "above_target": sum(one.loss > TARGET for one in done) / runs,
                "drafted": statistics.mean(one.drafted for one in done),
            }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--turns", type=int, default=3000)
    parser.add_argument("--only", choices=("bound", "controller"))
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    bound = [] if wanted.only == "controller" else list(certificate_rows(wanted.runs, wanted.turns))
    controller = [] if wanted.only == "bound" else list(controller_rows(_LONG, min(wanted.runs, _CONTROL_RUNS)))
    if wanted.json:
        print(json.dumps({"certificate": bound, "controller": controller}, indent=1))
        return
    print(
        f"{wanted.runs} runs of {wanted.turns} turns, looked at after every turn; promised: missed at most {DELTA:.0%}"
    )
    print(f"{'world':<32}{'missed':>9}{'naive':>9}{'bound at the end':>19}")
    for row in bound:
        print(f"{row['world']:<32}{row['missed']:>9.1%}{row['naive_missed']:>9.1%}{row['median_bound']:>19.2%}")
    print(f"\ncontroller: {min(wanted.runs, _CONTROL_RUNS)} runs of {_LONG:,} turns; target {TARGET:.0%} of all turns")
    print(f"{'audits':>7}{'bad drafts':>12}{'mean loss':>11}{'worst run':>11}{'runs above':>12}{'drafted':>9}")
    for row in controller:
        print(
            f"{row['audits']:>7.0%}{row['rate']:>12.1%}{row['mean_loss']:>11.2%}{row['worst_loss']:>11.2%}"
            f"{row['above_target']:>12.1%}{row['drafted']:>9.0%}"
        )


if __name__ == "__main__":
    main()
