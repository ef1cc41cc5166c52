"""The configuration file as text: its flat keys and values, and where each of them stands.

Rule: `tomllib` is the only judge of what is TOML. Statements are found by asking it, never by a lexer of our own. It is
loaded only where there is a file.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from pathlib import Path

from rlmc.config.values import quoted
from rlmc.domain.frozen import dataclass
from rlmc.errors import ConfigError

_POSITION = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")
_KEEPS = "Fix it with `rlmc config edit`. Until then a running daemon keeps the settings it has."


@dataclass(frozen=True, slots=True)
class Statement:
    """One header or assignment of the text, on the lines from `start` up to, not including, `end` (from 0).

    `section` is the path of the header above and `path` the assigned one within it; a header has its own path as
    `section` and an empty `path`. `left` is the text up to and including the `=` as it was written.
    """

    start: int
    end: int
    section: tuple[str, ...]
    path: tuple[str, ...] = ()
    value: object = None
    left: str = ""
    comment: str = ""

    @property
    def key(self) -> str:
        return ".".join((*self.section, *self.path))

    def leaves(self) -> dict[str, object]:
        """The flat keys this statement gives a value; several for an inline table, none for a header."""
        if not self.path:
            return {}
        if isinstance(self.value, dict):
            return {f"{self.key}.{name}": value for name, value in flatten(self.value).items()}
        return {self.key: self.value}


@dataclass(frozen=True, slots=True)
class Document:
    """A file that is valid TOML. `values` has every leaf under its dotted key."""

    path: Path
    text: str
    values: dict[str, object]

    def lines(self) -> dict[str, int]:
        """The line, from 1, on which each key stands."""
        return {key: one.start + 1 for one in statements(self.text) for key in one.leaves()}


def read(path: Path) -> Document:
    """The file at `path`; one that does not exist is empty. Raises `ConfigError` with the position of what is wrong."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return Document(path, "", {})
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"The configuration file {path} is not UTF-8 text (at byte {error.start}).", _KEEPS
        ) from error
    except OSError as error:
        raise ConfigError(
            f"The configuration file {path} cannot be read: {error.strerror or error}.",
            "Check what is at this path and its permissions, or set RLMC_CONFIG_DIR to another folder.",
        ) from error
    return Document(path, text, parse(text, path))


def parse(text: str, path: Path) -> dict[str, object]:
    """The flat values of a whole file's text."""
    from tomllib import TOMLDecodeError

    try:
        return flatten(_loads(text))
    except TOMLDecodeError as error:
        reason = _POSITION.sub("", str(error))
        position = _POSITION.search(str(error))
        where = f"line {position[1]}, column {position[2]}" if position and position[1] else "the end of the file"
        raise ConfigError(f"The configuration file {path} is not valid TOML at {where}: {reason}.", _KEEPS) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"The configuration file {path} is not usable: {error}.", _KEEPS) from error


def flatten(table: dict[str, object]) -> dict[str, object]:
    """Nested tables to dotted keys. Raises `ValueError` when a quoted key with a dot means the same as a nested one."""
    flat: dict[str, object] = {}
    for name, value in table.items():
        inner = (
            {f"{name}.{rest}": leaf for rest, leaf in flatten(value).items()}
            if isinstance(value, dict)
            else {name: value}
        )
        for key, leaf in inner.items():
            if key in flat:
                raise ValueError(f"{quoted(key)} is set twice")
            flat[key] = leaf
    return flat


def statements(text: str) -> list[Statement]:
    """The headers and assignments of a text that `parse` accepts, in order."""
    lines = split_lines(text)
    found: list[Statement] = []
    section: tuple[str, ...] = ()
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        if not line or line.startswith("#"):
            at += 1
        elif line.startswith("["):
            section = _path(_loads(lines[at]))[0]
            found.append(Statement(at, at + 1, section))
            at += 1
        else:
            end = at + 1
            while not _is_toml("".join(lines[at:end])):
                end += 1
            found.append(_assignment("".join(lines[at:end]), at, end, section))
            at = end
    return found


def split_lines(text: str) -> list[str]:
    """Lines with their ends, as TOML counts them: only a line feed ends one."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def _assignment(text: str, start: int, end: int, section: tuple[str, ...]) -> Statement:
    # The left side ends at the first `=` before which everything is a whole key: `"a=b" = 1` has two.
    cut = next(at + 1 for at, char in enumerate(text) if char == "=" and _is_toml(f"{text[:at]}= 0"))
    path, _ = _path(_loads(f"{text[:cut]} 0"))
    value: object = _loads(text)
    for name in path:
        assert isinstance(value, dict)  # noqa: S101 - the path was read from this very text
        value = value[name]
    # A comment begins at the first `#` before which the statement is whole.
    marks = (at for at, char in enumerate(text) if char == "#" and at >= cut)
    mark = next((at for at in marks if _is_toml(text[:at])), len(text))
    return Statement(start, end, section, path, value, text[:cut], text[mark:].rstrip("\r\n"))


def _path(table: dict[str, object]) -> tuple[tuple[str, ...], object]:
    """The only path into a nest of tables with one entry each, and what is at its end."""
    path: list[str] = []
    inner: object = table
    while isinstance(inner, dict) and inner:
        ((name, inner),) = inner.items()
        path.append(name)
    return tuple(path), inner


def _loads(text: str) -> dict[str, object]:
    from tomllib import loads

    return loads(text, parse_float=_exact)


def _exact(text: str) -> Decimal | float:
    """Money must not pass through a binary fraction. An exponent beyond `Decimal` becomes a float's infinity."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return float(text)


def _is_toml(text: str) -> bool:
    from tomllib import TOMLDecodeError

    try:
        _loads(text)
    except TOMLDecodeError:
        return False
    return True
