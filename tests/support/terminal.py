"""A program on a terminal of its own, and somebody who types into it and reads what appears."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

# Makes the terminal the controlling one, which job control asks for, and then becomes the program.
_ON_TERMINAL = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"


class Terminal:
    """`with Terminal(argv, env, folder) as terminal`; the program is killed at the end, if it is still there."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], folder: Path) -> None:
        self._screen, its_side = pty.openpty()
        self._program = subprocess.Popen(
            [sys.executable, "-c", _ON_TERMINAL, *argv],
            stdin=its_side,
            stdout=its_side,
            stderr=its_side,
            env=dict(env),
            cwd=folder,
            start_new_session=True,
        )
        os.close(its_side)
        self._unread = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._program.kill()
        self._program.wait()
        os.close(self._screen)

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def read_to(self, text: str, seconds: float = 20) -> str:
        """What appears up to `text`, without it. What comes behind is left for the next time."""
        deadline = time.monotonic() + seconds
        while text not in self._unread:
            ready, _, _ = select.select([self._screen], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"{text!r} did not appear; on the screen: {self._unread!r}")
            try:
                self._unread += os.read(self._screen, 65536).decode(errors="replace")
            except OSError as gone:
                raise AssertionError(f"the program ended before {text!r}: {self._unread!r}") from gone
        before, _, self._unread = self._unread.partition(text)
        return before
