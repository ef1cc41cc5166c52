"""How a simulated model misbehaves on request; a table, so that tests can run over all of it.

| name | what happens |
| --- | --- |
| status-400, -401, -429, -500, -529 | this error status, in the provider's own shape |
| html | status 200 with a web page, as a captive portal sends |
| reset | the connection breaks before any header |
| hang | no answer ever |
| break | the connection breaks in the middle of the answer |
| eof | the answer stops early, as if it were complete |
| slow | one event every fifth of a second, whatever the latency |
| malformed | bytes in the middle of the answer that are no JSON |
| no-usage | no token counts anywhere |
| refusal, max-tokens, empty | these stop reasons; `empty` has no content at all |
| leak | tool markup as plain text |
| bad-json | tool arguments that are no JSON |
| bad-schema | a real tool with arguments its schema forbids |
| unknown-tool | a tool the request does not have |
| edit, shell | always an edit; always `rm -rf` |
| many | twenty tool calls |
| long | a long text |
"""

from __future__ import annotations

from typing import Literal

from rlmc.domain.frozen import dataclass

Where = Literal["status", "transport", "answer"]


@dataclass(frozen=True, slots=True)
class Fault:
    """`where` it strikes: an error status instead of an answer, the way of the bytes, or what is answered."""

    name: str
    where: Where
    status: int = 200
    error: str = ""
    headers: tuple[tuple[str, str], ...] = ()


FAULTS: tuple[Fault, ...] = (
    Fault("status-400", "status", 400, "invalid_request_error"),
    Fault("status-401", "status", 401, "authentication_error"),
    Fault("status-429", "status", 429, "rate_limit_error", (("retry-after", "1"),)),
    Fault("status-500", "status", 500, "api_error"),
    Fault("status-529", "status", 529, "overloaded_error"),
    *(Fault(name, "transport") for name in ("html", "reset", "hang", "break", "eof", "slow", "malformed", "no-usage")),
    *(Fault(name, "answer") for name in ("refusal", "max-tokens", "empty", "leak", "bad-json", "bad-schema")),
    *(Fault(name, "answer") for name in ("unknown-tool", "edit", "shell", "many", "long")),
)
