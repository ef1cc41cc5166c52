"""Changing one key in a configuration's text without touching anything else: comments, order and spelling stay.

Rule: every edit is proven before it is used. The new text must parse to the old values with exactly this one key
changed; a text for which no such edit is found is left to its owner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from rlmc.config import document
from rlmc.config.document import Statement
from rlmc.errors import ConfigError

TomlValue = str | int | Decimal | bool


def with_value(text: str, key: str, value: TomlValue, path: Path) -> str:
    """`text` with `key` set. `path` is for messages only."""
    wanted = document.parse(text, path) | {key: value}
    for candidate in _places(text, key, value):
        if _means(candidate, wanted, path):
            return candidate
    raise ConfigError(
        f"{path} is laid out so that {key} cannot be changed without rewriting the file.",
        "Change it by hand with `rlmc config edit`.",
    )


def without(text: str, key: str, path: Path) -> str:
    """`text` with `key` taken out; the same text when it is not there."""
    wanted = document.parse(text, path)
    if key not in wanted:
        return text
    del wanted[key]
    for one in document.statements(text):
        leaves = one.leaves()
        if key not in leaves:
            continue
        del leaves[key]
        candidate = _tidy(_replace(text, one, _assignments(text, one, leaves)), one.section)
        if _means(candidate, wanted, path):
            return candidate
    raise ConfigError(
        f"{path} is laid out so that {key} cannot be removed without rewriting the file.",
        "Remove it by hand with `rlmc config edit`.",
    )


def _places(text: str, key: str, value: TomlValue) -> Iterator[str]:
    """Texts with the key set, the most natural first."""
    parent, _, leaf = key.rpartition(".")
    found = document.statements(text)
    for one in found:
        leaves = one.leaves()
        if key in leaves and not isinstance(one.value, dict):
            comment = f"  {one.comment}" if one.comment else ""
            yield _replace(text, one, [f"{one.left} {_toml(value)}{comment}{_newline(text)}"])
        elif isinstance(one.value, dict) and one.path and f"{key}.".startswith(f"{one.key}."):
            # Inside an inline table: it becomes one line per key, because nothing can be added to it from outside.
            yield _replace(text, one, _assignments(text, one, leaves | {key: value}))
    line = f"{_dotted(leaf)} = {_toml(value)}{_newline(text)}"
    for header in (one for one in found if parent and not one.path and one.key == parent):
        last = max(one.end for one in found if one.section == header.section)
        yield _insert(text, last, [line])
    beside = next((one for one in reversed(found) if len(one.path) > 1 and one.key.rpartition(".")[0] == parent), None)
    if beside:
        yield _insert(text, beside.end, _assignments(text, replace(beside, comment=""), {key: value}))
    if parent:
        header_line = f"[{_dotted(parent)}]{_newline(text)}"
        blank = [_newline(text)] if text.strip() else []
        yield _insert(text, len(document.split_lines(text)), [*blank, header_line, line])
    yield _insert(text, _end_of_root(text, found), [f"{_dotted(key)} = {_toml(value)}{_newline(text)}"])


def _end_of_root(text: str, found: list[Statement]) -> int:
    """The line where a new top-level key goes: below the others, above the first header and its own comment."""
    top = [one.end for one in found if one.path and not one.section]
    if top:
        return max(top)
    lines = document.split_lines(text)
    at = next((one.start for one in found if not one.path), len(lines))
    while at < len(lines) and at > 0 and lines[at - 1].lstrip().startswith("#"):
        at -= 1
    return at


def _assignments(text: str, one: Statement, leaves: Mapping[str, object]) -> list[str]:
    """Lines that give `leaves` their values in the section of `one`, the comment of `one` on the first of them."""
    section = "".join(f"{name}." for name in one.section)
    indent = one.left[: len(one.left) - len(one.left.lstrip())]
    comments = [f"  {one.comment}" if one.comment else "", *[""] * len(leaves)]
    return [
        f"{indent}{_dotted(name.removeprefix(section))} = {_toml(value)}{comment}{_newline(text)}"
        for (name, value), comment in zip(leaves.items(), comments, strict=False)
    ]


def _replace(text: str, one: Statement, new: list[str]) -> str:
    lines = document.split_lines(text)
    return "".join([*lines[: one.start], *new, *lines[one.end :]])


def _insert(text: str, at: int, new: list[str]) -> str:
    lines = document.split_lines(text)
    if lines and at == len(lines) and not lines[-1].endswith("\n"):
        lines[-1] += _newline(text)
    return "".join([*lines[:at], *new, *lines[at:]])


def _tidy(text: str, section: tuple[str, ...]) -> str:
    """Without the header of `section`, when nothing but blank lines is left below it."""
    lines = document.split_lines(text)
    headers = [one for one in document.statements(text) if not one.path]
    for number, header in enumerate(headers):
        end = headers[number + 1].start if number + 1 < len(headers) else len(lines)
        own_comment = "#" in lines[header.start]
        if header.section == section and not own_comment and not "".join(lines[header.end : end]).strip():
            return "".join([*lines[: header.start], *lines[end:]])
    return text


def _means(text: str, wanted: dict[str, object], path: Path) -> bool:
    """Whether `text` parses to `wanted`, types included: to Python `1`, `1.0` and `True` are equal."""
    try:
        values = document.parse(text, path)
    except ConfigError:
        return False
    return values.keys() == wanted.keys() and all(_same(values[key], wanted[key]) for key in values)


def _same(one: object, other: object) -> bool:
    return repr(one) == repr(other)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _toml(value: object) -> str:
    import tomli_w

    return tomli_w.dumps({"x": value}).removeprefix("x = ").rstrip("\n")


def _dotted(name: str) -> str:
    """A flat key as TOML writes it. How its dots group into tables makes no difference to what it means here."""
    import tomli_w

    return ".".join(tomli_w.dumps({part: 0}).rpartition(" = ")[0] for part in name.split("."))
