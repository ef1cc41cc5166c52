"""What a replay has to assume, because a record does not tell it. Everything here is printed with the figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from rlmc.cascade.policies.policy import Policy
from rlmc.domain.effect import Effect
from rlmc.domain.frozen import dataclass
from rlmc.errors import UsageError


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Drafts are as good as the recorded answers, and the future stays as it was. Beside that:

    `brief_tokens`, `brief_accept`: how long a brief verification is, and how often it lets a good draft stand;
    `verify_accept`: the same for one on the whole prompt. `shell_safe`: the share of unsafe calls that a closer look
    would have found safe. `edits`: whether drafted edits pass their validators. `error_gate`, `first_turns`: as the
    policies have them ("policy"), or moved. `draft_speed`: how much faster the draft model answers. `audit_rate`: the
    share of skipped turns that would be audited.
    """

    brief_tokens: int = 4000
    brief_accept: float = 0.85
    verify_accept: float = 0.85
    shell_safe: float = 0.0
    edits: str = "pass"
    error_gate: str = "policy"
    first_turns: str = "policy"
    draft_speed: float = 2.0
    audit_rate: float = 0.04

    def moved(self, policy: Policy) -> Policy:
        """The policy under these assumptions."""
        if self.edits == "direct":
            policy = replace(policy, releases=policy.releases - {Effect.EDIT})
        if self.error_gate != "policy":
            policy = replace(policy, error_gate=self.error_gate == "on")
        if self.first_turns != "policy" and policy.first_turns != "none":
            policy = replace(policy, first_turns=self.first_turns)  # type: ignore[arg-type]  # checked in `assume`
        return policy

    def as_data(self) -> dict[str, str | int | float]:
        """All of them by their written names."""
        return {_word(f.name): getattr(self, f.name) for f in fields(self)}

    def lines(self) -> list[str]:
        """Those that differ from the default, as they would be written."""
        default = Assumptions()
        return [f"{_word(f.name)}={getattr(self, f.name)}" for f in fields(self) if _differs(self, default, f.name)]


_WORDS: Mapping[str, tuple[str, ...]] = {
    "edits": ("pass", "direct"),
    "error_gate": ("policy", "on", "off"),
    "first_turns": ("policy", "task", "session", "none"),
}
_NUMBERS: Mapping[str, tuple[Callable[[str], Any], float, float]] = {
    "brief_tokens": (int, 200, 20_000),
    "brief_accept": (float, 0, 1),
    "verify_accept": (float, 0, 1),
    "shell_safe": (float, 0, 1),
    "draft_speed": (float, 0.1, 100),
    "audit_rate": (float, 0, 1),
}


def assume(texts: list[str]) -> Assumptions:
    """From `key=value` texts. Raises `UsageError` naming the key, the value and what is allowed."""
    found: dict[str, Any] = {}
    names = [f.name for f in fields(Assumptions)]
    for text in texts:
        key, sign, value = text.partition("=")
        name = key.strip().replace("-", "_")
        if not sign or name not in names:
            known = ", ".join(_word(n) for n in names)
            raise UsageError(f"--assume {text}: there is no such assumption", f"one of {known}, as key=value")
        found[name] = _value(name, value.strip(), text)
    return Assumptions(**found)


def _value(name: str, value: str, text: str) -> object:
    if name in _WORDS:
        if value not in _WORDS[name]:
            raise UsageError(f"--assume {text}: {value!r} is not allowed", f"one of {', '.join(_WORDS[name])}")
        return value
    parse, least, most = _NUMBERS[name]
    try:
        number = parse(value)
    except ValueError:
        number = None
    if number is None or not least <= number <= most:
        raise UsageError(f"--assume {text}: {value!r} is not allowed", f"a number from {least:g} to {most:g}")
    return number


def _word(name: str) -> str:
    return name.replace("_", "-")


def _differs(one: Assumptions, other: Assumptions, name: str) -> bool:
    return bool(getattr(one, name) != getattr(other, name))
