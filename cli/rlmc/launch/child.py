"""Runs the child as if rlmc were not there: same terminal, same descriptors, same process group, same exit code.

Rule: what the terminal already gives to the whole process group (Ctrl-C, Ctrl-\\, Ctrl-Z) is not given twice; any other
signal that reaches rlmc is handed on. Death by signal n is exit code 128 + n, as in a shell.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from rlmc.errors import ChildNotExecutable, ChildNotFound

_FROM_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH)
# What the Python interpreter ignores for itself and a program does not expect to be ignored.
_PYTHON_IGNORES = (signal.SIGPIPE, signal.SIGXFSZ)
# How long a child must have been stopped before we believe that it stopped itself alone.
_LOOKS, _LOOK_SECONDS = 5, 0.01

_Handler = Callable[[int, FrameType | None], None]


def run_child(program: str, argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Starts the file `program`, waits for its end and returns the exit code to end with."""
    child = _Child()
    with _handling(child) as woken:
        child.started(_spawn(program, argv, environ))
        while True:
            code = child.ended()
            if code is not None:
                return code
            woken.wait()


class _Child:
    """The running child, as far as signals and waiting go."""

    def __init__(self) -> None:
        self._pid: int | None = None
        self._early: list[int] = []

    def started(self, pid: int) -> None:
        self._pid = pid
        for number in self._early:
            self.send(number)

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        self.send(number)

    def on_terminal_signal(self, number: int, frame: FrameType | None) -> None:
        if not _in_foreground():  # then it was sent to us alone
            self.send(number)

    def send(self, number: int) -> None:
        if self._pid is None:
            self._early.append(number)
            return
        with suppress(ProcessLookupError):
            os.kill(self._pid, number)

    def ended(self) -> int | None:
        """The exit code to end with, None while the child lives. Takes part in the child's stops."""
        status = self._change(os.WUNTRACED)
        if status is not None and os.WIFSTOPPED(status):
            status = self._stopped()
        if status is None or os.WIFCONTINUED(status) or os.WIFSTOPPED(status):
            return None
        return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)

    def _stopped(self) -> int | None:
        """The child has stopped itself: stop as well, or the shell would wait for us with nobody at the terminal.

        Ctrl-Z, though, stops the whole group, and us with it, perhaps in the middle of this; awake again we find that
        the child has gone on, or even ended.
        """
        for _ in range(_LOOKS):
            status = self._change(os.WCONTINUED)
            if status is not None:
                return status
            time.sleep(_LOOK_SECONDS)
        if _in_foreground():
            os.kill(os.getpid(), signal.SIGSTOP)
            self.send(signal.SIGCONT)
        return None

    def _change(self, options: int) -> int | None:
        assert self._pid is not None  # noqa: S101  # started comes first
        pid, status = os.waitpid(self._pid, os.WNOHANG | options)
        return status if pid else None


class _Wakeups:
    """A pipe that holds a byte for every signal that came. Waiting on it misses none, while a signal that comes just
    before any other call begins to wait would be handled only after it."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self._poller = select.poll()
        self._poller.register(self._read, select.POLLIN)

    def wait(self) -> None:
        self._poller.poll()
        with suppress(BlockingIOError):
            os.read(self._read, 4096)

    def close(self) -> None:
        signal.set_wakeup_fd(self._before)
        os.close(self._read)
        os.close(self._write)


def _spawn(program: str, argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """posix_spawn, and not subprocess: descriptors the shell opened for the command (`<(…)`) must reach it."""

    def spawn(path: str, words: Sequence[str]) -> int:
        return os.posix_spawn(path, list(words), dict(environ), setsigdef=_PYTHON_IGNORES)

    try:
        try:
            return spawn(program, argv)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            return spawn("/bin/sh", ["/bin/sh", program, *argv[1:]])  # a script without `#!`, as any shell would
    except FileNotFoundError as error:
        raise ChildNotFound(f"{argv[0]}: {program} names an interpreter that does not exist") from error
    except OSError as error:
        raise ChildNotExecutable(f"{argv[0]}: cannot be executed: {error.strerror}") from error


@contextmanager
def _handling(child: _Child) -> Iterator[_Wakeups]:
    """Handlers for as long as the child runs. A signal that was ignored when rlmc was started (nohup) stays so, for
    the child too; a handler, unlike ignoring, is not inherited."""
    handlers: dict[signal.Signals, _Handler] = dict.fromkeys(_FROM_TERMINAL, child.on_terminal_signal)
    handlers |= dict.fromkeys(_FORWARDED, child.on_signal)
    handlers = {n: h for n, h in handlers.items() if signal.getsignal(n) != signal.SIG_IGN}
    handlers[signal.SIGCHLD] = lambda number, frame: None  # only a handled signal wakes us
    woken = _Wakeups()
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield woken
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        woken.close()


def _in_foreground() -> bool:
    """Whether a terminal's Ctrl-C reaches this process, and with it the child."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
