"""The settings as a table for a terminal: key, value and source in columns, the meaning below."""

from __future__ import annotations

import textwrap

from rlmc.config.load import Config, Entry
from rlmc.config.schema import TOOL_KEYS, UPSTREAM_KEYS
from rlmc.ui.console import columns, paint


def settings_table(config: Config, width: int) -> list[str]:
    """Lines no longer than `width`, except where a value itself is."""
    heads = columns([(one.key, _value(one), _source(one, config)) for one in config.entries])
    lines = [f"{paint('file', 'dim')}  {config.path}", ""]
    for one, head in zip(config.entries, heads, strict=True):
        bold_key = paint(one.key, "bold") + head[len(one.key) :]
        lines.append(bold_key)
        lines.extend(paint(line, "dim") for line in _wrapped(one.meaning, width))
    lines.append("")
    for whose, keys in (("provider", UPSTREAM_KEYS), ("tool", TOOL_KEYS)):
        also = ", ".join(key.name for key in keys)
        lines.extend(paint(line, "dim") for line in _wrapped(f"For each {whose} also: {also}", width))
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(40, width), initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def _value(one: Entry) -> str:
    if one.value is None:
        return "unset"
    return str(one.value).lower() if isinstance(one.value, bool) else str(one.value)


def _source(one: Entry, config: Config) -> str:
    """`file …/config.toml:3` as `file, line 3`: the path stands above the table."""
    prefix = f"file {config.path}:"
    return f"file, line {one.source.removeprefix(prefix)}" if one.source.startswith(prefix) else one.source
