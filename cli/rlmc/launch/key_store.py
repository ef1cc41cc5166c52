"""Keys from the system's keyring, for variables that the environment does not hold.

Rule: nothing of it is imported, and nobody is asked, unless the user has turned it on; and it may fail in every way
there is without keeping an agent from starting. A value never leaves here but as a value.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import field

from rlmc.domain.frozen import dataclass

SERVICE = "rlmc"
INSTALL = 'pip install "rlm-cascade[keyring]"'
PATIENCE = 10.0
"""Seconds; a keyring may be asking the user for its password meanwhile."""


@dataclass(frozen=True, slots=True)
class Stored:
    """`keys` by the name of the variable each stands for; `problem` says why there may be fewer than there should."""

    keys: dict[str, str] = field(default_factory=dict, repr=False)
    problem: str | None = None


def stored_keys(names: Iterable[str], patience: float = PATIENCE) -> Stored:
    """What the keyring holds of these, under the service `rlmc`."""
    wanted = sorted(set(names))
    if not wanted:
        return Stored()
    found: list[Stored] = []
    # In a thread that is left behind: no keyring promises to come back.
    asking = threading.Thread(target=lambda: found.append(_ask(wanted)), name="keyring", daemon=True)
    asking.start()
    asking.join(patience)
    return found[0] if found else Stored(problem=f"the keyring has not answered within {patience:g} s")


def _ask(names: Iterable[str]) -> Stored:
    try:
        import keyring
        from keyring.errors import KeyringLocked, NoKeyringError
    except ImportError:
        return Stored(problem=f"keyring is on, and its package is missing: {INSTALL}")
    keys: dict[str, str] = {}
    try:
        for name in names:
            if value := keyring.get_password(SERVICE, name):
                keys[name] = value
    except NoKeyringError:
        return Stored(keys, "there is no keyring on this machine that could be asked")
    except KeyringLocked:
        return Stored(keys, "the keyring is locked")
    except Exception as error:  # a backend's own, of any kind
        return Stored(keys, f"the keyring cannot be asked ({type(error).__name__})")
    return Stored(keys)
