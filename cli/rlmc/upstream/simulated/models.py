"""Which simulated models there are, and how a name asks for one: `draft`, `sim/verify`, `draft+fault=reset+latency=0`.

Options follow the name after `+`. `fault=NAME` makes the model misbehave (see `faults`), `latency=FACTOR` stretches or
removes its waiting, `errors=PERCENT` is the share of its answers that are a mistake; with `errors=PERCENT:KIND` only
calls of tools of this kind are (`read`, `edit` …), and it is another call of the same tool. An answer always calls
itself by the plain name, `sim/draft`: what really answered, and simulated.
"""

from __future__ import annotations

import math

from rlmc.domain.frozen import dataclass
from rlmc.upstream.simulated.faults import FAULTS, Fault
from rlmc.upstream.simulated.kinds import Kind


@dataclass(frozen=True, slots=True)
class SimModel:
    """How one model behaves. They are ten to fifteen times as fast as models of their kind, so that trying things
    out is quick; the relation between them is a real one.

    `first_token` and `per_token` are seconds; `reading` is tokens of uncached prompt read in a second. `dissent` is
    the share of other models' candidates, in percent, that it does not let stand although they are plausible.
    """

    name: str
    first_token: float
    per_token: float
    reading: float
    dissent: int
    thorough: bool

    @property
    def label(self) -> str:
        return f"sim/{self.name}"


MODELS: tuple[SimModel, ...] = (
    SimModel("draft", first_token=0.06, per_token=1 / 2500, reading=2_000_000, dissent=0, thorough=False),
    SimModel("verify", first_token=0.2, per_token=1 / 1000, reading=500_000, dissent=30, thorough=True),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A model name with its options. `latency` is None where the name says nothing of it; `errors` is in percent,
    and of calls of the kind `errors_in` alone where one is named."""

    model: SimModel
    fault: Fault | None
    latency: float | None
    errors: float = 0.0
    errors_in: Kind | None = None


class NoSuchModel(ValueError):
    """The name is no simulated model."""


class BadOption(ValueError):
    """The name carries an option that does not exist."""


def parse(name: str) -> Asked:
    """Raises `NoSuchModel` or `BadOption`, with a text for people."""
    base, *options = name.removeprefix("sim/").split("+")
    model = next((m for m in MODELS if m.name == base), None)
    if model is None:
        known = ", ".join(m.label for m in MODELS)
        raise NoSuchModel(f"model: {name} (the simulated models are {known})")
    fault: Fault | None = None
    latency: float | None = None
    errors, errors_in = 0.0, None
    for option in options:
        key, _, value = option.partition("=")
        if key == "fault":
            fault = next((f for f in FAULTS if f.name == value), None)
            if fault is None:
                raise BadOption(f"unknown fault {value!r}; the faults are {', '.join(f.name for f in FAULTS)}")
        elif key == "latency":
            latency = _number("latency", value, 1000)
        elif key == "errors":
            share, _, kind = value.partition(":")
            errors = _number("errors", share, 100)
            errors_in = _kind(kind) if kind else None
        else:
            known = "fault=NAME, latency=FACTOR and errors=PERCENT[:KIND]"
            raise BadOption(f"unknown option {option!r}; the options are {known}")
    return Asked(model, fault, latency, errors, errors_in)


def _kind(name: str) -> Kind:
    try:
        return Kind(name)
    except ValueError:
        raise BadOption(f"unknown kind {name!r}; the kinds are {', '.join(Kind)}") from None


def _number(option: str, value: str, most: int) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 <= number <= most:
        raise BadOption(f"{option} must be a number from 0 to {most}, not {value!r}")
    return number
