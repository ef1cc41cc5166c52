"""From flags, environment and file to one checked `Config` that knows where every value came from.

Rule: flags win over the environment, the environment over the file, the file over the defaults. Nothing is guessed: an
unknown key or a value that is not allowed is an error that names its source.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType

from rlmc.config import document, lookup, paths
from rlmc.config.env import NOT_SETTINGS
from rlmc.config.schema import KEYS, UPSTREAM_KEYS, Plain, Settings
from rlmc.config.suggest import did_you_mean, nearest
from rlmc.domain.frozen import dataclass
from rlmc.domain.model import Model

_KEY_OF_ENV = {key.env: key.name for key in KEYS}
_UPSTREAM_ENV = re.compile(r"RLMC_UPSTREAM_([A-Z0-9_]+)_(BASE_URL|PROTOCOL|API_KEY_ENV)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of `rlmc config list`. `value` is None for a setting that is unset and has no default."""

    key: str
    value: Plain
    source: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Assigned:
    """A value as somebody gave it, not yet checked, and who that was."""

    raw: object
    source: str


@dataclass(frozen=True, slots=True)
class Config:
    """All settings and their stories. `assigned` holds what differs from the defaults."""

    path: Path
    settings: Settings
    entries: tuple[Entry, ...]
    warnings: tuple[str, ...]
    assigned: Mapping[str, Assigned]


def load(
    path: Path | None = None,
    env: Mapping[str, str] | None = None,
    flags: Mapping[str, str] | None = None,
    *,
    providers: Collection[str],
    text: str | None = None,
) -> Config:
    """The configuration in force. `flags` are values by key; `providers` the names of the built-in providers.

    `text`, if given, stands for the content of the file: what it would mean if it were there. `env` None is this
    process's environment; the daemon passes an empty one, for it must not depend on the shell that started it.
    """
    place = path or paths.config_file()
    file = document.read(place) if text is None else document.Document(place, text, document.parse(text, place))
    variables = os.environ if env is None else env
    assigned: dict[str, Assigned] = {}
    lines = file.lines() if file.values else {}
    for name, raw in file.values.items():
        where = f"{file.path}:{lines[name]}" if name in lines else str(file.path)
        assigned[name] = Assigned(raw, f"file {where}")
    assigned.update(_from_env(variables, providers))
    for name, value in (flags or {}).items():
        assigned[name] = Assigned(value, f"flag {lookup.find(name, 'a flag').flag}")
    return _build(file.path, assigned, _unknown_variables(variables), providers)


def overlay(config: Config, overrides: Mapping[str, str], source: str, providers: Collection[str]) -> Config:
    """`config` with a session's own values over it."""
    assigned = dict(config.assigned)
    assigned.update({name: Assigned(value, source) for name, value in overrides.items()})
    return _build(config.path, assigned, config.warnings, providers)


def overrides_from(
    env: Mapping[str, str] | None, flags: Mapping[str, str] | None, providers: Collection[str] = ()
) -> dict[str, str]:
    """What environment and flags set, as text by key: what `rlmc run` tells a daemon that reads only the file."""
    found = {name: str(one.raw) for name, one in _from_env(os.environ if env is None else env, providers).items()}
    return found | dict(flags or {})


def _from_env(env: Mapping[str, str], providers: Collection[str]) -> dict[str, Assigned]:
    """Settings in the environment. An empty variable counts as absent, as is usual."""
    found: dict[str, Assigned] = {}
    for variable, value in env.items():
        name = _key_of(variable, providers)
        if name and value.strip():
            found[name] = Assigned(value, f"env {variable}")
    return found


def _key_of(variable: str, providers: Collection[str]) -> str | None:
    known = _KEY_OF_ENV.get(variable)
    if known:
        return known
    match = _UPSTREAM_ENV.fullmatch(variable)
    if match is None:
        return None
    # A variable's name has no dots or dashes: a built-in provider's name is looked up, any other has dashes.
    spelled = {re.sub(r"[.-]", "_", name).upper(): name for name in providers}
    upstream = spelled.get(match[1], match[1].lower().replace("_", "-"))
    return f"upstream.{upstream}.{match[2].lower().replace('_', '-')}"


def _unknown_variables(env: Mapping[str, str]) -> tuple[str, ...]:
    """Warnings, not errors: a variable meant for another version must not keep an agent from starting."""
    warnings: list[str] = []
    for variable in sorted(env):
        known = variable in (*paths.DIR_ENVS, *NOT_SETTINGS) or _key_of(variable, ()) is not None
        if variable.startswith("RLMC_") and not known:
            candidates = [*_KEY_OF_ENV, *paths.DIR_ENVS, *(key.env for key in UPSTREAM_KEYS)]
            meant = nearest(variable, candidates)
            warnings.append(f"{variable} is not a setting; it is ignored.{f' Did you mean {meant}?' if meant else ''}")
    return tuple(warnings)


def _build(
    path: Path, assigned: Mapping[str, Assigned], warnings: tuple[str, ...], providers: Collection[str]
) -> Config:
    checked: dict[str, object] = {}
    entries: list[Entry] = []
    upstream_names = sorted(name for name in assigned if name not in _KEY_OF_ENV.values())
    for name in (*_KEY_OF_ENV.values(), *upstream_names):
        one = assigned.get(name)
        key = lookup.find(name, one.source if one else "default")
        raw = one.raw if one else key.default
        source = one.source if one else "default"
        checked[name] = None if raw is None else lookup.parse(name, raw, source)
        entries.append(Entry(name, lookup.plain(checked[name]), source, key.meaning))
    sources = {name: one.source for name, one in assigned.items()}
    _check_upstreams(checked, sources, providers)
    _check_providers(checked, sources, providers)
    settings = lookup.settings_of(checked)
    return Config(path, settings, tuple(entries), warnings, MappingProxyType(dict(assigned)))


def _check_upstreams(checked: Mapping[str, object], sources: Mapping[str, str], providers: Collection[str]) -> None:
    for name in checked:
        upstream = lookup.split_upstream(name)
        if upstream and upstream[0] not in providers and f"upstream.{upstream[0]}.base-url" not in checked:
            meant = did_you_mean(upstream[0], providers)
            raise lookup.problem(
                f"{name}: {upstream[0]} is no built-in provider, and it has no base-url ({sources[name]}).",
                f"{f'{meant} ' if meant else ''}For a provider of your own, set upstream.{upstream[0]}.base-url first.",
                sources[name],
            )


def _check_providers(checked: Mapping[str, object], sources: Mapping[str, str], providers: Collection[str]) -> None:
    for name in ("draft-model", "verify-model"):
        model = checked[name]
        if not isinstance(model, Model):
            continue
        known = {*providers, *(up[0] for up in map(lookup.split_upstream, checked) if up)}
        if model.provider not in known:
            meant = nearest(model.provider, known)
            raise lookup.problem(
                f"{name}: '{model}' names the unknown provider {model.provider} ({sources[name]}).",
                (f"Did you mean {meant}/{model.name}? " if meant else f"Known: {', '.join(sorted(known))}. ")
                + f"For a provider of your own, set upstream.{model.provider}.base-url first.",
                sources[name],
            )
