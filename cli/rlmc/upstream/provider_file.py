"""A provider from its file: TOML that says where it is and what it accepts, refuses and wants otherwise.

Rule: what a file does not say has the defaults of `Provider`, `Endpoint` and `Shape`; what it says and nobody here
knows is an error that names the file, the key and what would be right. docs/providers.md shows a whole file.
"""

from __future__ import annotations

import re
import tomllib
import types
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from rlmc.config.values import BadValue, base_url, env_name, looks_like_key, quoted
from rlmc.domain.shape import Shape
from rlmc.errors import ConfigError
from rlmc.upstream.provider import Auth, Endpoint, Provider

PROTOCOLS = ("anthropic", "chat", "responses")

SIMULATED, SIMULATED_URL = "sim", "sim://models"

_Table = Mapping[str, Any]
_NAME = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*", re.ASCII)
_WHOLE_FILE = "docs/providers.md shows a whole file."

_SHAPE = get_type_hints(Shape)
_PROVIDER_KEYS = frozenset(
    {"operator", "key-env", "default-draft", "media-models", "effort-models", "local", "context", "endpoint"}
)
_ENDPOINT_KEYS = frozenset({"protocol", "url", "auth", "shape", "variant"})


def read_provider(name: str, text: str, source: str) -> Provider:
    """The provider `name` from the text of its file. Raises ConfigError, which names `source`."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source} is no valid TOML: {error}", _WHOLE_FILE) from None
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{source}: a provider is called by its file's name, and {name!r} cannot be one",
            "Use small letters and digits, with `-` or `.` between, as in my-provider.toml.",
        )
    return _Reader(name, source).provider(table)


class _Reader:
    """Knows where it is in a file, to say so in its errors."""

    def __init__(self, name: str, source: str) -> None:
        self._name = name
        self._source = source

    def provider(self, table: _Table) -> Provider:
        self._known(table, _PROVIDER_KEYS, "")
        endpoints = self._list(table, "endpoint", dict)
        if not endpoints:
            raise self._error("endpoint", "there is none", "Add an [[endpoint]] with protocol, url and auth.")
        key_env = self._maybe(table, "key-env", str)
        if key_env is not None:
            try:
                env_name(key_env)
            except BadValue as bad:
                hint = bad.hint or "Letters, digits and _, as in MY_API_KEY."
                raise self._error("key-env", f"{bad.shown} is no name of a variable", hint) from None
        found = tuple(self._endpoint(one, f"endpoint {n}: ") for n, one in enumerate(endpoints, 1))
        protocols = [one.protocol for one in found]
        twice = next((one for one in protocols if protocols.count(one) > 1), None)
        if twice is not None:
            raise self._error("endpoint", f"there are two of the protocol {twice}", "Keep the one that is to be used.")
        keyed = any(one.auth != "none" for one in found)
        if keyed and key_env is None:
            raise self._error("key-env", "is missing, and an endpoint wants a key", 'Add it, or set auth = "none".')
        if key_env is not None and not keyed:
            raise self._error("key-env", "is set, and no endpoint has a key", 'Set auth = "bearer" or "x-api-key".')
        context = self._maybe(table, "context", dict) or {}
        for prefix, tokens in context.items():
            if type(tokens) is not int or tokens <= 0:
                raise self._error(
                    f"context.{prefix}", f"{_shown(tokens)} is no number of tokens", "For example 200_000."
                )
        return Provider(
            name=self._name,
            endpoints=found,
            key_env=key_env,
            operator=self._maybe(table, "operator", str) or self._name,
            default_draft=self._maybe(table, "default-draft", str),
            media_models=tuple(self._list(table, "media-models", str)),
            effort_models=tuple(self._list(table, "effort-models", str)),
            context=tuple(context.items()) or (("", 128_000),),
            local=self._maybe(table, "local", bool) or False,
        )

    def _endpoint(self, table: _Table, where: str) -> Endpoint:
        self._known(table, _ENDPOINT_KEYS, where)
        protocol = self._one_of(table, "protocol", PROTOCOLS, where)
        auth: Auth = self._one_of(table, "auth", get_args(Auth), where)
        url = self._url(table, protocol, where)
        shape = self._shape(Shape(), self._maybe(table, "shape", dict, where) or {}, f"{where}shape.")
        variants = []
        for n, one in enumerate(self._list(table, "variant", dict, where), 1):
            place = f"{where}variant {n}: "
            prefix = self._maybe(one, "prefix", str, place)
            if not prefix:
                raise self._error(f"{place}prefix", "is missing", "It is how the names of these models begin.")
            rest = {key: value for key, value in one.items() if key != "prefix"}
            variants.append((prefix, self._shape(shape, rest, place)))
        return Endpoint(protocol, url, auth, shape, tuple(variants))

    def _url(self, table: _Table, protocol: str, where: str) -> str:
        """As it is written: a user's own base URL may be given with or without `/v1`, what a file says is exact."""
        url = self._maybe(table, "url", str, where)
        if self._name == SIMULATED:  # what is simulated is booked so by this name, and nothing else may have it
            if url != SIMULATED_URL:
                raise self._error(f"{where}url", "the simulated models are nowhere else", "Use another name.")
            return SIMULATED_URL
        example = "For example https://api.example.com" + ("." if protocol == "anthropic" else "/v1.")
        if url is None:
            raise self._error(f"{where}url", "is missing", example)
        try:
            checked = base_url(url)
        except BadValue as bad:
            said = bad.shown or _shown(url)
            raise self._error(f"{where}url", f"{said} is no absolute http or https URL", bad.hint or example) from None
        if protocol == "anthropic" and checked.endswith(("/v1", "/messages")):
            raise self._error(f"{where}url", f"{checked!r} is too long", "Leave out /v1: it is added to every path.")
        if checked.endswith(("/chat/completions", "/responses")):
            raise self._error(f"{where}url", f"{checked!r} is too long", "It ends where an SDK's base URL does.")
        return checked

    def _shape(self, base: Shape, table: _Table, where: str) -> Shape:
        names = {field.name.replace("_", "-"): field.name for field in fields(Shape)}
        self._known(table, frozenset(names), where)
        return replace(
            base, **{names[key]: self._value(_SHAPE[names[key]], value, where + key) for key, value in table.items()}
        )

    def _value(self, wanted: Any, value: object, key: str) -> Any:
        """`value` as one of the few types a shape has."""
        origin = get_origin(wanted)
        if origin is Literal:
            if value not in get_args(wanted):
                raise self._error(key, f"{_shown(value)} is not one of {', '.join(get_args(wanted))}")
            return value
        if origin is types.UnionType:  # a number, or none
            wanted = next(kind for kind in get_args(wanted) if kind is not type(None))
        if origin in (frozenset, tuple):
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                raise self._error(key, f"{_shown(value)} is no list of strings")
            return origin(value)
        if isinstance(wanted, type):
            if type(value) is not wanted or (isinstance(value, int) and wanted is int and value <= 0):
                raise self._error(key, f"{_shown(value)} is no {_WORDS[wanted]}")
        elif not isinstance(value, dict):
            raise self._error(key, f"{_shown(value)} is no table")
        return value

    def _known(self, table: _Table, known: frozenset[str], where: str) -> None:
        for key in table:
            if key not in known:
                from difflib import get_close_matches

                alike = get_close_matches(key, known, n=1)
                hint = f"Did you mean {alike[0]}?" if alike else f"Known: {', '.join(sorted(known))}."
                raise self._error(f"{where}{key}", "is not known", hint)

    def _maybe(self, table: _Table, key: str, kind: type, where: str = "") -> Any:
        value = table.get(key)
        if value is not None and type(value) is not kind:
            raise self._error(f"{where}{key}", f"{_shown(value)} is no {_WORDS[kind]}")
        return value

    def _list(self, table: _Table, key: str, kind: type, where: str = "") -> list[Any]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(type(one) is kind for one in value):
            raise self._error(f"{where}{key}", f"{_shown(value)} is no list of {_WORDS[kind]}s")
        return value

    def _one_of(self, table: _Table, key: str, allowed: tuple[str, ...], where: str) -> Any:
        value = table.get(key)
        if value not in allowed:
            said = "is missing" if value is None else f"{_shown(value)} is not known"
            raise self._error(f"{where}{key}", said, f"One of {', '.join(allowed)}.")
        return value

    def _error(self, key: str, problem: str, hint: str = _WHOLE_FILE) -> ConfigError:
        return ConfigError(f"{self._source}: {key}: {problem}", hint)


_WORDS: dict[type, str] = {str: "string", bool: "yes or no (true, false)", int: "whole number", dict: "table"}


def _shown(value: object) -> str:
    """A value for an error: what people paste into the wrong place may be a key."""
    if isinstance(value, str) and looks_like_key(value):
        return "the value (not shown: it looks like a key)"
    return quoted(value)
