"""A session of the daemon through which a command asks models itself: who pays, and how it is kept open.

Rule: a subscription login is none of a command's. What is asked goes through the daemon, so that it is in the books.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import typer

from rlmc.config.load import Config
from rlmc.daemon import control
from rlmc.daemon.control import Registration
from rlmc.daemon.keeper import SessionKeeper
from rlmc.daemon.lifecycle import PortWish, Running, ensure_running
from rlmc.domain.turn import Model
from rlmc.errors import DaemonError, UsageError
from rlmc.pricing.catalog import PriceTable
from rlmc.server.parts import Parts
from rlmc.ui import console

SIMULATED = "sim"


def auth(environ: Mapping[str, str]) -> dict[str, str]:
    """As an agent with keys of its own would send it."""
    if environ.get("ANTHROPIC_API_KEY"):
        return {"x-api-key": environ["ANTHROPIC_API_KEY"]}
    token = environ.get("ANTHROPIC_AUTH_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token else {}


def need_keys(parts: Parts, models: Sequence[Model], environ: Mapping[str, str]) -> None:
    """Refuses a model that nobody could pay for."""
    for model in models:
        provider = parts.providers[model.provider]
        key = provider.key_env
        own = model.provider == parts.home().name and auth(environ)
        if key and not provider.local and not environ.get(key) and not own:
            raise UsageError(f"{model} needs a key, and {key} is not set", f"set {key}, or name another model")


def is_free(parts: Parts, model: Model) -> bool:
    """Whether it runs on this machine, as far as its name tells: a local server may pass some models on."""
    local = parts.providers[model.provider].local
    return local and (model.provider == SIMULATED or PriceTable(()).rate(model, 0) is not None)


def agree(*, yes: bool, json: bool) -> None:
    """Asks whoever pays. What it is about has been said."""
    if yes:
        return
    if json or not console.is_terminal(sys.stdin):
        raise UsageError("this costs money, and there is nobody to ask", "add --yes")
    typer.confirm("Go on?", abort=True, err=True)


def daemon_for(config: Config) -> Running:
    port = next((entry.source for entry in config.entries if entry.key == "port"), "default")
    return ensure_running(PortWish(config.settings.port, port))


@contextmanager
def open_session(running: Running, registration: Registration) -> Iterator[None]:
    """A living session. When this is left, the ledger has all of it."""
    for note in (*running.notes, *control.register_session(running.endpoint, registration)):
        console.err(f"rlmc: {note}")
    keeper = SessionKeeper(running.endpoint, registration)
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()
        try:
            control.end_session(keeper.endpoint, registration.id)
        except DaemonError as error:
            console.err(f"rlmc: the account may lack the last turns: {error.message}")
