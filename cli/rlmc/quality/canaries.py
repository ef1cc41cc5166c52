"""How well the judge finds faults, told by faults that were planted: the bound on what it misses.

The lower bound holds at every moment, like the certificate: it is the mixture of all rates, weighed evenly, against the
one that is doubted. It is worth something only where planted faults are no easier to see than real ones.
"""

from __future__ import annotations

from math import log

from rlmc.quality.chances import log_beta

AT_FIRST, THEN = 60, 1 / 10
"""A planted fault costs a judgement or two, and without some nobody knows what the judge is worth: one is planted with
every audit at first, then with one in so many."""
CAUGHT = 0.5
"""The loss a judge has to find in a planted fault, which is a material one: who grades it down has not found it."""
_STEPS = 40


def sensitivity(caught: int, planted: int, delta: float) -> float:
    """The smallest share of faults the judge may be catching, with confidence 1 - delta; 0 where none was planted."""
    missed = planted - caught
    if not 0 <= missed <= planted:
        raise ValueError(f"{caught} of {planted} planted faults cannot have been caught")
    whole = log_beta(caught + 1, missed + 1)

    def excluded(share: float) -> bool:
        known = (caught * log(share) if caught else 0.0) + (missed * log(1 - share) if missed else 0.0)
        return whole - known >= -log(delta)

    best = caught / planted if planted else 0.0
    if not caught:
        return 0.0
    low, high = 0.0, best  # between them the likelihood only grows
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if excluded(middle) else (low, middle)
    return low


def corrected(bound: float, share: float) -> float:
    """A bound on losses the judge saw, as a bound on losses there are; 1 where nothing is known of the judge."""
    return min(1.0, bound / share) if share > 0 else 1.0
