"""The nearest known word for one that is not known, so that an error can say what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The most similar of `known`, or None when nothing is close. Case and `_` for `-` are forgiven."""
    import difflib

    plain = {name.casefold().replace("_", "-"): name for name in known}
    found = difflib.get_close_matches(word.casefold().replace("_", "-"), plain, n=1, cutoff=0.6)
    return plain[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    name = nearest(word, known)
    return f"Did you mean {name}?" if name else None
