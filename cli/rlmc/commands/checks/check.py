"""The result of one look."""

from __future__ import annotations

from typing import Literal

from rlmc.domain.frozen import dataclass

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """`fail` means something does not work, `warn` that something may surprise. `detail` never holds a secret."""

    name: str
    status: Status
    detail: str
    fix: str | None = None
