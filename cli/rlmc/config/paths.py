"""Where rlmc keeps its files: one place that knows the platform's folders and their environment overrides.

Rule: folders are private to the user (0700), and nothing is created before somebody is about to write to it. Where the
user's own folders cannot be used, a makeshift one takes their place, the same for every process of theirs; a folder
that an environment variable names is used, or is an error.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from rlmc.config.disks import has_room, network_disk, writable
from rlmc.config.locks import is_held

CONFIG_DIR_ENV = "RLMC_CONFIG_DIR"
DATA_DIR_ENV = "RLMC_DATA_DIR"
STATE_DIR_ENV = "RLMC_STATE_DIR"
DIR_ENVS: tuple[str, ...] = (CONFIG_DIR_ENV, DATA_DIR_ENV, STATE_DIR_ENV)
_WITHOUT_A_HOME = {
    "user_config_path": ".config",
    "user_data_path": ".local/share",
    "user_state_path": ".local/state",
}
_LEDGER, _CLAIM, _LOCK = "ledger.db", "daemon.json", "daemon.lock"


def config_dir() -> Path:
    """Settings; back this up."""
    return _folder(CONFIG_DIR_ENV, "user_config_path")


def data_dir() -> Path:
    """The ledger; back this up too. A makeshift folder where there is no ledger yet and none can be made."""
    own = _folder(DATA_DIR_ENV, "user_data_path")
    if os.environ.get(DATA_DIR_ENV) or _is_there(own / _LEDGER) or writable(own):
        return own
    return next((folder / "data" for folder in _makeshift() if _usable(folder)), own)


def state_dir() -> Path:
    """The daemon's log and state; safe to lose.

    Not where another machine's daemon may keep its own, as on a home that several machines share: whose process a
    number means, and who holds a lock, is known on one machine only. A daemon that lives stays where it has begun.
    """
    own = _folder(STATE_DIR_ENV, "user_state_path")
    if os.environ.get(STATE_DIR_ENV):
        return own
    places = [own] if network_disk(own) is None else []
    places += _makeshift()
    claimed = [folder for folder in places if _is_there(folder / _CLAIM)]
    lived_in = (folder for folder in claimed if is_held(folder / _LOCK))
    left = filter(writable, claimed)  # a daemon that has died may come back where it was
    return next(chain(lived_in, left, filter(_usable, places)), own)


def displaced_ledger() -> str | None:
    """Where the ledger is and why, if it is not where it belongs."""
    own = _folder(DATA_DIR_ENV, "user_data_path")
    if data_dir() == own:
        return None
    return f"{own} cannot be written: the ledger is {ledger_file()}, which may not outlive a restart of this machine"


def displaced_state() -> str | None:
    """The same of the daemon's state."""
    own, used = _folder(STATE_DIR_ENV, "user_state_path"), state_dir()
    if used == own:
        return None
    kind = network_disk(own)
    if kind:
        why = f"lies on a network disk ({kind})"
    elif not writable(own):
        why = "cannot be written"
    else:
        why = "could not be used" if has_room(own) else "is full"
    return f"{own} {why}: the daemon's state and log are in {used}"


def home() -> Path:
    """The user's; the root, as containers have it, where the system knows of none."""
    try:
        found = Path.home()
    except RuntimeError:
        return Path("/")
    return found if found.is_absolute() else Path("/")


def config_file() -> Path:
    return config_dir() / "config.toml"


def providers_dir() -> Path:
    """The user's own provider files."""
    return config_dir() / "providers"


def ledger_file() -> Path:
    return data_dir() / _LEDGER


def log_file() -> Path:
    return state_dir() / "daemon.log"


def state_file() -> Path:
    return state_dir() / _CLAIM


def daemon_lock_file() -> Path:
    return state_dir() / _LOCK


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

    try:
        folder: Path = getattr(platformdirs, platform_function)("rlmc", appauthor=False)
    except RuntimeError:  # it knows of no home
        folder = home() / _WITHOUT_A_HOME[platform_function] / "rlmc"
    return folder


def _makeshift() -> Iterator[Path]:
    """Folders that last as long as the machine runs. Everybody may write where most of them lie: one that somebody
    else has made there is passed over."""
    uid = os.geteuid()
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    named = os.environ.get("TMPDIR", "")
    places = [Path(runtime) / "rlmc"] if runtime.startswith("/") else []
    places += [Path(base) / f"rlmc-{uid}" for base in (named, "/tmp", "/dev/shm") if base.startswith("/")]  # noqa: S108
    for folder in places:
        try:
            found = folder.lstat()
        except FileNotFoundError:
            yield folder
        except OSError:
            continue
        else:
            if stat.S_ISDIR(found.st_mode) and found.st_uid == uid and not found.st_mode & 0o077:
                yield folder


def _usable(folder: Path) -> bool:
    return writable(folder) and has_room(folder) and network_disk(folder) is None


def _is_there(file: Path) -> bool:
    return os.path.exists(file)  # noqa: PTH110 - never raises, whatever is wrong with the folder
