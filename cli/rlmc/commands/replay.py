"""`rlmc replay`: what the policies would have made of sessions that were recorded, at today's prices.

Rule: reads files and nothing else: no network, no keys, no daemon. What has to be assumed is printed with the figures.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rlmc.errors import UsageError

if TYPE_CHECKING:
    from rlmc.cascade.policies.policy import Policy
    from rlmc.domain.effect import Effect
    from rlmc.domain.turn import Model
    from rlmc.ledger.period import Period
    from rlmc.replay.recorded import ReadingFaults
    from rlmc.replay.run import Pair
    from rlmc.replay.study import Study

SCHEMA = "rlmc.replay/1"
AS_RECORDED = "as-recorded"
# As the setting says it, for one who is used to that.
_OWN_MODELS = (AS_RECORDED, "as-requested")
_AUTO = "auto"
_SHORT = 400
_EXAMPLE = "write it as provider/model, such as deepseek/deepseek-flash"


class By(StrEnum):
    """What `--by` groups by: a project is the directory a session ran in, a model the one that answered."""

    PROJECT = "project"
    MODEL = "model"
    DAY = "day"
    SESSION = "session"


def register(app: typer.Typer) -> None:
    app.command("replay")(replay)


def replay(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Recorded sessions, or folders of them."),
    ] = None,
    policies: Annotated[
        list[str] | None, typer.Option("--policy", metavar="POLICY", help="A policy; may be repeated. All by default.")
    ] = None,
    drafts: Annotated[
        list[str] | None,
        typer.Option("--draft-model", metavar="PROVIDER/MODEL", help="The model that proposes; may be repeated."),
    ] = None,
    verify: Annotated[
        str, typer.Option("--verify-model", metavar="PROVIDER/MODEL", help="The model that decides.")
    ] = AS_RECORDED,
    by: Annotated[By | None, typer.Option("--by", help="Also as a table by this.")] = None,
    since: Annotated[str | None, typer.Option(metavar="DAY", help="Sessions from this day or moment on.")] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DAY", help="Sessions up to the end of this day, or this moment.")
    ] = None,
    assumed: Annotated[
        list[str] | None,
        typer.Option("--assume", metavar="KEY=VALUE", help="Assume something else; may be repeated."),
    ] = None,
    accuracy: Annotated[
        bool, typer.Option("--accuracy", help="Also how well the simulated cache agrees with bills.")
    ] = False,
    optimum: Annotated[
        bool, typer.Option("--optimum", help="Also the best anybody could do who knew the session. Slow.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write one web page to this file.")
    ] = None,
    session: Annotated[
        str | None,
        typer.Option("--session", metavar="ID", help="Instead decide one of rlmc's own sessions again, and compare."),
    ] = None,
) -> None:
    """Show what each policy would have saved on recorded sessions."""
    if session is not None:
        if paths or policies or drafts or by or since or until or assumed or accuracy or optimum or as_csv or html:
            raise UsageError("--session goes with --json alone", "leave the other options out")
        from rlmc.commands.replay_session import run_own_session

        run_own_session(session, json)
        return
    if json and as_csv:
        raise UsageError("--json and --csv cannot be combined", "choose one")
    if as_csv and accuracy:
        raise UsageError("--csv and --accuracy cannot be combined", "use --json, or neither")
    import time

    from rlmc.ledger import period as periods
    from rlmc.replay.assumptions import assume
    from rlmc.replay.readers import find_files
    from rlmc.replay.recorded import ReadingFaults
    from rlmc.replay.study import Question, Study
    from rlmc.upstream.prices import load_prices

    period = periods.between(since, until) if since or until else periods.ALL
    question = Question(
        pairs=_pairs(drafts or [], verify),
        policies=_policies(policies or []),
        assumptions=assume(assumed or []),
        prices_at=time.time_ns() // 1000,
        day=_Days(periods.day_of),
        by=None if by is None else by.value,
        since=period.since,
        until=period.until,
        optimum=optimum,
        accuracy=accuracy,
    )
    faults = ReadingFaults()
    files = find_files(paths or [], Path.home(), faults)
    study = Study(question, load_prices())
    _read(files, study, faults)
    if html is not None:
        _write_page(html, study, period, faults)
    if json:
        from rlmc.ui.replay_data import replay_data
        from rlmc.ui.result import envelope

        typer.echo(envelope(SCHEMA, replay_data(study, period, faults)))
    elif as_csv:
        from rlmc.ui.replay_data import write_csv

        write_csv(study, sys.stdout)
    elif not study.records.sessions and not study.records.unpriced_sessions:
        _say_nothing_found(paths or [], files, period, faults)
    else:
        from rlmc.ui.replay_text import lines

        for line in lines(study, period, faults, sys.stdout):
            typer.echo(line)


# --- what is asked --------------------------------------------------------------------------------------------------


def _policies(names: list[str]) -> tuple[Policy, ...]:
    from rlmc.cascade.policies import NAMES, POLICIES, find

    found = []
    for name in dict.fromkeys(names):
        policy = find(name)
        if policy is None:
            raise UsageError(f"--policy {name}: there is no such policy", f"one of {', '.join(NAMES)}")
        found.append(policy)
    return tuple(found) or POLICIES


def _pairs(drafts: list[str], verify_text: str) -> tuple[Pair, ...]:
    from rlmc.config.load import load
    from rlmc.replay.run import Pair
    from rlmc.upstream.providers import find, names

    settings = load(providers=names()).settings
    own = frozenset(settings.upstreams)
    verify = None if verify_text.casefold() in _OWN_MODELS else _model("--verify-model", verify_text, own)
    configured = None if settings.draft_off else settings.draft_model
    chosen = [None if text.casefold() == _AUTO else _model("--draft-model", text, own) for text in drafts]
    models = [_default_draft(verify) if one is None else one for one in chosen or [configured]]
    pairs = []
    for model in dict.fromkeys(models):
        provider = find(model.provider)
        pairs.append(Pair(verify, model) if provider is None else Pair(verify, model, provider.context_of(model.name)))
    return tuple(pairs)


def _default_draft(verify: Model | None) -> Model:
    """As in the live proxy: the cheapest current model of the verify model's own provider, or else Anthropic's."""
    from rlmc.domain.turn import Model
    from rlmc.upstream.providers import built_in, find

    provider = None if verify is None else find(verify.provider)
    if provider is None or provider.default_draft is None:
        provider = built_in("anthropic")
    return Model(provider.name, provider.default_draft or "")


def _model(option: str, text: str, own: frozenset[str]) -> Model:
    """`own` are providers the user has configured."""
    from rlmc.config.values import BadValue, ModelName
    from rlmc.domain.turn import Model
    from rlmc.upstream.prices import PROVIDERS
    from rlmc.upstream.providers import names

    try:
        model = ModelName(())(text)
    except BadValue:
        model = text
    if not isinstance(model, Model):
        raise UsageError(f"{option} {text}: not a model", _EXAMPLE)
    known = sorted({*names(), *PROVIDERS, *own})
    if model.provider not in known:
        raise UsageError(f"{option} {text}: there is no provider {model.provider}", f"known are {', '.join(known)}")
    return model


class _Days:
    """The local day of a moment. Asked for every call, so it is remembered by quarters of an hour, which no zone's
    midnight falls into."""

    def __init__(self, day_of: Callable[[int], str]) -> None:
        self._day_of = day_of
        self._known: dict[int, str] = {}

    def __call__(self, at: int) -> str:
        quarter = at // 900_000_000
        day = self._known.get(quarter)
        if day is None:
            day = self._known[quarter] = self._day_of(at)
        return day


# --- reading --------------------------------------------------------------------------------------------------------


def _read(files: list[Path], study: Study, faults: ReadingFaults) -> None:
    from functools import lru_cache

    from rlmc.cascade.effects import effect_of
    from rlmc.replay.readers import read

    @lru_cache(maxsize=4096)
    def again(tool: str, arguments: str) -> Effect:
        return effect_of(tool, arguments)

    def effect(tool: str, arguments: str) -> Effect:
        # Agents run the same commands and read the same files over and over; long arguments are not met twice.
        return again(tool, arguments) if len(arguments) <= _SHORT else effect_of(tool, arguments)

    with _progress(files) as progress:
        for calls in read(files, effect, faults, progress):
            study.add(calls)


@contextmanager
def _progress(files: list[Path]) -> Iterator[Callable[[int], None]]:
    """A bar over the bytes read, on stderr and only where a person looks."""
    from rlmc.ui.console import is_terminal

    if not is_terminal(sys.stderr):
        yield lambda _read: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("replaying", total=sum(_size(file) for file in files))
        yield lambda read: bar.advance(task, read)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


# --- how it is shown ------------------------------------------------------------------------------------------------


def _write_page(file: Path, study: Study, period: Period, faults: ReadingFaults) -> None:
    from rlmc.ui.replay_page import page

    try:
        file.write_text(page(study, period, faults), encoding="utf-8")
    except OSError as problem:
        raise UsageError(f"--html {file}: {problem.strerror or problem}", "name a file that can be written") from None


def _say_nothing_found(paths: list[Path], files: list[Path], period: Period, faults: ReadingFaults) -> None:
    from rlmc.replay.readers import READERS
    from rlmc.ui.replay_words import faults_found
    from rlmc.views.figures import count

    looked = [str(path) for path in paths] or [f"~/{place}" for reader in READERS for place in reader.places]
    where = f" {period.name}" if period.since is not None or period.until is not None else ""
    typer.echo(f"No recorded sessions{where} here:")
    for place in looked:
        typer.echo(f"  {place}")
    if files:
        typer.echo(f"{count(len(files), 'file')} looked at; none holds a model call that could be replayed.")
    for sentence in faults_found(faults):
        typer.echo(sentence)
    typer.echo("Coding agents keep their transcripts there; `rlmc replay PATH` reads a file or folder elsewhere.")
