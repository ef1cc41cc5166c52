"""The text a user finds when they edit a configuration that does not exist yet: every key, commented out."""

from __future__ import annotations

import textwrap

from rlmc.config.schema import KEYS, TOOL_KEYS, UPSTREAM_KEYS, Plain


def template() -> str:
    """Valid TOML that sets nothing, with each key's meaning, allowed values and default."""
    parts = [
        "# Settings of rlmc. Take the `#` away from a line to set it. `rlmc config list` shows what is in force.\n"
    ]
    for key in (*KEYS, *UPSTREAM_KEYS, *TOOL_KEYS):
        name = key.name.replace("<name>", "my-provider")
        about = textwrap.wrap(f"{key.meaning}. Allowed: {key.allowed}.", 100)
        parts.append("".join(f"# {line}\n" for line in about) + f"# {name} = {_toml(key.example)}\n")
    return "\n".join(parts)


def _toml(value: Plain) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else f'"{value}"'
