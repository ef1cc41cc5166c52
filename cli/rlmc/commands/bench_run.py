"""What `rlmc bench` does: models and keys looked at, the price named, then a session of the daemon for each arm.

Rule: nothing is asked of a model before it is certain that every arm can be, and that whoever pays agrees.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import rlmc
from rlmc.bench.client import MAX_TOKENS, Address
from rlmc.bench.estimate import estimate
from rlmc.bench.report import BenchReport, arm_report
from rlmc.bench.results import Result, Results
from rlmc.bench.run import Arm, run_arm
from rlmc.bench.task import Task, digest
from rlmc.commands.own_session import SIMULATED, agree, auth, daemon_for, is_free, need_keys, open_session
from rlmc.commands.stored import with_keyring
from rlmc.config.load import Config, load, overrides_from
from rlmc.config.paths import data_dir, ledger_file
from rlmc.daemon.control import Registration
from rlmc.domain.frozen import dataclass
from rlmc.domain.turn import Model
from rlmc.errors import UsageError
from rlmc.launch.base_url import session_base_url, upstreams_of
from rlmc.launch.environment import keys_of, network_of
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.totals import Scope, account
from rlmc.server.parts import Parts, build_parts
from rlmc.ui import console
from rlmc.upstream.prices import load_prices
from rlmc.upstream.providers import api_key_envs, names
from rlmc.views.figures import count, money


@dataclass(frozen=True, slots=True)
class Wish:
    """The command line. `flags` are settings by key."""

    tasks: tuple[Task, ...]
    arms: tuple[Arm, ...]
    flags: Mapping[str, str]
    parallel: int
    fresh: bool
    yes: bool
    json: bool


@dataclass(frozen=True, slots=True)
class _Models:
    """`draft` is None where no arm asks one. `free`: whatever is asked runs on this machine."""

    draft: Model | None
    verify: Model
    free: bool

    @property
    def simulated(self) -> bool:
        return SIMULATED in (self.verify.provider, self.draft.provider if self.draft else None)


def run_bench(wish: Wish) -> BenchReport:
    config = load(flags=wish.flags, providers=names())
    environ = with_keyring(config.settings, os.environ)
    parts = build_parts(config.settings, upstreams_of(environ))
    models = _models(parts, wish.arms, environ)
    results = Results.open(_file(models, parts, wish.tasks), fresh=wish.fresh)
    left = [(arm, [t for t in wish.tasks if not results.answered(arm.name, t.id)]) for arm in wish.arms]
    todo = sum(len(tasks) for _, tasks in left)
    if todo and not models.free:
        _agree(left, models, wish)
    kept = len(wish.arms) * len(wish.tasks) - todo
    if kept:
        console.err(f"{count(kept, 'result')} kept from before; --fresh begins anew")
    for arm, tasks in left:
        if tasks:
            _run(arm, tasks, config, models, environ, results, wish)
    return _report(models, wish, results)


# --- what is asked, and who pays ------------------------------------------------------------------------------------


def _models(parts: Parts, arms: Sequence[Arm], environ: Mapping[str, str]) -> _Models:
    if parts.settings.verify_model is None:
        raise UsageError(
            "verify-model is as-requested, and here nobody requests one",
            "name it: --verify-model anthropic/claude-opus-5-5, or sim/verify to try it without a model",
        )
    verify = parts.verify_model("")
    draft = parts.draft_model() if any(arm.drafts for arm in arms) else None
    if draft is None and any(arm.drafts for arm in arms):
        drafting = ",".join(arm.name for arm in arms if arm.drafts)
        raise UsageError(f"--arms {drafting}: there is no draft model", "name it: --draft-model, or use --arms direct")
    if draft == verify:
        raise UsageError(
            f"draft and verify model are both {verify}, so there is nothing to compare", "name another --draft-model"
        )
    asked = [model for model in (draft, verify) if model is not None]
    need_keys(parts, asked, environ)
    return _Models(draft, verify, all(is_free(parts, model) for model in asked))


def _agree(left: Sequence[tuple[Arm, Sequence[Task]]], models: _Models, wish: Wish) -> None:
    """Says what this may come to, and asks."""
    told = estimate(left, models.draft, models.verify, load_prices(), time.time_ns() // 1000)
    price = "a price is not known" if told.most is None else f"at most about {money(told.most)}"
    said = f"{count(told.turns, 'request')}, up to {count(told.calls, 'model call')}; {price}"
    if told.most is not None:
        said += f" if every answer were {MAX_TOKENS:,} tokens long"
    console.err(f"rlmc bench asks {', '.join(str(m) for m in (models.draft, models.verify) if m)}: {said}.")
    agree(yes=wish.yes, json=wish.json)


def _file(models: _Models, parts: Parts, tasks: tuple[Task, ...]) -> Path:
    """One for the same models at the same addresses, tasks and version. Arms stand in it side by side."""
    hosts = [parts.providers[model.provider].base_url for model in (models.draft, models.verify) if model]
    said = repr((str(models.draft), str(models.verify), hosts, digest(tasks), rlmc.__version__))
    return data_dir() / "bench" / f"{hashlib.blake2b(said.encode(), digest_size=8).hexdigest()}.jsonl"


# --- an arm ---------------------------------------------------------------------------------------------------------


def _run(
    arm: Arm,
    tasks: Sequence[Task],
    config: Config,
    models: _Models,
    environ: Mapping[str, str],
    results: Results,
    wish: Wish,
) -> None:
    if arm.name not in results.sessions:
        results.begin(arm.name, secrets.token_hex(8))
    settings = config.settings
    token = secrets.token_urlsafe(24)
    own = {up.api_key_env for up in settings.upstreams.values() if up.api_key_env}
    registration = Registration(
        id=results.sessions[arm.name],
        token=token,
        client="bench",
        name=f"bench-{arm.name}",
        overrides={
            **overrides_from(environ, wish.flags, names()),
            **_tools(tasks),
            # Each arm is what its policy alone does: nothing beside its calls, and nothing learnt on the way.
            "keep-alive": "false",
            "audits": "off",
            "policy": arm.policy,
        },
        upstreams=upstreams_of(environ),
        keys=keys_of(environ, api_key_envs() | own),
        network=network_of(environ),
    )
    running = daemon_for(config)
    address = Address(session_base_url(running.endpoint.port, token), models.verify.name, auth(environ))
    progress = _Progress(arm, len(tasks))

    def done(result: Result) -> None:
        results.add(result)
        progress(result)

    with open_session(running, registration):
        try:
            run_arm(arm, tasks, address, wish.parallel, done)
        except KeyboardInterrupt:
            console.err("What was answered is kept; the same command goes on with the rest.")
            raise


def _tools(tasks: Sequence[Task]) -> dict[str, str]:
    """None of these tools exists, so a call of one does nothing: without this word a draft that calls one is unsafe."""
    return {f"tools.{tool['name']}": "read" for task in tasks for tool in task.tools}


class _Progress:
    """On stderr: a line that is written over where a person looks, else one at the end of the arm."""

    def __init__(self, arm: Arm, tasks: int) -> None:
        self._arm, self._tasks = arm.name, tasks
        self._done = self._passed = 0
        self._live = console.is_terminal(sys.stderr)

    def __call__(self, result: Result) -> None:
        self._done += 1
        self._passed += result.passed is True
        last = self._done == self._tasks
        if self._live or last:
            text = f"{self._arm}: {self._done}/{self._tasks} done, {self._passed} passed"
            print(f"\r{text}" if self._live else text, end="\n" if last else "", file=sys.stderr, flush=True)


# --- what it came to ------------------------------------------------------------------------------------------------


def _report(models: _Models, wish: Wish, results: Results) -> BenchReport:
    reader = LedgerReader.open(ledger_file())
    try:
        arms = tuple(
            arm_report(
                arm,
                wish.arms,
                wish.tasks,
                results,
                account(reader, Scope(session=results.sessions.get(arm.name, "")), None).total,
            )
            for arm in wish.arms
        )
    finally:
        reader.close()
    draft = None if models.draft is None else str(models.draft)
    return BenchReport(draft, str(models.verify), models.simulated, len(wish.tasks), arms)
