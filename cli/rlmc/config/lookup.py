"""From names and raw values to checked settings: which key is meant, what its value is, and errors that help.

Rule: an error names the key, the value (unless it may be a secret), where it was set, and what would be right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar

from rlmc.config import values
from rlmc.config.schema import KEYS, TOOL_KEYS, UPSTREAM_KEYS, Key, Plain, Settings, UpstreamSettings
from rlmc.config.suggest import nearest
from rlmc.domain.effect import Effect
from rlmc.domain.model import Model
from rlmc.errors import ConfigError

_T = TypeVar("_T")

_BY_NAME = {key.name: key for key in KEYS}
_UPSTREAM_FIELDS = {key.name.rpartition(".")[2]: key for key in UPSTREAM_KEYS}
_TOOL = "tools."
_TOOL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/-]*\*?", re.ASCII)
_UPSTREAM_NAME = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*", re.ASCII)


def split_upstream(name: str) -> tuple[str, str] | None:
    """`upstream.llama.cpp.base-url` -> ("llama.cpp", "base-url"); None for a key that is no upstream's."""
    if not name.startswith("upstream."):
        return None
    upstream, dot, field = name.removeprefix("upstream.").rpartition(".")
    return (upstream, field) if dot else None


def problem(message: str, hint: str, source: str) -> ConfigError:
    """An error about a value from `source`; for one in the file the hint says how to get there."""
    return ConfigError(message, f"{hint} `rlmc config edit` opens the file." if source.startswith("file ") else hint)


def find(name: str, source: str) -> Key:
    """The setting called `name`. Raises `ConfigError` that names the nearest known key and the `source` of the name."""
    known = _BY_NAME.get(name)
    if known is not None:
        return known
    if name.startswith(_TOOL) and _TOOL_NAME.fullmatch(name.removeprefix(_TOOL)):
        return TOOL_KEYS[0]
    upstream = split_upstream(name)
    if upstream and _UPSTREAM_NAME.fullmatch(upstream[0]) and upstream[1] in _UPSTREAM_FIELDS:
        return _UPSTREAM_FIELDS[upstream[1]]
    shown = name if name.isprintable() and len(name) <= 80 else values.quoted(name)
    if name.startswith(_TOOL):
        raise problem(
            f"{shown}: a tool's name is made of letters, digits and _ - . : /, with * only at its end ({source}).",
            'For example tools.mcp__github__get_* = "read".',
            source,
        )
    if upstream and upstream[1] in _UPSTREAM_FIELDS:
        raise problem(
            f"{shown}: an upstream's name is made of small letters and digits, with `-` or `.` between ({source}).",
            "Choose a name such as my-gateway.",
            source,
        )
    if upstream:
        candidates = [f"upstream.{upstream[0]}.{field}" for field in _UPSTREAM_FIELDS]
    else:
        candidates = [*_BY_NAME, *(key.name for key in (*UPSTREAM_KEYS, *TOOL_KEYS))]
    meant = nearest(name, candidates)
    hint = f"Did you mean {meant}?" if meant else "`rlmc config list` shows the keys there are."
    raise problem(f"Unknown key {shown} ({source}).", hint, source)


def parse(name: str, raw: object, source: str) -> object:
    """The checked value of `name`. Raises `ConfigError` that says what is allowed."""
    key = find(name, source)
    try:
        return key.parse(raw)
    except values.BadValue as bad:
        shown = bad.shown or values.quoted(raw)
        hint = f"Allowed: {key.allowed}."
        hint = f"{hint} {bad.hint}" if bad.hint else hint
        raise problem(f"{name}: {shown} is not allowed ({source}).", hint, source) from bad


def plain(value: object) -> Plain:
    """A checked value as JSON and a table can show it. Money stays text, so that it stays exact."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def settings_of(checked: Mapping[str, object]) -> Settings:
    """Checked values by key, every one of `KEYS` among them, to the one value the program reads."""
    draft = checked["draft-model"]
    verify = checked["verify-model"]
    upstreams: dict[str, dict[str, str]] = {}
    for name, value in checked.items():
        upstream = split_upstream(name)
        if upstream and isinstance(value, str):
            upstreams.setdefault(upstream[0], {})[upstream[1].replace("-", "_")] = value
    return Settings(
        draft_model=draft if isinstance(draft, Model) else None,
        draft_off=draft == "none",
        verify_model=verify if isinstance(verify, Model) else None,
        policy=_typed(checked, "policy", str),
        draft_timeout=_typed(checked, "draft-timeout", float),
        draft_breaker=_typed(checked, "draft-breaker", int),
        max_regression=_typed(checked, "max-regression", float) / 100,
        confidence=_typed(checked, "confidence", float) / 100,
        audits=_typed(checked, "audits", str),
        audit_rate=_typed(checked, "audit-rate", float) / 100,
        allow_login_calls=_typed(checked, "allow-login-calls", bool),
        claude_auto_mode=_typed(checked, "claude.auto-mode", str),
        brief_tokens=_typed(checked, "brief-tokens", int),
        keep_alive=_typed(checked, "keep-alive", bool),
        keyring=_typed(checked, "keyring", bool),
        log_content=_typed(checked, "log-content", bool),
        port=_typed(checked, "port", int),
        idle_timeout=_typed(checked, "idle-timeout", float),
        body_limit=_typed(checked, "body-limit", int),
        ledger_max_age=_typed(checked, "ledger.max-age", int),
        ledger_max_size=_typed(checked, "ledger.max-size", int),
        budget_session=_money(checked, "budget.session"),
        budget_daily=_money(checked, "budget.daily"),
        budget_action=_typed(checked, "budget.action", str),
        otel_endpoint=None if checked["otel.endpoint"] is None else _typed(checked, "otel.endpoint", str),
        tools=MappingProxyType(
            {name.removeprefix(_TOOL): Effect(str(v)) for name, v in checked.items() if name.startswith(_TOOL)}
        ),
        upstreams=MappingProxyType({name: UpstreamSettings(**fields) for name, fields in upstreams.items()}),
    )


def _typed(checked: Mapping[str, object], name: str, kind: type[_T]) -> _T:
    value = checked[name]
    if not isinstance(value, kind):
        raise TypeError(f"the parser of {name} returned {type(value).__name__}, not {kind.__name__}")
    return value


def _money(checked: Mapping[str, object], name: str) -> Decimal | None:
    return None if checked[name] is None else _typed(checked, name, Decimal)
