"""The daemon and its port. What the state file says is a claim; only an answer counts."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from rlmc.commands.checks.check import Check


def check_daemon(status: Mapping[str, Any] | None, claimed_port: int | None, version: str) -> list[Check]:
    """`status` is the living daemon's own word, `claimed_port` what the state file says."""
    if status is None:
        if claimed_port is None:
            return [Check("daemon", "ok", "not running; `rlmc run` starts it")]
        return [Check("daemon", "ok", f"not running; the one on port {claimed_port} ended without saying so")]
    checks: list[Check] = []
    running = str(status.get("version"))
    detail = f"running on port {status.get('port')}, pid {status.get('pid')}"
    if running == version:
        checks.append(Check("daemon", "ok", detail))
    else:
        checks.append(Check("daemon", "warn", f"{detail}, of version {running}; this is {version}", "rlmc restart"))
    if status.get("config_error"):
        text = f"it keeps older settings: {status['config_error']}"
        checks.append(Check("daemon", "fail", text, "Mend the file with `rlmc config edit`."))
    if status.get("ledger_error"):
        checks.append(Check("daemon", "fail", f"its ledger: {status['ledger_error']}", "rlmc logs"))
    if status.get("last_error"):
        checks.append(Check("daemon", "warn", f"its last error: {status['last_error']}", "rlmc logs"))
    return checks


def check_port(port: int, running_port: int | None) -> Check:
    """Whether the daemon can have the port it is told to take."""
    if port == 0:
        return Check("port", "ok", "a free one is taken")
    if port == running_port:
        return Check("port", "ok", f"{port}, in use by the daemon")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            detail = f"{port} cannot be used: {error.strerror or error}"
            return Check("port", "fail", detail, "rlmc config set port 0")
    return Check("port", "ok", f"{port} is free")
