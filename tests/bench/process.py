"""Processes of the bench: how its own servers run, how any server is started, and what the kernel says of it.

Rule: figures come from /proc, which only Linux has; elsewhere `unsupported` says so before anything is started.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import uvloop

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[2]
_PROC = Path("/proc")
_QUIET_SHARE = 0.02  # a server that uses less of a core than this has finished what it was asked
_LOOK_SECONDS = 0.05


def unsupported() -> str | None:
    """Why the bench cannot run on this system; None where it can."""
    if (_PROC / "self" / "task").is_dir():
        return None
    return f"the bench reads CPU time and memory from /proc, which {sys.platform} does not have; run it on Linux"


def serve(protocol: Callable[[], asyncio.Protocol], port: int) -> None:
    """Serves on loopback until killed, and prints the port once it listens. Does not outlive the bench: that holds the
    other end of its stdin."""

    async def run() -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        server = await loop.create_server(protocol, HOST, port, backlog=2048)
        print(server.sockets[0].getsockname()[1], flush=True)
        if stat.S_ISFIFO(os.fstat(0).st_mode):
            loop.add_reader(0, ended.set)
        await ended.wait()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


class Process:
    """A server under test or beside it, and its children."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        folder: Path = ROOT,
        talks: bool = False,
    ) -> None:
        self.log = log
        with log.open("wb") as out:
            self._popen = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(env) if env is not None else None,
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE if talks else out,
                stderr=out,
                start_new_session=True,
            )
        self.pid = self._popen.pid

    @classmethod
    def own(cls, module: str, log: Path, *arguments: str) -> Process:
        """One of the bench's own modules."""
        return cls([sys.executable, "-m", f"tests.bench.{module}", *arguments], log, talks=True)

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def say(self, line: bytes) -> None:
        assert self._popen.stdin is not None
        self._popen.stdin.write(line + b"\n")
        self._popen.stdin.flush()

    def hear(self) -> bytes:
        """The next line the process prints. Raises when it has ended instead."""
        assert self._popen.stdout is not None
        line = self._popen.stdout.readline()
        if not line:
            raise RuntimeError(f"a process of the bench ended: {self.last_words()}")
        return line

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def cpu_seconds(self) -> float:
        """CPU time of all threads of the process and its children. Threads that have ended are not counted."""
        return sum(_cpu_ns(pid) for pid in _tree(self.pid)) / 1e9

    def memory_mb(self) -> float:
        return sum(_resident_kb(pid) for pid in _tree(self.pid)) / 1024

    def settle(self, seconds: float = 3.0) -> None:
        """Waits until work left over, such as rows that are still being written, is done."""
        deadline = time.monotonic() + seconds
        before, at = self.cpu_seconds(), time.monotonic()
        while at < deadline:
            time.sleep(_LOOK_SECONDS)
            now, then = self.cpu_seconds(), time.monotonic()
            if now - before < _QUIET_SHARE * (then - at):
                return
            before, at = now, then

    def stop(self) -> None:
        for pid in _tree(self.pid):
            with suppress(OSError):
                os.kill(pid, signal.SIGTERM)
        try:
            self._popen.wait(10)
        except subprocess.TimeoutExpired:
            for pid in _tree(self.pid):
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def healthy(port: int, path: str) -> bool:
    """Whether something on this port answers, whatever it thinks of the path."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _tree(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for parent in found:  # grows on the way
        with suppress(OSError):
            for task in (_PROC / str(parent) / "task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _cpu_ns(pid: int) -> int:
    total = 0
    with suppress(OSError):
        for task in (_PROC / str(pid) / "task").iterdir():
            with suppress(OSError):
                total += _task_ns(task)
    return total


def _task_ns(task: Path) -> int:
    """By the scheduler's own clock where the kernel shows it; else in ticks of ten milliseconds, coarse for a short
    run."""
    if (task / "schedstat").exists():
        return int((task / "schedstat").read_text().split()[0])
    user, system = (task / "stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def _resident_kb(pid: int) -> int:
    with suppress(OSError):
        for line in (_PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0
