"""A booked turn and its calls as attributes, by OpenTelemetry's conventions for generative AI.

Rule: pure, and what the ledger knows: counts, costs, models, outcomes, times. Never content. What is unknown is left
out. docs/metrics.md lists every name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from rlmc.domain.frozen import dataclass
from rlmc.domain.money import PICO
from rlmc.domain.record import CallRecord, TurnRecord
from rlmc.server.labels import check_label, client_label, error_label, provider_label

Value = str | bool | int | float | tuple[str, ...]
Attributes = dict[str, Value]

# The registry's names where they differ from ours.
_PROVIDERS: Mapping[str, str] = {
    "moonshot": "moonshot_ai", "zai": "z_ai", "qwen": "alibaba", "llama.cpp": "llama_cpp", "lmstudio": "lm_studio",
}  # fmt: skip
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Caller:
    """The client's own span, of which a turn is a part."""

    trace_id: int
    span_id: int
    sampled: bool


def caller(traceparent: str | None) -> Caller | None:
    """From the W3C header; None for one that is no good."""
    found = _TRACEPARENT.fullmatch((traceparent or "").strip())
    if found is None or found[1] == "ff" or (found[1] == "00" and found[5]):
        return None
    trace_id, span_id = int(found[2], 16), int(found[3], 16)
    return Caller(trace_id, span_id, bool(int(found[4], 16) & 1)) if trace_id and span_id else None


def turn_attributes(turn: TurnRecord, client: str, simulated: bool) -> Attributes:
    found: Attributes = {
        "gen_ai.conversation.id": turn.session_id,
        "rlmc.turn.id": turn.id,
        "rlmc.client": client_label(client),
        "rlmc.outcome": turn.outcome.value,
        "rlmc.reason": turn.reason.value,
        "rlmc.policy": turn.policy,
        "rlmc.ending": turn.ending,
        "rlmc.requested_model": turn.requested_model,
        "rlmc.served_model": turn.served_model,
        "rlmc.simulated": simulated,
    }
    if turn.status is not None:
        found["http.response.status_code"] = turn.status
    if turn.ttfb_ms is not None:
        found["rlmc.time_to_first_byte"] = turn.ttfb_ms / 1000
    if turn.findings:
        found["rlmc.findings"] = tuple(dict.fromkeys(map(check_label, turn.findings)))
    if turn.baseline is not None:
        found["rlmc.baseline.usd"] = turn.baseline / PICO
        found["rlmc.baseline.estimated"] = turn.baseline_estimated
    if turn.ending in ("error", "upstream-error"):
        found["error.type"] = turn.ending
    return found


def call_attributes(call: CallRecord, base_url: str | None) -> Attributes:
    """`base_url` is the provider's, where it is known."""
    found: Attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider_name(call.provider),
        "gen_ai.request.model": call.model,
        "rlmc.role": call.role,
        "rlmc.served": call.served,
    }
    if call.brief:
        found["rlmc.brief"] = True
    if base_url:
        found |= _server(base_url)
    if call.stop_reason is not None:
        found["gen_ai.response.finish_reasons"] = (call.stop_reason,)
    if call.ttfb_ms is not None:
        found["gen_ai.response.time_to_first_chunk"] = call.ttfb_ms / 1000
    if call.status is not None:
        found["http.response.status_code"] = call.status
    if call.usage is not None:
        found |= {f"gen_ai.usage.{name}": count for name, count in usage_counts(call).items()}
        found["rlmc.usage.estimated"] = call.usage_estimated
    if call.cost is not None:
        found["rlmc.cost.usd"] = call.cost / PICO
    if call.error is not None:
        found["error.type"] = error_type(call)
    return found


def usage_counts(call: CallRecord) -> dict[str, int]:
    """Input includes what was read from and written to the cache, output includes reasoning."""
    usage = call.usage
    if usage is None:
        return {}
    return {
        "input_tokens": usage.prompt,
        "output_tokens": usage.output,
        "cache_read.input_tokens": usage.cache_read,
        "cache_write.input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "reasoning.output_tokens": usage.thinking,
    }


def error_type(call: CallRecord) -> str:
    """The HTTP status where the provider answered with an error, else the kind of error."""
    kind = error_label(call.error or "")
    return str(call.status) if kind == "status" and call.status is not None else kind


def provider_name(provider: str) -> str:
    known = provider_label(provider)
    return _PROVIDERS.get(known, known)


def _server(base_url: str) -> Attributes:
    parts = urlsplit(base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {"server.address": parts.hostname, "server.port": port} if parts.hostname else {}
