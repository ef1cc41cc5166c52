"""Where the key of each provider in use comes from: its variable, the keyring, or nowhere. Never what it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rlmc.commands.checks.check import Check
from rlmc.launch.key_store import INSTALL, SERVICE


def check_keys(names: Collection[str], env: Mapping[str, str], stored: Collection[str], problem: str | None) -> Check:
    """`names` are the variables in use, `stored` those of them that the keyring holds, `problem` is the keyring's."""
    told = "; ".join(f"{name} from {_source(name, env, stored)}" for name in sorted(names))
    if problem is None:
        missing = next((name for name in sorted(names) if not env.get(name) and name not in stored), "")
        return Check("keys", "ok", f"{told}. To store one: keyring set {SERVICE} {missing}" if missing else told)
    fix = INSTALL if INSTALL in problem else "Unlock or set up the keyring, or: rlmc config set keyring false"
    return Check("keys", "warn", f"{problem}; {told}", fix)


def _source(name: str, env: Mapping[str, str], stored: Collection[str]) -> str:
    return "the environment" if env.get(name) else "the keyring" if name in stored else "nowhere"
