"""The providers there are: the built-in files beside this one, and the user's own.

A new provider is one file, `NAME.toml`, in here or in the folder `providers` beside the configuration; one there with
the name of a built-in provider takes its place.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rlmc.config.paths import providers_dir
from rlmc.errors import ConfigError

if TYPE_CHECKING:
    from rlmc.upstream.provider import Provider

_SUFFIX = ".toml"
_HERE = Path(__file__).parent

# In the order they are shown in.
BUILT_IN: tuple[str, ...] = (
    *("anthropic", "deepseek", "openai", "moonshot", "zai", "minimax", "qwen", "openrouter"),
    *("ollama", "llama.cpp", "vllm", "lmstudio", "sim"),
)


def names() -> tuple[str, ...]:
    """All providers by name, without a look into their files."""
    return (*BUILT_IN, *(name for name in own_files() if name not in BUILT_IN))


def find(name: str) -> Provider | None:
    """Raises ConfigError where the provider's file is of the user's making and cannot be read."""
    own = own_files().get(name)
    if own is not None:
        return _read(name, own, _changed(own))
    return built_in(name) if name in BUILT_IN else None


def built_in(name: str) -> Provider:
    """As it is shipped, whatever the user's own files say."""
    return _read(name, _HERE / (name + _SUFFIX), 0)


def providers() -> tuple[tuple[Provider, ...], tuple[ConfigError, ...]]:
    """Those there are, and what is wrong with files of the user's that cannot be read: one that nobody asks for keeps
    nobody from the others."""
    found, faults = [], []
    for name in names():
        try:
            provider = find(name)
        except ConfigError as error:
            faults.append(error)
            continue
        if provider is not None:
            found.append(provider)
    return tuple(found), tuple(faults)


def own_files() -> dict[str, Path]:
    """The user's own provider files, by the name of the provider."""
    try:
        entries = sorted(providers_dir().iterdir())
    except OSError:
        return {}
    return {path.name.removesuffix(_SUFFIX): path for path in entries if path.name.endswith(_SUFFIX) and path.is_file()}


def api_key_envs() -> frozenset[str]:
    """The environment variables in which providers look for their keys. A file that cannot be read has none to say.

    Asked in front of every start of an agent: of the built-in files only this one line is read.
    """
    own = own_files()
    names = {_key_env(_HERE / (name + _SUFFIX)) for name in BUILT_IN if name not in own}
    for name in own:
        with suppress(ConfigError):
            provider = find(name)
            names.add(provider.key_env if provider is not None else None)
    return frozenset(name for name in names if name)


def _key_env(built_in: Path) -> str | None:
    lines = built_in.read_text(encoding="utf-8").splitlines()
    return next((line.split('"')[1] for line in lines if line.startswith("key-env ")), None)


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@cache
def _read(name: str, path: Path, _changed_at: int) -> Provider:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", "Repair or remove it.") from None
    from rlmc.upstream.provider_file import read_provider

    return read_provider(name, text, str(path))
