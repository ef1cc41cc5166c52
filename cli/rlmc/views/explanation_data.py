"""The explanation of a turn as plain data, for `--json`."""

from __future__ import annotations

from dataclasses import asdict

from rlmc.ledger.details import CallDetail, TurnDetail
from rlmc.views.audit import audit_data, controller_data
from rlmc.views.history_data import turn_data
from rlmc.views.kept_decision import EXPECTED_COSTS, KeptDecision, kept_decision
from rlmc.views.reasons import sentence
from rlmc.views.stats_data import Data, money_data

_PARTS = ("draft", "debt", "credit", "brief")
_CHANCES = ("waste", "accept", "accept_brief")


def explanation_data(detail: TurnDetail) -> Data:
    turn, kept = detail.turn, kept_decision(detail)
    return {
        **turn_data(turn),
        "sentence": sentence(turn.reason),
        "client": turn.client,
        "session_name": turn.session_name,
        "protocol": detail.protocol,
        "requested_model": detail.requested_model,
        "policy": detail.policy,
        "degraded": None if kept is None or kept.degraded is None else asdict(kept.degraded),
        "status": detail.status,
        "ttfb_ms": detail.ttfb_ms,
        "signals": dict(detail.signals),
        "findings": list(detail.findings),
        "regrets": list(detail.regrets),
        "decided": kept is not None,
        "expected": None if kept is None else _expected(kept),
        "marker": None if kept is None or kept.marker is None else asdict(kept.marker),
        "draft": None if kept is None or kept.seen is None else asdict(kept.seen),
        "verdict": None if kept is None else kept.verdict,
        "brief_accepts": None if kept is None else kept.brief_accepts,
        "controller": None
        if kept is None or kept.controller is None
        else controller_data(kept.controller, kept.amount("direct")),
        "audit": audit_data(detail),
        "calls": [_call(call) for call in detail.calls],
    }


def _expected(kept: KeptDecision) -> Data:
    return {
        "with_prices": kept.priced,
        "costs": {name: money_data(kept.amount(name)) for name in EXPECTED_COSTS},
        "parts": {name: money_data(kept.amount(name)) for name in _PARTS},
        "chances": {name: kept.number(name) for name in _CHANCES},
        "output_tokens": kept.number("output"),
        "caches": {
            name: None if state is None else asdict(state)
            for name, state in (("verify", kept.verify), ("draft", kept.draft))
        },
    }


def _call(detail: CallDetail) -> Data:
    call = detail.call
    tokens = {
        "input": call.input,
        "cache_read": call.cache_read,
        "cache_write_5m": call.cache_write_5m,
        "cache_write_1h": call.cache_write_1h,
        "output": call.output,
        "thinking": call.thinking,
    }
    return {
        "role": call.role,
        "brief": bool(call.brief),
        "provider": call.provider,
        "model": call.model,
        "served": bool(call.served),
        "status": detail.status,
        "error": detail.error,
        "stop_reason": detail.stop_reason,
        "ttfb_ms": detail.ttfb_ms,
        "latency_ms": call.latency_ms,
        "marked": detail.marked,
        "tokens": tokens if call.measured else None,
        "tokens_estimated": bool(call.estimated),
        "cost": money_data(call.cost),
        "price_source": detail.price_source,
    }
