"""`rlmc status`: what the daemon says of itself, or that there is none.

Rule: only an answer counts. A pid or a file never makes a daemon; exit code 3 says that none answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

SCHEMA = "rlmc.status/1"
NOT_RUNNING = 3
_MOST_SESSIONS = 30


def register(app: typer.Typer) -> None:
    app.command("status", help="Show what the daemon is doing. Exit code 3 if it is not running.")(_status)


def _status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    from rlmc.daemon.control import status
    from rlmc.daemon.state import daemon_lock
    from rlmc.ui import console

    found = status()
    holder = daemon_lock().holder() if found is None else None
    if as_json:
        from rlmc.ui.result import envelope

        facts = {"running": True, **found} if found is not None else {"running": False, "unresponsive_pid": holder}
        console.out(envelope(SCHEMA, facts))
    elif found is not None:
        for line in _lines(found):
            console.out(line)
    elif holder is not None:
        console.out(f"the daemon (pid {holder}) is there, but does not answer: starting, ending, or hung")
        console.err("if that lasts: rlmc restart")
    else:
        console.out("the daemon is not running; `rlmc run` starts it when it is needed")
    if found is None:
        raise typer.Exit(NOT_RUNNING)


def _lines(found: Mapping[str, Any]) -> list[str]:
    from rlmc.ui.console import columns

    sessions = found.get("sessions") or []
    rows = [
        ("daemon", f"rlmc {found['version']} on 127.0.0.1:{found['port']}, pid {found['pid']}, {_uptime(found)}"),
        ("policy", str(found.get("policy"))),
        ("draft model", str(found.get("draft_model") or "none")),
        ("verify model", str(found.get("verify_model")).replace("as-requested", "the one the client asks for")),
        *(("draft model", _paused(one)) for one in found.get("paused_drafts") or []),
        *(("who sees", str(line)) for line in found.get("who_sees") or []),
        *_budgets(found, sessions),
        ("sessions", f"{found.get('sessions_alive', 0)} alive, {len(sessions)} known"),
        ("ledger", str(found.get("ledger_path"))),
        *(("ledger notice", str(notice)) for notice in found.get("ledger_notices") or []),
    ]
    rows += [("machine", str(notice)) for notice in found.get("machine_notices") or []]
    removed = found.get("removed_turns") or {}
    rows += [("ledger notice", _removed(cause, turns)) for cause, turns in removed.items()]
    telemetry = found.get("telemetry")
    if telemetry:
        rows.append(("telemetry", str(telemetry["error"] or f"goes to {telemetry['endpoint']}")))
    errors = ("config_error", "ledger_error", "last_error")
    rows += [(key.replace("_", " "), str(found[key])) for key in errors if found.get(key)]
    lines = columns(rows)
    if sessions:
        # Those that somebody works with first, the newest before the older ones.
        newest = list(reversed(sessions))
        shown = sorted(newest, key=lambda one: not one.get("alive"))[:_MOST_SESSIONS]
        lines += ["", *columns([_HEADINGS, *map(_session, shown)])]
        if len(sessions) > len(shown):
            lines.append(f"and {len(sessions) - len(shown):,} more: rlmc status --json")
    return lines


def _paused(one: Mapping[str, Any]) -> str:
    when = f"in {one['next_try_s']:.0f} s" if one["next_try_s"] else "with the next turn it could take"
    return f"{one['model']} is paused after {one['failures']} failed drafts ({one['error']}); tried again {when}"


def _removed(cause: str, turns: int) -> str:
    from rlmc.views.figures import count

    return f"{count(turns, 'turn')} removed since the start, past ledger.max-{cause}"


def _budgets(found: Mapping[str, Any], sessions: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The day's, and each session's own."""
    rows = [("budget", _budget(one)) for one in found.get("budgets") or []]
    for session in [one for one in sessions if one.get("alive") or len(sessions) <= _MOST_SESSIONS][:_MOST_SESSIONS]:
        mine = [one for one in session.get("budgets") or [] if one["setting"] == "budget.session"]
        rows += [("budget", f"session {session.get('id')}: {_budget(one)}") for one in mine]
    notice = found.get("budget_notice")
    return [*rows, ("budget notice", str(notice))] if notice else rows


def _budget(one: Mapping[str, Any]) -> str:
    return f"{one['setting']} ({one['action']}): {one['words']}"


_HEADINGS = ("SESSION", "CLIENT", "ALIVE", "REQUESTS", "TURNS", "NAME", "DIRECTORY")


def _session(one: Mapping[str, Any]) -> tuple[str, ...]:
    from rlmc.views.figures import label

    return (
        label(str(one.get("id"))),
        label(str(one.get("client"))),
        "yes" if one.get("alive") else "no",
        str(one.get("requests")),
        str(one.get("turns")),
        label(str(one.get("name") or "-"), 24),
        label(str(one.get("directory") or "-")),
    )


def _uptime(found: Mapping[str, Any]) -> str:
    minutes, seconds = divmod(int(found.get("uptime_s") or 0), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    shown = [f"{value} {unit}" for value, unit in parts if value][:2]
    return f"up {' '.join(shown) or '0 s'}"
