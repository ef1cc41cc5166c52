"""Keys and tokens in new text: what looks like one and was not in the file before.

Rule: shape alone decides, and what is found is never quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_KEY_HEADER = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
_ISSUED = re.compile(
    r"(?<![A-Za-z0-9])(?:sk-|sk_live_|rk_live_|gh[opsu]_|github_pat_|glpat-|xox[abeprs]-|AKIA|ASIA|AIza|hf_|npm_|pypi-"
    r"|eyJ[A-Za-z0-9_-]+\.eyJ)[A-Za-z0-9_.-]{12,}"
)
# Words joined by other signs are names; a token has no joints.
_RUN = re.compile(r"[A-Za-z0-9+]{24,}")
_LONG_RUN = 32


def new_secret(new: str, before: str) -> bool:
    """Whether `new` holds something like a key or token that `before` does not."""
    return any(found not in before for found in _secrets(new))


def _secrets(text: str) -> Iterator[str]:
    for pattern in (_KEY_HEADER, _ISSUED):
        yield from (match.group() for match in pattern.finditer(text))
    yield from (match.group() for match in _RUN.finditer(text) if _looks_random(match.group()))


def _looks_random(run: str) -> bool:
    digits = sum(c.isdigit() for c in run)
    upper = sum(c.isupper() for c in run)
    lower = sum(c.islower() for c in run)
    if digits < 3:
        return False
    return (upper > 1 and lower > 1) or (len(run) >= _LONG_RUN and min(digits, upper + lower) >= 5)
