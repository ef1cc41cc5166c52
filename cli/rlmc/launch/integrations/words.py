"""Options among an agent's own arguments, as far as a plan has to know them."""

from __future__ import annotations

from collections.abc import Sequence


def values_of(argv: Sequence[str], *options: str) -> list[str]:
    """The values of an option in their order, written as `--option value`, `--option=value` or `-ovalue`. `options`
    are its spellings. What comes after `--` is no option."""
    found: list[str] = []
    words = iter(argv[1:])
    for word in words:
        if word == "--":
            break
        for option in options:
            if word == option:
                found += [value for value in [next(words, None)] if value is not None]
            elif option.startswith("--") and word.startswith(option + "="):
                found.append(word.partition("=")[2])
            elif not option.startswith("--") and len(option) == 2 and word.startswith(option) and len(word) > 2:
                found.append(word[2:].removeprefix("="))
            else:
                continue
            break
    return found


def last_value(argv: Sequence[str], *options: str) -> str | None:
    found = values_of(argv, *options)
    return found[-1] if found else None


def has_flag(argv: Sequence[str], *flags: str) -> bool:
    words = list(argv[1:])
    return any(flag in (words[: words.index("--")] if "--" in words else words) for flag in flags)
