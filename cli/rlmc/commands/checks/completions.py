"""Shell completions: are they where this user's shell looks for them?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rlmc.commands.checks.check import Check

_SHIPPED = {
    "bash": "bash-completion/completions/rlmc",
    "zsh": "zsh/site-functions/_rlmc",
    "fish": "fish/vendor_completions.d/rlmc.fish",
}


def check_completions(env: Mapping[str, str], home: Path) -> Check:
    """What lies beside a virtual environment does not count: no shell looks there."""
    shell = Path(env.get("SHELL", "")).name
    if shell not in _SHIPPED:
        return Check(
            "completions", "ok", f"none for {shell or 'an unknown shell'}; there are some for bash, zsh and fish"
        )
    for place in _places(shell, env, home):
        if place.is_file():
            return Check("completions", "ok", f"{shell}: {place}")
    return Check("completions", "warn", f"not found for {shell}", _fix(shell))


def _places(shell: str, env: Mapping[str, str], home: Path) -> list[Path]:
    data = Path(env.get("XDG_DATA_HOME") or home / ".local" / "share")
    system = [Path(folder) for folder in env.get("XDG_DATA_DIRS", "").split(":") if folder]
    shares = [data, *system, Path("/usr/local/share"), Path("/opt/homebrew/share"), Path("/usr/share")]
    if env.get("HOMEBREW_PREFIX"):
        shares.append(Path(env["HOMEBREW_PREFIX"]) / "share")
    places = [share / _SHIPPED[shell] for share in shares]
    if shell == "fish":
        places.insert(0, Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "fish/completions/rlmc.fish")
    elif shell == "zsh":
        places += [home / folder / "_rlmc" for folder in (".zfunc", ".zsh/completions", ".oh-my-zsh/completions")]
        places += [Path(folder) / "_rlmc" for folder in env.get("FPATH", "").split(":") if folder]
    else:
        places.append(home / ".bash_completion.d" / "rlmc")
    return places


def _fix(shell: str) -> str:
    folder, name = {
        "bash": ("~/.local/share/bash-completion/completions", "rlmc"),
        "zsh": ("~/.zfunc", "_rlmc"),
        "fish": ("~/.config/fish/completions", "rlmc.fish"),
    }[shell]
    more = " (and have `fpath+=~/.zfunc` before compinit in ~/.zshrc)" if shell == "zsh" else ""
    return f"mkdir -p {folder} && rlmc completions {shell} > {folder}/{name}{more}"
