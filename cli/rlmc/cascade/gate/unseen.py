"""New text that says something else to a machine than to whoever reads it, or that would run by itself.

Rule: what is found is never quoted, and what the file held before is no news.
"""

from __future__ import annotations

import re

# Turned-round and hidden text: letters of several scripts and pictures need none of these.
_HIDDEN = re.compile(
    r"[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\U000e0000-\U000e007f\x01-\x08\x0b\x0e-\x1f]"
)
# What package managers run when a package is installed, or around another script.
_SCRIPT = re.compile(r'"(?:(?:pre|post)[a-z]+|install|prepare|prepublishOnly)"\s*:')
_MANIFESTS = ("package.json", "composer.json")


def problem_with(path: str, new: str, before: str) -> str | None:
    if any(letter not in before for letter in _HIDDEN.findall(new.removeprefix("\ufeff"))):
        return "the new text holds letters nobody sees"
    if path.lower().endswith(_MANIFESTS) and any(name not in before for name in _SCRIPT.findall(new)):
        return "the new text names a script that runs by itself"
    return None
