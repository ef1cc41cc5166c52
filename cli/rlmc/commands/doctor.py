"""`rlmc doctor`: one line a check, with a way out for each that is not well. Asks nothing of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from rlmc.commands.checks.check import Check

SCHEMA = "rlmc.doctor/1"


def register(app: typer.Typer) -> None:
    app.command("doctor", help="Check the whole set-up. Exit code 1 if something is broken.")(_doctor)


def _doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    import dataclasses

    from rlmc.ui import console

    checks = examine()
    healthy = all(one.status != "fail" for one in checks)
    if as_json:
        from rlmc.ui.result import envelope

        console.out(envelope(SCHEMA, {"ok": healthy, "checks": [dataclasses.asdict(one) for one in checks]}))
    else:
        for line in _lines(checks):
            console.out(line)
    if not healthy:
        raise typer.Exit(1)


def examine() -> list[Check]:
    """All checks, from this process's environment and folders."""
    import os
    from pathlib import Path

    import rlmc
    from rlmc.commands.checks.check import Check
    from rlmc.commands.checks.clients import check_clients
    from rlmc.commands.checks.completions import check_completions
    from rlmc.commands.checks.credentials import check_credentials
    from rlmc.commands.checks.daemon import check_daemon, check_port
    from rlmc.commands.checks.environment import check_environment, claude_settings
    from rlmc.commands.checks.folders import check_folders
    from rlmc.commands.checks.keys import check_keys
    from rlmc.commands.checks.ledger import check_ledger
    from rlmc.commands.checks.settings import check_settings
    from rlmc.commands.checks.telemetry import check_telemetry
    from rlmc.commands.stored import from_keyring, names_in_use
    from rlmc.config import paths
    from rlmc.daemon.control import status
    from rlmc.daemon.state import read_state
    from rlmc.errors import DaemonError
    from rlmc.upstream.providers import names

    env, home = os.environ, paths.home()
    claude_folder = Path(env.get("CLAUDE_CONFIG_DIR") or home / ".claude")
    ledger = paths.ledger_file()
    files = [paths.config_file(), paths.state_file(), paths.metrics_token_file(), paths.log_file(), ledger]
    files += [ledger.with_name(ledger.name + ending) for ending in ("-wal", "-shm")]

    checks, config = check_settings(paths.config_file(), env, names())
    folders = [paths.config_dir(), paths.data_dir(), paths.state_dir()]
    checks += check_folders(folders, files, may_link={paths.config_file()})
    claim = read_state()
    try:
        running = status()
        daemon = check_daemon(running, claim.port if claim else None, rlmc.__version__)
    except DaemonError as error:
        running = None
        daemon = [Check("daemon", "fail", error.message, error.hint or "rlmc restart")]
    if config is not None:
        stored = from_keyring(config.settings, env)
        checks += check_credentials(config.settings, env, claude_folder, stored.keys.keys())
        if config.settings.keyring:
            checks.append(check_keys(names_in_use(config.settings), env, stored.keys.keys(), stored.problem))
        checks.append(check_port(config.settings.port, running.get("port") if running else None))
    checks += daemon
    checks += check_ledger(ledger)
    checks += check_telemetry(config.settings.otel_endpoint if config else None, running)
    checks.append(check_completions(env, home))
    checks += check_clients(env.get("PATH"))
    checks += check_environment(env, claude_settings(claude_folder, _here()))
    return checks


def _here() -> Path:
    """The working directory, which may have been removed under this process."""
    from pathlib import Path

    from rlmc.config.paths import home

    try:
        return Path.cwd()
    except OSError:
        return home()


def _lines(checks: list[Check]) -> list[str]:
    """Details are fitted to a terminal. A fix is not: much of it is to be copied."""
    import sys

    from rlmc.ui.console import Colour, page_width, paint
    from rlmc.ui.prose import wrapped

    width = page_width(sys.stdout)
    colours: dict[str, Colour] = {"ok": "green", "warn": "yellow", "fail": "red"}
    size = max(len(one.name) for one in checks)
    lines: list[str] = []
    for one in checks:
        status, head = one.status.ljust(4), f"  {one.name.ljust(size)}  "
        indent = " " * len(status + head)
        first, *rest = [indent + one.detail] if width is None else wrapped(one.detail, width, indent, indent)
        lines += [paint(status, colours[one.status]) + head + first[len(indent) :], *rest]
        if one.fix and one.status != "ok":
            lines.append(f"      {' ' * size}  {paint('fix:', 'blue')} {one.fix}")
    return lines
