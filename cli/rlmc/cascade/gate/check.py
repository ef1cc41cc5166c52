"""What a gate check is."""

from __future__ import annotations

from collections.abc import Callable

from rlmc.domain.chat import ChatRequest, Completion
from rlmc.domain.turn import Finding

Check = Callable[[ChatRequest, Completion], tuple[Finding, ...]]
