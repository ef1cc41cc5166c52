"""Where rlmc keeps its files: one place that knows the platform's folders and their environment overrides.

Rule: folders are private to the user (0700), and nothing is created before somebody is about to write to it.
"""

from __future__ import annotations

import os
from pathlib import Path

CONFIG_DIR_ENV = "RLMC_CONFIG_DIR"
DATA_DIR_ENV = "RLMC_DATA_DIR"
STATE_DIR_ENV = "RLMC_STATE_DIR"
DIR_ENVS: tuple[str, ...] = (CONFIG_DIR_ENV, DATA_DIR_ENV, STATE_DIR_ENV)


def config_dir() -> Path:
    """Settings; back this up."""
    return _folder(CONFIG_DIR_ENV, "user_config_path")


def data_dir() -> Path:
    """The ledger; back this up too."""
    return _folder(DATA_DIR_ENV, "user_data_path")


def state_dir() -> Path:
    """The daemon's log and state; safe to lose."""
    return _folder(STATE_DIR_ENV, "user_state_path")


def config_file() -> Path:
    return config_dir() / "config.toml"


def providers_dir() -> Path:
    """The user's own provider files."""
    return config_dir() / "providers"


def ledger_file() -> Path:
    return data_dir() / "ledger.db"


def log_file() -> Path:
    return state_dir() / "daemon.log"


def state_file() -> Path:
    return state_dir() / "daemon.json"


def metrics_token_file() -> Path:
    return state_dir() / "metrics-token"


def ensure_dir(folder: Path) -> Path:
    """Make `folder` for its owner only, if it is missing. One that exists keeps the mode its owner gave it."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _folder(env: str, platform_function: str) -> Path:
    override = os.environ.get(env)
    if override:
        # Absolute, because the daemon is started from here and runs somewhere else.
        return Path(override).expanduser().absolute()
    import platformdirs

    folder: Path = getattr(platformdirs, platform_function)("rlmc", appauthor=False)
    return folder
