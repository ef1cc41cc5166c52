"""The cascade's look at content, with a note of what it saw: what a replay without content is given back."""

from __future__ import annotations

from typing import Any

from rlmc.cascade.brief import Brief
from rlmc.cascade.reading import ContentReading
from rlmc.cascade.seen import Drafted
from rlmc.cascade.verify import Verdict
from rlmc.domain.chat import Completion
from rlmc.domain.turn import Turn


class ObservedReading(ContentReading):
    """One turn's. What it notes holds no content: effects, lengths, verdicts."""

    def __init__(self) -> None:
        self.drafted: Drafted | None = None
        self._verdict: Verdict | None = None
        self._accepted: bool | None = None
        self._appended = 0
        self._brief: int | None = None

    def draft(self, turn: Turn, completion: Completion) -> tuple[Completion, Drafted]:
        draft, self.drafted = super().draft(turn, completion)
        return draft, self.drafted

    def appendix(self, turn: Turn, draft: Completion) -> str:
        text = super().appendix(turn, draft)
        self._appended = len(text)
        return text

    def verdict(self, turn: Turn, answer: Completion) -> tuple[Verdict, Completion]:
        self._verdict, answer = super().verdict(turn, answer)
        return self._verdict, answer

    def brief(self, turn: Turn, draft: Completion) -> Brief | None:
        brief = super().brief(turn, draft)
        self._brief = None if brief is None else len(brief.system) + len(brief.text)
        return brief

    def brief_accepts(self, turn: Turn, answer: Completion) -> bool:
        self._accepted = super().brief_accepts(turn, answer)
        return self._accepted

    def record(self) -> dict[str, Any]:
        """For the ledger, JSON-able."""
        found: dict[str, Any] = {}
        seen = self.drafted
        if seen is not None:
            found["draft"] = {
                "effect": seen.effect,
                "calls": seen.calls,
                "chars": seen.chars,
                "output": seen.output,
                "tool": seen.tool,
                "findings": [f.check for f in seen.findings],
            }
        if self._appended:
            found["appended"] = self._appended
        if self._verdict is not None:
            found["verdict"] = self._verdict
        if self._brief is not None:
            found["brief_chars"] = self._brief
        if self._accepted is not None:
            found["brief_accepts"] = self._accepted
        return found
