"""The closed sets telemetry puts turns and calls into: who asked, which model, which check, what went wrong.

Rule: a label never holds an id, a path or what a client made up; whatever is not known here is "other", so that the
number of series is bounded.
"""

from __future__ import annotations

from dataclasses import field

from rlmc.domain.frozen import dataclass
from rlmc.domain.record import MARKER_REFUSED, CallRecord
from rlmc.domain.turn import Model
from rlmc.server.sessions import Session
from rlmc.upstream.providers import BUILT_IN

OTHER = "other"
# Agents rlmc knows by name; every other program is started by the name it has.
CLIENTS = frozenset({"claude", "codex", "opencode", "aider", "qwen", "llm"})
CHECKS = frozenset(
    {
        "arguments", "brief-call", "calls", "draft-call", "edit", "effect", "ending", "markup", "output-format",
        "repeat", "schema", "verdict", "verify-call",
    }
)  # fmt: skip
# The first word of a call's error.
ERROR_KINDS = frozenset(
    {
        "cancelled", "connect-timeout", "credential", "dns", "gate", MARKER_REFUSED, "proxy", "refused", "request",
        "reset", "status", "stream", "timeout", "tls", "unreachable", "wire",
    }
)  # fmt: skip
_PROVIDERS = frozenset(BUILT_IN)
_MOST_MODELS = 64
_NONE = "none"


def client_label(client: str) -> str:
    return client if client in CLIENTS else OTHER


def provider_label(provider: str) -> str:
    return provider if provider in _PROVIDERS else OTHER


def check_label(finding: str) -> str:
    """Of a finding as the ledger keeps it: `check: detail`."""
    check = finding.partition(":")[0]
    return check if check in CHECKS else OTHER


def error_label(error: str) -> str:
    """Of a call's error as the ledger keeps it: `kind` or `kind: detail`."""
    kind, _, detail = error.partition(": ")
    if kind == "unreachable" and detail in ERROR_KINDS:
        return detail
    return kind if kind in ERROR_KINDS else OTHER


def status_label(status: int | None) -> str:
    """The class of an HTTP status; "none" where no answer came."""
    return _NONE if status is None else f"{status // 100}xx" if 100 <= status < 600 else OTHER


@dataclass(slots=True)
class Models:
    """The names of models that may be shown: priced ones, and those a setting names. No more than `_MOST_MODELS`,
    because names come from clients and a price may hold for many spellings."""

    _shown: set[tuple[str, str]] = field(default_factory=set)

    def label(self, call: CallRecord, session: Session | None) -> str:
        key = (call.provider, call.model)
        if key not in self._shown:
            named = call.price_source is not None or _set(Model(*key), session)
            if len(self._shown) >= _MOST_MODELS or not named:
                return OTHER
            self._shown.add(key)
        return call.model


def _set(model: Model, session: Session | None) -> bool:
    if session is None:
        return False
    parts = session.parts
    named = parts.settings.verify_model
    return model == parts.draft_model() or (named is not None and model == parts.verify_model(""))
