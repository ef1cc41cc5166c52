"""Wires the parts of the daemon together; the only module that knows them all."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from functools import partial
from random import SystemRandom

import rlmc
from rlmc.config.load import load
from rlmc.config.paths import ledger_file
from rlmc.errors import RlmcError
from rlmc.ledger.store import Ledger
from rlmc.server.app import App
from rlmc.server.audits import Audits
from rlmc.server.books import Books
from rlmc.server.budgets import Budgets
from rlmc.server.calls import wall_us
from rlmc.server.control import Control
from rlmc.server.dashboard.feed import Feed
from rlmc.server.dashboard.pages import Dashboard
from rlmc.server.epochs import Epochs
from rlmc.server.exchange import Exchange
from rlmc.server.housekeeping import keep_house
from rlmc.server.metrics import Readings, Tally
from rlmc.server.metrics_page import MetricsPage
from rlmc.server.room import Bodies
from rlmc.server.sessions import Sessions
from rlmc.server.targets import Targets
from rlmc.server.telemetry import Export, Telemetry
from rlmc.upstream.client import HttpTransport
from rlmc.upstream.on_demand import OnDemand
from rlmc.upstream.prices_apart import load_prices_apart
from rlmc.upstream.providers import names
from rlmc.upstream.transport import Transport

_LEFT_SECONDS = 3.0


class DaemonApp:
    """What the daemon serves and needs to know: its application, and when it may end."""

    def __init__(self, *, port: int, control_token: str, instance: str, log: logging.Logger) -> None:
        self._log = log
        self._port = port
        self._token = control_token
        self._instance = instance
        self._app: App | None = None
        self._control: Control | None = None
        self._transports: dict[str, Transport] = {}
        self._loading: asyncio.Task[None] | None = None
        self._housekeeping: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self.stop_requested = asyncio.Event()
        self._started = time.monotonic()

    async def startup(self) -> None:
        """Inside the event loop: opens the ledger and the connection pool, begins to load prices. A configuration that
        cannot be read does not keep the daemon from starting; the defaults hold and `status` says so."""
        error = None
        try:
            config = load(env={}, providers=names())
        except RlmcError as problem:
            error = problem.message
            self._log.warning("configuration not taken: %s", error)
            config = load(text="", env={}, providers=names())
        ledger = Ledger.open(ledger_file())
        for notice in ledger.notices:
            self._log.warning("%s", notice)
        if ledger.waiting:  # what a daemon that died left counts as spent
            await asyncio.to_thread(ledger.flush, _LEFT_SECONDS)
        budgets = Budgets(ledger_file())
        await budgets.load()
        sessions = Sessions()
        tally = Tally(sessions)
        books = Books(ledger, [budgets.observe, tally.observe])
        epochs = Epochs(ledger, ledger_file(), _chance.random, wall_us)
        await epochs.load()
        self._following = asyncio.create_task(epochs.follow())
        audits = self.audits = Audits(epochs, books, _chance)
        bodies, targets = Bodies(), Targets()
        self.bodies = bodies
        control = Control(
            token=self._token,
            instance=self._instance,
            port=self._port,
            sessions=sessions,
            books=books,
            budgets=budgets,
            audits=audits,
            config=config,
            dashboard_link=lambda: dashboard.link(),
            telemetry=lambda: telemetry.status(),
            bodies=bodies,
            targets=targets,
            stop=self.stop_requested,
            config_error=error,
        )
        telemetry = Telemetry(lambda: control.config.settings, partial(_open_export, sessions))
        books.observers.append(telemetry.observe)
        telemetry.follow()
        feed = Feed(ledger_file(), control.status, self._touch)
        dashboard = Dashboard(self._port, ledger_file(), feed, self.stop_requested)
        control.note_config_seen()
        self._transports = {"http": HttpTransport(), "sim": OnDemand(_simulated)}
        self._control = control
        self._feed, self._telemetry = feed, telemetry
        self._app = App(
            port=self._port,
            sessions=sessions,
            transports=self._transports,
            audits=audits,
            control=control,
            dashboard=dashboard,
            metrics=MetricsPage(self._token, tally, self._readings),
            bodies=bodies,
            targets=targets,
        )
        self.books, self._sessions, self._targets = books, sessions, targets
        self._loading = asyncio.create_task(self._load(books))
        self._ending = asyncio.create_task(control.end_left())

    async def _load(self, books: Books) -> None:
        await books.load(load_prices_apart)
        # What is there now stays; the collector need not look at it again with every few hundred new objects of a turn.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 50, 50)
        gc.enable()
        if self._control is not None:
            control = self._control
            self._housekeeping = asyncio.create_task(
                keep_house(books.ledger, lambda: control.config.settings, self._in_use)
            )

    def _in_use(self) -> set[str]:
        """Sessions that may still write to the ledger."""
        return {session.id for session in self._sessions.all()} | self.audits.sessions()

    async def app(self, exchange: Exchange) -> None:
        if self._app is None:
            raise RuntimeError("served before startup")
        await self._app(exchange)

    def _touch(self) -> None:
        """An open page is a use, too."""
        if self._app is not None:
            self._app.last_used = time.monotonic()

    def _readings(self) -> Readings:
        ledger = self.books.ledger
        return Readings(
            version=rlmc.__version__,
            sessions_alive=self._sessions.alive(),
            requests_active=self._app.active if self._app else 0,
            ledger_waiting=ledger.waiting,
            ledger_lost=ledger.lost,
            ledger_ok=ledger.error is None,
            drafts_paused=sum(1 for _ in self._targets.paused()),
            config_ok=self._control is not None and self._control.config_error is None,
        )

    def busy(self) -> bool:
        if self._app is None:
            return False
        return self._app.active > 0 or self._sessions.alive() > 0 or self.audits.under_way() > 0

    def idle_seconds(self) -> float:
        return time.monotonic() - (self._app.last_used if self._app else self._started)

    def idle_timeout(self) -> float:
        return self._control.config.settings.idle_timeout if self._control else 0.0

    async def shutdown(self) -> None:
        """Everything finished is in the ledger before this returns."""
        if self._loading is not None:
            await self._loading
        for task in (self._housekeeping, self._following, self._ending):
            if task is not None:
                task.cancel()
        await self.books.flush()  # before anything that takes a while
        await self.audits.close()
        await self._feed.close()
        for transport in self._transports.values():
            await transport.close()
        await self._telemetry.close()
        await self.books.flush()
        await asyncio.to_thread(self.books.ledger.close)


# Nobody is to foresee which draft is audited.
_chance = SystemRandom()


def _open_export(sessions: Sessions, endpoint: str) -> Export:
    from rlmc.server.telemetry_export import OtlpExport

    return OtlpExport(endpoint, sessions)


def _simulated() -> Transport:
    from rlmc.upstream.simulated import SimulatedTransport

    return SimulatedTransport()


def build_daemon(*, port: int, control_token: str, instance: str, log: logging.Logger) -> DaemonApp:
    return DaemonApp(port=port, control_token=control_token, instance=instance, log=log)
