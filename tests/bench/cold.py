"""How long a server takes from its start to the first byte it serves, and the daemon beside its libraries alone.

The libraries are what a daemon at rest has imported and what is neither Python's nor rlmc's own; Python says what it
imports. A child imports exactly these, in the same order, and says when it is through.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from tests.bench.commands import clean
from tests.bench.process import HOST, ROOT, Process
from tests.bench.rows import Table
from tests.bench.scale import Scale

_POLL_SECONDS = 0.002
_IMPORT_TIME = "import time:"
# Itself, the heading of the list, and what the interpreter begins with.
_NO_LIBRARIES = frozenset({"rlmc", "imported package", "sitecustomize", "usercustomize", "_distutils_hack"})
_IMPORTS = """\
import importlib, os, sys
from contextlib import suppress
for name in sys.argv[1].split():
    with suppress(ImportError):  # made by an extension module for itself
        importlib.import_module(name)
cpu = os.times()
os.write(1, f"{cpu.user + cpu.system}\\n".encode())
"""


def starts(table: Table, scale: Scale, folder: Path) -> None:
    names = _libraries(folder)
    imports = [sys.executable, "-c", _IMPORTS, " ".join(names)]
    for number in range(scale.rounds):
        seconds, cpu, _ = _daemon(folder / f"start-{number}")
        began = time.perf_counter()
        with subprocess.Popen(imports, cwd=ROOT, env=clean(), stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            spent = float(child.stdout.readline())
            took = time.perf_counter() - began
        table.note("cold", number, seconds * 1000, took * 1000)
        table.note("cold cpu", number, cpu * 1000, spent * 1000)


def until_served(port: int, path: str, process: Process, seconds: float = 120.0) -> float | None:
    """The moment of the first byte of any answer, by the performance counter; None where none came."""
    request = f"GET {path} HTTP/1.1\r\nhost: {HOST}:{port}\r\nconnection: close\r\n\r\n".encode()
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline and process.alive:
        try:
            with socket.create_connection((HOST, port), timeout=10) as line:
                line.sendall(request)
                if line.recv(1):
                    return time.perf_counter()
        except OSError:
            pass
        time.sleep(_POLL_SECONDS)
    return None


def _daemon(folder: Path, *options: str) -> tuple[float, float, str]:
    """Seconds to the first byte, and of CPU by then; and what it has printed once it is at rest."""
    folder.mkdir()
    port = _free_port()
    env = clean() | {f"RLMC_{name}_DIR": str(folder / name) for name in ("CONFIG", "DATA", "STATE")}
    began = time.perf_counter()
    command = [sys.executable, *options, "-m", "rlmc.daemon", "--port", str(port)]
    process = Process(command, folder / "out", env=env)
    try:
        served = until_served(port, "/-/health", process)
        if served is None:
            raise RuntimeError(f"the daemon did not start: {process.last_words()}")
        cpu = process.cpu_seconds()
        process.settle()
        return served - began, cpu, process.log.read_text()
    finally:
        process.stop()


def _libraries(folder: Path) -> list[str]:
    """What a daemon at rest has imported, from the first to the last."""
    _, _, printed = _daemon(folder / "imports", "-X", "importtime")
    found = []
    for line in printed.splitlines():
        if line.startswith(_IMPORT_TIME):
            name = line.rpartition("|")[2].strip()
            root = name.partition(".")[0]
            if root not in _NO_LIBRARIES and root not in sys.stdlib_module_names:
                found.append(name)
    return found


def _free_port() -> int:
    with closing(socket.create_server((HOST, 0))) as probe:
        return int(probe.getsockname()[1])
