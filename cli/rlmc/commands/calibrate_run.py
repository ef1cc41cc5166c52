"""What `rlmc calibrate` does: past states looked for, the price named, each drafted and compared, kinds opened.

Rule: nothing is asked of a model before whoever pays has agreed; what is not answered teaches nothing, and where too
much was not, nothing is decided.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import rlmc
from rlmc.bench.client import Address, post
from rlmc.bench.run import HOPELESS, patiently, spread
from rlmc.calibrate.compare import Asks, Failed, Label, compare, read_answer
from rlmc.calibrate.estimate import estimate
from rlmc.calibrate.labels import Labels
from rlmc.calibrate.report import CalibrationReport, decide, not_served, rows
from rlmc.calibrate.states import (
    LONGEST_TOKENS,
    Case,
    Found,
    Models,
    State,
    cases,
    choose,
    look,
    newest_model,
    transcripts,
)
from rlmc.commands.own_session import SIMULATED, agree, auth, daemon_for, is_free, need_keys, open_session
from rlmc.commands.stored import with_keyring
from rlmc.config.load import Config, load, overrides_from
from rlmc.config.paths import data_dir, ledger_file
from rlmc.daemon.control import Registration, notify_reload
from rlmc.domain.chat import Completion
from rlmc.domain.frozen import dataclass
from rlmc.domain.turn import DraftAbilities, Model
from rlmc.errors import RlmcError, UsageError
from rlmc.launch.base_url import session_base_url, upstreams_of
from rlmc.launch.environment import keys_of, network_of
from rlmc.ledger import calibrations
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.report import Amount
from rlmc.ledger.totals import Scope, account
from rlmc.quality.opening import limit_of, needed
from rlmc.replay.recorded import ReadingFaults
from rlmc.server.parts import GATEWAYS, Parts, build_parts, host
from rlmc.ui import console
from rlmc.upstream.prices import load_prices
from rlmc.upstream.providers import api_key_envs, names
from rlmc.views.figures import count, money

_DRAFT, _JUDGE = "draft", "judge"
# Where more of the states than this were not answered, those that were may be of another kind than the rest.
_MOST_UNANSWERED = 0.1


class CalibrationError(RlmcError):
    """The calibration cannot go on, or must not be believed."""

    code = "calibrate"


@dataclass(frozen=True, slots=True)
class Wish:
    """The command line. `flags` are settings by key."""

    sources: tuple[Path, ...]
    flags: Mapping[str, str]
    sample: int
    parallel: int
    fresh: bool
    yes: bool
    json: bool


@dataclass(frozen=True, slots=True)
class _Job:
    """What is to be done, settled before anything is asked. `free`: whatever is asked runs on this machine."""

    config: Config
    parts: Parts
    models: Models
    chosen: tuple[State, ...]
    found: Found
    free: bool

    @property
    def target(self) -> float:
        """The share of turns that may be worse."""
        return self.config.settings.max_regression * self.parts.policy.strictness


def run_calibration(wish: Wish) -> CalibrationReport:
    config = load(flags=wish.flags, providers=names())
    environ = with_keyring(config.settings, os.environ)
    job = _job(wish, config, environ)
    labels = Labels.open(_file(job), fresh=wish.fresh)
    todo = [state for state in job.chosen if labels.get(state.digest) is None]
    kept = len(job.chosen) - len(todo)
    if kept:
        console.err(f"{count(kept, 'step')} kept from before; --rerun begins anew")
    unanswered: Counter[str] = Counter()
    unusable: list[State] = []
    if todo:
        _tell(job, todo, wish)
        _run(job, todo, labels, environ, wish.parallel, unanswered, unusable.append)
    return _end(job, labels, unanswered, len(unusable))


# --- what is asked, and who pays --------------------------------------------------------------------------------------


def _job(wish: Wish, config: Config, environ: Mapping[str, str]) -> _Job:
    parts = build_parts(config.settings, upstreams_of(environ))
    faults = ReadingFaults()
    files = transcripts(wish.sources, Path.home(), faults)
    if not files:
        where = "under " + ", ".join(map(str, wish.sources)) if wish.sources else "where Claude Code keeps them"
        raise UsageError(f"there are no transcripts of Claude Code {where}", "name a folder: --from PATH")
    models = _models(parts, files, faults, environ)
    with _bar("looking for past steps", sum(_size(file) for file in files)) as progress:
        found = look(files, models, faults, progress)
    chosen = choose(found.states, wish.sample)
    if not chosen:
        why = ", ".join(f"{why} {n:,}" for why, n in found.left_out.most_common())
        raise UsageError(
            f"no recorded step can be compared with ({why or 'there is none'})", "name other transcripts: --from PATH"
        )
    free = all(is_free(parts, model) for model in (models.draft, models.verify))
    return _Job(config, parts, models, tuple(chosen), found, free)


def _models(parts: Parts, files: Sequence[Path], faults: ReadingFaults, environ: Mapping[str, str]) -> Models:
    settings = parts.settings
    requested = "" if settings.verify_model is not None else newest_model(files, faults)
    if requested is None:
        raise UsageError("no transcript names a model", "name the capable one: --verify-model PROVIDER/MODEL")
    verify = parts.verify_model(requested)
    draft = parts.draft_model()
    if draft is None:
        raise UsageError("there is no draft model", "name it: --draft-model PROVIDER/MODEL")
    if draft == verify:
        raise UsageError(
            f"draft and verify model are both {verify}, so there is nothing to compare", "name another --draft-model"
        )
    need_keys(parts, (draft, verify), environ)
    provider = parts.providers[draft.provider]
    return Models(
        draft=draft,
        verify=verify,
        # States with images are left out, whether the draft model could see them or not.
        abilities=DraftAbilities(context=provider.context_of(draft.name)),
        context=parts.providers[verify.provider].context_of(verify.name),
        tools=settings.tools,
        brief_tokens=settings.brief_tokens,
    )


def _tell(job: _Job, todo: Sequence[State], wish: Wish) -> None:
    """Says what would be asked, who would see what, and what it may cost; and asks."""
    models = job.models
    told = estimate(todo, models, load_prices(), time.time_ns() // 1000)
    places = {model: _place(job.parts, model) for model in (models.draft, models.verify)}
    price = "nothing, they run on this machine" if job.free else "a price is not known, so neither is the cost"
    if not job.free and told.about is not None and told.most is not None:
        price = f"about {money(told.about)}, at most about {money(told.most)}"
    steps = count(len(todo), "past step")
    console.err(f"{steps} of {len(job.found.states):,} that fit, in {count(job.found.files, 'transcript')}.")
    console.err(
        f"- {models.draft} ({places[models.draft]}) is sent each conversation as it was before the step, up to "
        f"{LONGEST_TOKENS:,} tokens: what you and the agent said, and what files and commands showed."
    )
    console.err(
        f"- {models.verify} ({places[models.verify]}) judges drafts that differ: it is sent the task, the latest "
        "steps, the draft and what was done."
    )
    console.err(f"- What it may cost: {price}. Kept of it are kinds of steps and losses, no words.")
    enough = needed(limit_of(job.target), job.config.settings.confidence)
    most = max(Counter(state.kind for state in job.chosen).values())
    if most < enough:
        console.err(f"- A kind takes {enough} labels to open, and of no kind there are more than {most} steps here.")
    if not job.free:
        agree(yes=wish.yes, json=wish.json)


def _place(parts: Parts, model: Model) -> str:
    provider = parts.providers[model.provider]
    return f"{provider.operator}, {host(provider)}"


def _file(job: _Job) -> Path:
    """One for the same models at the same addresses and the same version."""
    models = job.models
    hosts = [job.parts.providers[model.provider].base_url for model in (models.draft, models.verify)]
    said = repr((str(models.draft), str(models.verify), hosts, rlmc.__version__))
    return data_dir() / "calibrate" / f"{hashlib.blake2b(said.encode(), digest_size=8).hexdigest()}.jsonl"


# --- asking -----------------------------------------------------------------------------------------------------------


def _run(
    job: _Job,
    todo: Sequence[State],
    labels: Labels,
    environ: Mapping[str, str],
    parallel: int,
    unanswered: Counter[str],
    unusable: Callable[[State], None],
) -> None:
    models = job.models
    draft, judge = (
        _registration(job, part, model, labels, environ)
        for part, model in ((_DRAFT, models.draft), (_JUDGE, models.verify))
    )
    running = daemon_for(job.config)
    stop = threading.Event()

    def asker(registration: Registration, model: Model) -> Callable[[bytes], Completion | Failed]:
        base_url = session_base_url(running.endpoint.port, registration.token)
        address = Address(base_url, model.name, auth(environ))
        return lambda body: _ask(address, model, body, stop)

    asks = Asks(
        draft=asker(draft, models.draft),
        judge=asker(judge, models.verify),
        shape=job.parts.providers[models.draft.provider].endpoint("anthropic").shape_of(models.draft.name),
        effort=job.parts.providers[models.verify.provider].low_effort_of(models.verify.name),
    )

    def work(case: Case, _stop: threading.Event) -> Label | Failed:
        return compare(case, asks)

    with ExitStack() as open, _bar("comparing", len(todo)) as progress:
        for registration in (draft, judge):
            open.enter_context(open_session(running, registration))

        def done(found: Label | Failed) -> None:
            progress(1)
            if isinstance(found, Failed):
                unanswered[found.why] += 1
            else:
                labels.add(found)

        try:
            spread(cases(todo, models, ReadingFaults(), unusable), work, parallel, done)
        except KeyboardInterrupt:
            console.err("What was compared is kept; the same command goes on with the rest.")
            raise
        finally:
            stop.set()


def _registration(job: _Job, part: str, model: Model, labels: Labels, environ: Mapping[str, str]) -> Registration:
    """A session that asks this one model, and does nothing beside."""
    if part not in labels.sessions:
        labels.begin(part, secrets.token_hex(8))
    settings = job.config.settings
    own = {up.api_key_env for up in settings.upstreams.values() if up.api_key_env}
    # Behind a gateway of the user's own the daemon finds its way by the vendor's name.
    vendor = next((vendor for vendor, gateway in GATEWAYS.items() if gateway == model.provider), model.provider)
    return Registration(
        id=labels.sessions[part],
        token=secrets.token_urlsafe(24),
        client="calibrate",
        name=f"calibrate-{part}",
        overrides={
            **overrides_from(environ, {}, names()),
            "policy": "verify-only",
            "draft-model": "none",
            "verify-model": str(Model(vendor, model.name)),
            "keep-alive": "false",
            "audits": "off",
            "log-content": "false",
        },
        upstreams=upstreams_of(environ),
        keys=keys_of(environ, api_key_envs() | own),
        network=network_of(environ),
    )


def _ask(address: Address, model: Model, body: bytes, stop: threading.Event) -> Completion | Failed:
    posted = patiently(lambda: post(address, body), stop)
    if not posted.problem:
        return read_answer(posted.raw)
    said = f"status {posted.status}: {posted.problem}" if posted.status else posted.problem
    if posted.status in HOPELESS:
        raise CalibrationError(f"a request to {model} was refused with {said}", HOPELESS[posted.status])
    return Failed(said)


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """On stderr, and only where a person looks."""
    if not console.is_terminal(sys.stderr):
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


# --- what it came to --------------------------------------------------------------------------------------------------


def _end(job: _Job, labels: Labels, unanswered: Counter[str], unusable: int) -> CalibrationReport:
    """Into the ledger, and told to the daemon."""
    if unanswered.total() > _MOST_UNANSWERED * len(job.chosen):
        why = ", ".join(f"{why} {n:,}" for why, n in unanswered.most_common())
        raise CalibrationError(
            f"{count(unanswered.total(), 'step was', 'steps were')} not answered ({why}), too many to go by the rest",
            "the same command tries them again; what was compared is kept",
        )
    models, settings = job.models, job.config.settings
    known = [label for state in job.chosen if (label := labels.get(state.digest)) is not None]
    found = decide(known, job.target, settings.confidence)
    at = time.time_ns() // 1000
    calibrations.keep(ledger_file(), str(models.draft), str(models.verify), rows(found, at))
    problem = notify_reload()
    if problem is not None:
        console.warning(f"the daemon will know of it when it starts again: {problem}")
    return CalibrationReport(
        draft=str(models.draft),
        verify=str(models.verify),
        simulated=SIMULATED in (models.draft.provider, models.verify.provider),
        at=at,
        target=job.target,
        confidence=settings.confidence,
        openings=found,
        not_served=not_served(known),
        unanswered=dict(unanswered.most_common()),
        unusable=unusable,
        paid=_paid(labels.sessions.values()),
        sessions=tuple(labels.sessions.values()),
    )


def _paid(sessions: Iterable[str]) -> Amount:
    """What they have cost so far, in whatever run."""
    reader = LedgerReader.open(ledger_file())
    try:
        each = [account(reader, Scope(session=session), None).total.paid for session in sessions]
    finally:
        reader.close()
    return Amount(sum(one.known for one in each), sum(one.missing for one in each))
