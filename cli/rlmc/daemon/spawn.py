"""Starts the daemon as a process of its own and waits until it serves.

Rule: the daemon inherits nothing of the shell that happened to start it: no keys, no settings, no open files, no
terminal. What it needs of a user's environment comes with each session.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import rlmc
from rlmc.config import paths
from rlmc.daemon import control, exit_codes
from rlmc.daemon.control import Endpoint
from rlmc.daemon.logfile import last_lines, open_log
from rlmc.daemon.state import own_folder, read_state
from rlmc.domain.frozen import dataclass
from rlmc.errors import DaemonError

START_SECONDS = 15.0
_POLL_SECONDS = 0.02
_LOG_LINES = 8

DAEMON_COMMAND: tuple[str, ...] = (sys.executable, "-P", "-m", "rlmc.daemon")

_KEPT = frozenset(
    {"HOME", "LANG", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER", "VIRTUAL_ENV"}
)
_KEPT_PREFIXES = ("LC_", "PYTHON", "XDG_", "DYLD_")
_FOLDERS = {
    paths.CONFIG_DIR_ENV: paths.config_dir,
    paths.DATA_DIR_ENV: paths.data_dir,
    paths.STATE_DIR_ENV: paths.state_dir,
}


class PortUnavailable(DaemonError):
    """The daemon cannot listen on the port it was told to."""

    def __init__(self, port: int, forbidden: bool) -> None:
        super().__init__(f"port {port} is {'not allowed' if forbidden else 'taken by another program'}")
        self.forbidden = forbidden


@dataclass(frozen=True, slots=True)
class Spawner:
    """How a daemon's process is made."""

    command: Sequence[str] = DAEMON_COMMAND
    log_level: str = "info"
    seconds: float = START_SECONDS

    def spawn(self, port: int) -> Endpoint:
        """A daemon that serves, on `port` or on a free one for 0. Call it with the start lock held."""
        before = read_state()
        own_folder(paths.state_dir())
        log = paths.log_file()
        output = _output(log)
        try:
            process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
                [*self.command, "--port", str(port), "--log-level", self.log_level],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=daemon_environment(os.environ),
                start_new_session=True,
            )
        except OSError as error:
            raise DaemonError(f"the daemon cannot be started: {error}") from error
        finally:
            os.close(output)
        # It outlives us; should it not, its remains are collected.
        threading.Thread(target=process.wait, name="rlmc-daemon-reaper", daemon=True).start()
        deadline = time.monotonic() + self.seconds
        while time.monotonic() < deadline:
            state = read_state()
            if state is not None and (before is None or state.instance != before.instance):
                endpoint = control.find(state)
                if endpoint is not None:
                    return endpoint
            if process.returncode is not None:
                raise _failure(port, process.returncode, log)
            time.sleep(_POLL_SECONDS)
        process.kill()
        raise _failure(port, None, log)


def daemon_environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {k: v for k, v in environ.items() if k in _KEPT or k.startswith(_KEPT_PREFIXES)}
    # Absolute: the daemon lives in "/".
    kept.update({name: str(folder()) for name, folder in _FOLDERS.items() if environ.get(name)})
    home = Path(rlmc.__file__).resolve().parents[1]
    if home.name not in {"site-packages", "dist-packages"}:
        others = [str(Path(p).absolute()) for p in environ.get("PYTHONPATH", "").split(os.pathsep) if p]
        kept["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([str(home), *others]))
    return kept


def _output(log: Path) -> int:
    """The log; nothing where there is no room for one."""
    try:
        return open_log(log)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)


def _failure(port: int, code: int | None, log: Path) -> DaemonError:
    if code in (exit_codes.PORT_TAKEN, exit_codes.PORT_FORBIDDEN):
        return PortUnavailable(port, forbidden=code == exit_codes.PORT_FORBIDDEN)
    what = "did not answer in time" if code is None else f"ended at once (exit code {code})"
    said = "".join(f"\n  {line}" for line in last_lines(log, _LOG_LINES))
    return DaemonError(f"the daemon {what}", f"the last lines of {log}:{said}" if said else f"its log: {log}")
