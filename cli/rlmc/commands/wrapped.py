"""What `rlmc run` does: a daemon, a session, the child, the account.

Rule: from the moment the child's program is found, nothing that fails in rlmc may keep it from running. Its
environment is then the user's own, untouched.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from rlmc.commands.opening import Opening, wished_port, working_directory
from rlmc.commands.run_words import Wish
from rlmc.commands.stored import from_keyring
from rlmc.config.env import SESSION_ENV
from rlmc.config.load import Config, load
from rlmc.config.schema import Settings
from rlmc.daemon import control
from rlmc.daemon.keeper import SessionKeeper
from rlmc.daemon.lifecycle import ensure_running
from rlmc.domain.frozen import dataclass
from rlmc.errors import DaemonError, RlmcError
from rlmc.launch.base_url import before
from rlmc.launch.child import run_child
from rlmc.launch.doubts import why_no_request
from rlmc.launch.environment import child_environment
from rlmc.launch.files import on_disk
from rlmc.launch.integration import Integration, LaunchPlan
from rlmc.launch.integrations import choose
from rlmc.launch.program import find_program
from rlmc.ui import console
from rlmc.ui.closing import NO_TURN, closing
from rlmc.upstream.providers import names

_TRIES = 3  # a daemon may end of idleness just as we come


@dataclass(frozen=True, slots=True)
class _Session:
    keeper: SessionKeeper
    plan: LaunchPlan
    id: str


def run_wrapped(wish: Wish) -> int:
    """The child's exit code."""
    environ, directory = dict(os.environ), working_directory()
    config = load(flags=wish.flags, providers=names())
    integration = choose(wish.argv[0], wish.as_client)
    program = find_program(wish.argv[0], environ, directory)
    for warning in config.warnings:
        _say(warning)
    with ExitStack() as stack:
        try:
            session = _open(wish, config, integration, environ, directory)
            stack.callback(session.keeper.stop)
            argv = stack.enter_context(on_disk(session.plan.argv))
        except Exception as error:
            _say_without(error)
            return run_child(program, wish.argv, environ)
        plan = session.plan
        started = time.monotonic()
        env = {**plan.env, **before(plan.upstreams, plan.env, environ), SESSION_ENV: session.id}
        code = run_child(program, argv, child_environment(environ, env, plan.env_lists))
        seconds = time.monotonic() - started
    # The child's exit code stands, whatever becomes of the account, and also if it is interrupted.
    with suppress(KeyboardInterrupt):
        try:
            _close(session, wish, _settings_by_now(wish, config.settings), seconds)
        except BrokenPipeError:
            sys.stderr = None  # nobody reads it any more; Python would complain at its end if it tried again
        except Exception as error:
            _say(f"no account of this session: {_message(error)}; see: rlmc stats {session.id}")
    return code


# --- opening --------------------------------------------------------------------------------------------------------


def _open(
    wish: Wish, config: Config, integration: Integration, environ: Mapping[str, str], directory: Path
) -> _Session:
    stored = from_keyring(config.settings, environ)
    opening = Opening(wish.argv, wish.flags, wish.name, integration, environ, directory, stored=stored.keys)
    for left in reversed(range(_TRIES)):
        running = ensure_running(wished_port(config))
        plan, registration = opening.at(running.endpoint.port, config.settings)
        keeper = SessionKeeper(running.endpoint, registration)
        try:
            notes = control.register_session(running.endpoint, registration)
            keeper.start()
        except control.Unreachable:
            if not left:
                raise
            continue
        for text in (*running.notes, *((stored.problem,) if stored.problem else ()), *plan.warnings, *notes):
            _say(text)
        return _Session(keeper, plan, registration.id)
    raise DaemonError("the daemon ends as soon as it is started")


def _say(text: str) -> None:
    console.err(f"{console.paint('rlmc:', 'yellow', sys.stderr)} {text}")


def _say_without(error: Exception) -> None:
    _say(f"{console.paint('running WITHOUT rlmc', 'bold', sys.stderr)}: {_message(error)}")
    if isinstance(error, RlmcError) and error.hint:
        _say(error.hint)


def _message(error: Exception) -> str:
    return error.message if isinstance(error, RlmcError) else f"{type(error).__name__}: {error}"


# --- closing --------------------------------------------------------------------------------------------------------


def _settings_by_now(wish: Wish, before: Settings) -> Settings:
    """A budget may have been raised while the agent worked."""
    try:
        return load(flags=wish.flags, providers=names()).settings
    except RlmcError:
        return before


def _close(session: _Session, wish: Wish, settings: Settings, seconds: float) -> None:
    notes = list(session.keeper.notes)
    requests = turns = None
    try:
        ended = control.end_session(session.keeper.endpoint, session.id)
        requests, turns = int(ended.get("requests") or 0), int(ended.get("turns") or 0)
        notes += [str(note) for note in ended.get("notes") or []]
    except DaemonError as error:
        notes.append(f"the account may lack the last turns: {error.message}")
    if not wish.summary:
        return
    if requests == 0:
        notes.append(f"{wish.argv[0]} made no request through rlmc: {why_no_request(session.plan, seconds)}")
    if turns == 0 and not session.keeper.revivals and settings.budget_daily is None:
        console.err(closing(NO_TURN, notes))  # for this the ledger need not be looked at
    else:
        console.err(_summary(session.id, settings, notes))


def _summary(session_id: str, settings: Settings, notes: list[str]) -> str:
    from rlmc.config.paths import ledger_file
    from rlmc.ledger.quality import Aim, of_report
    from rlmc.ledger.queries import LedgerReader
    from rlmc.ledger.totals import Scope, account
    from rlmc.ui.summary import session_summary
    from rlmc.views.budgets import budgets, over_budget

    try:
        reader = LedgerReader.open(ledger_file())
        try:
            report = account(reader, Scope(session=session_id), None).total
            day = None
            if settings.budget_daily is not None:
                from datetime import datetime

                from rlmc.ledger.period import today
                from rlmc.ledger.spent import spent

                period = today(datetime.now().astimezone())
                day = spent(reader, period.since, period.until).of(report.simulated)
            warnings = map(over_budget, budgets(settings, report.paid, day))
            aim = Aim(settings.max_regression, settings.confidence)
            known = of_report(reader, report, aim, time.time_ns() // 1000)
            return session_summary(report, [*(w for w in warnings if w), *notes], known)
        finally:
            reader.close()
    except RlmcError as error:
        return closing(f"no account of this session: {error.message}", notes)
