"""A session for a terminal: registered, and nobody left to wait for it.

Rule: it ends with the terminal's first process, however many shells and agents come and go in between. A session that
cannot be opened leaves the terminal as it is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field

from rlmc.commands.opening import Opening, wished_port, working_directory
from rlmc.commands.stored import from_keyring
from rlmc.config.env import SESSION_ENV
from rlmc.config.load import load
from rlmc.daemon import control
from rlmc.daemon.lifecycle import ensure_running
from rlmc.domain.frozen import dataclass
from rlmc.errors import DaemonError
from rlmc.launch.base_url import before
from rlmc.launch.environment import child_environment
from rlmc.launch.integrations import PROGRAMS, choose
from rlmc.server.bound import bound_to
from rlmc.ui import console
from rlmc.upstream.providers import names

_BY_ARGUMENTS = ("codex",)  # heeds no variable
_TRIES = 3  # a daemon may end of idleness just as we come


@dataclass(frozen=True, slots=True)
class Terminal:
    """`variables` lead an agent to the new session; those of `by_arguments` need arguments as well."""

    variables: Mapping[str, str] = field(repr=False)
    by_arguments: tuple[str, ...]


def open_for_terminal(flags: Mapping[str, str], name: str | None, as_client: str | None) -> Terminal:
    environ = dict(os.environ)
    config = load(flags=flags, providers=names())
    integration = choose(as_client or "", as_client)
    argv = (as_client if as_client in PROGRAMS else "terminal",)
    stored = from_keyring(config.settings, environ)
    directory = working_directory()
    opening = Opening(argv, flags, name, integration, environ, directory, bound_pid=_terminal(), stored=stored.keys)
    for left in reversed(range(_TRIES)):
        running = ensure_running(wished_port(config))
        plan, registration = opening.at(running.endpoint.port, config.settings)
        try:
            notes = control.register_session(running.endpoint, registration)
        except control.Unreachable:
            if not left:
                raise
            continue
        problems = (stored.problem,) if stored.problem else ()
        for text in (*config.warnings, *running.notes, *problems, *plan.warnings, *notes):
            console.warning(text)
        env = {**plan.env, **before(plan.upstreams, plan.env, environ), SESSION_ENV: registration.id}
        child = child_environment(environ, env, plan.env_lists)
        by_arguments = _BY_ARGUMENTS if plan.argv == argv else (argv[0],)
        return Terminal({key: value for key, value in child.items() if environ.get(key) != value}, by_arguments)
    raise DaemonError("the daemon ends as soon as it is started")


def _terminal() -> int:
    """The first process of the terminal, mostly its login shell; what called us where that is out of sight, or gone, as
    it is below a service that has left its terminal."""
    first = os.getsid(0)
    return first if first and bound_to(first).alive() else os.getppid()
