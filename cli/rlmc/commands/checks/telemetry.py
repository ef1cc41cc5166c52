"""Whether traces and metrics can be sent, where an endpoint is set for them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from rlmc.commands.checks.check import Check

_INSTALL = 'pip install "rlm-cascade[otel]", then rlmc restart'
_MODULE = "opentelemetry.exporter.otlp.proto.http"


def check_telemetry(endpoint: str | None, status: Mapping[str, Any] | None) -> list[Check]:
    """`endpoint` is the setting, `status` the living daemon's own word."""
    said = (status or {}).get("telemetry") or {}
    target = said.get("endpoint") or endpoint
    if target is None:
        return []
    if not _installed():
        detail = f"{target} is sent nothing: OpenTelemetry's packages are missing"
        return [Check("telemetry", "warn", detail, _INSTALL)]
    if said.get("error"):
        return [Check("telemetry", "warn", str(said["error"]), "To send none: rlmc config unset otel.endpoint")]
    return [Check("telemetry", "ok", f"goes to {target}")]


def _installed() -> bool:
    try:
        return find_spec(_MODULE) is not None
    except ModuleNotFoundError:
        return False
