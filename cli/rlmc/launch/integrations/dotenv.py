"""Files of lines `NAME=value`, as agents read them into their environment."""

from __future__ import annotations

import re

_LINE = re.compile(r"""\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|([^\n]*))""")


def read_env(text: str | None) -> dict[str, str]:
    """The variables of a file; later lines win. What a value refers to is left as it is written."""
    found: dict[str, str] = {}
    for line in (text or "").splitlines():
        match = _LINE.match(line)
        if match is not None:
            name, single, double, plain = match.groups()
            found[name] = single or double or re.split(r"\s#", plain or "")[0].strip()
    return found
