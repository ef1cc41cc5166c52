"""Epochs as plain data, for `rlmc quality --json`."""

from __future__ import annotations

from rlmc.ledger.epochs import EpochQuality, Quality
from rlmc.ledger.period import local
from rlmc.views.epochs import Kind, kinds, unaudited
from rlmc.views.standing_data import standing_data
from rlmc.views.stats_data import Data, money_data


def epochs_data(found: Quality) -> Data:
    none = found.unaudited
    return {
        "simulated": found.simulated,
        "epochs": [_epoch(one) for one in found.epochs],
        "unaudited": {
            "turns": none.turns,
            "sessions": none.sessions,
            "first_at": _iso(none.first_at),
            "last_at": _iso(none.last_at),
            "words": unaudited(none),
        },
        "epochs_left_out": found.left_out,
    }


def _epoch(epoch: EpochQuality) -> Data:
    row, care = epoch.row, epoch.care
    return {
        "id": row.id,
        "draft_model": row.draft,
        "verify_model": row.verify,
        "judge_model": row.judge,
        "policy": row.policy,
        "policy_version": row.policy_version,
        "audit_rate": row.least,
        "began_at": _iso(row.began_at),
        "last_turn_at": _iso(epoch.last_at),
        "removed_turns": epoch.removed,
        "certified_at": _iso(epoch.certified_at),
        **standing_data(epoch.standing),
        "controller": None
        if care is None
        else {
            "target": care.controller.target,
            "price": care.price,
            "usual_cost": money_data(care.usual_cost),
            "closed": care.closed,
            "stopped": epoch.stopped,
            "alarms": care.alarm.times,
        },
        "kinds": [_kind(kind) for kind in kinds(epoch)],
        "last_losses": [
            {"turn": one.turn, "at": _iso(one.at), "kind": one.bucket, "loss": one.loss} for one in epoch.losses
        ],
    }


def _kind(kind: Kind) -> Data:
    audited, calibration = kind.audited, kind.calibration
    return {
        "kind": kind.bucket,
        "audits": 0 if audited is None else audited.audits,
        "not_ended": 0 if audited is None else audited.open,
        "worse": 0 if audited is None else audited.worse,
        "loss": 0.0 if audited is None else audited.loss,
        "risk": kind.risk,
        "calibration": None
        if calibration is None
        else {
            "at": _iso(calibration.at),
            "labels": calibration.labels,
            "loss": calibration.loss,
            "opened": calibration.opened,
        },
    }


def _iso(at: int | None) -> str | None:
    return None if at is None else local(at).isoformat()
