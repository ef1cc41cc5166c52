"""Whether a text parses, for the kinds of files a parser is at hand for."""

from __future__ import annotations

import ast
import tomllib
import warnings
from collections.abc import Callable

import msgspec

# Parsing is done between two other requests; this much takes a parser about a tenth of a second.
_MOST_CHARS = 400_000


def breaks(path: str, before: str, after: str) -> bool:
    """Whether a file that parsed, or held nothing, does not parse any more."""
    parse = next((parse for suffix, parse in _PARSERS if path.lower().endswith(suffix)), None)
    if parse is None or len(after) > _MOST_CHARS or len(before) > _MOST_CHARS:
        return False
    return not _parses(parse, after) and (not before.strip() or _parses(parse, before))


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _python(text: str) -> object:
    # What Python merely warns of is no reason to refuse it, nor to say so on the daemon's own terminal.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


_PARSERS: tuple[tuple[str, Callable[[str], object]], ...] = (
    (".py", _python),
    (".pyi", _python),
    (".json", msgspec.json.decode),
    (".toml", tomllib.loads),
)
